-- SPDX-License-Identifier: MIT
--
-- A generator against a list: values when they are asked for, or all at once. What stands behind an arrow is what the line prints.
local ouro = require "ouro"

local N = 100000
local function bytes() return ouro.mem.stats().live_bytes end

local function sum(values)
    local n = 0
    for x in ouro.iter(values) do n = n + x end
    return n
end

local before = bytes()
local list = ouro.list(ouro.range(1, N))
local of_list = bytes() - before
print("list", #list, sum(list))                         --> list	100000	5000050000

before = bytes()
local range = ouro.range(1, N)
local of_range = bytes() - before
print("generator", sum(range))                          --> generator	5000050000

print("8 bytes and more for each element", of_list >= 8 * N) --> 8 bytes and more for each element	true
print("next to nothing", of_range < 1000)               --> next to nothing	true

-- It goes once; a list, as often as one likes.
print("again", sum(range), sum(list))                   --> again	0	5000050000

-- A generator of Lua's own feeds a list without a table between.
local squares = coroutine.wrap(function() for i = 1, 5 do coroutine.yield(i * i) end end)
local some = ouro.list()
for x in squares do some:append(x) end
print(some)                                             --> [1, 4, 9, 16, 25]

-- Several threads may take from one generator: each value goes to one of them.
local shared = ouro.range(1, 4)
print(shared(), shared:next(), shared(), shared(), shared()) --> 1	2	3	4	nil
