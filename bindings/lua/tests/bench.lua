-- SPDX-License-Identifier: MIT
--
-- What a call costs, beside a call of a function that SWIG made and that does next to nothing. CPU time, the least of several runs; each run's result
-- is checked.
--
--     lua bench.lua [calls]

local raw = require "ouro_raw"
local ouro = require "ouro"

local N = tonumber(arg and arg[1]) or 1000000
local RUNS = 7

local function measure(name, fn, expected)
    local least = math.huge
    for _ = 1, RUNS do
        collectgarbage()
        local start = os.clock()
        local result = fn()
        local taken = os.clock() - start
        assert(result == expected, name)
        least = math.min(least, taken)
    end
    return least / N * 1e9
end

local loop = measure("empty loop", function()
    local n = 0
    for i = 1, N do n = n + i end
    return n
end, N * (N + 1) / 2)

local bare
local function show(name, fn, expected)
    local ns = measure(name, fn, expected) - loop
    bare = bare or ns
    print(("%-46s %6.1f ns  %+6.1f"):format(name, ns, ns - bare))
end

print(("%-46s %9s  over a bare call"):format("", "each"))

local is_enabled = raw.gc_is_enabled
show("bare SWIG call", function()
    local n = 0
    for _ = 1, N do if is_enabled() then n = n + 1 end end
    return n
end, N)

local l = ouro.list { 1, 2, 3, 4, 5, 6, 7, 8 }
local list_get = raw.list_get
show("by SWIG: list_get(l, 3)", function()
    local n = 0
    for _ = 1, N do n = n + list_get(l, 3) end
    return n
end, 3 * N)
show("l[3]", function()
    local n = 0
    for _ = 1, N do n = n + l[3] end
    return n
end, 3 * N)
show("l[3] = i", function()
    for i = 1, N do l[3] = i end
    return l[3]
end, N)
show("#l", function()
    local n = 0
    for _ = 1, N do n = n + #l end
    return n
end, 8 * N)
local list_append = raw.list_append
show("by SWIG: list_append(l, i), cleared each 1000", function()
    local l = ouro.list()
    for i = 1, N do
        list_append(l, i)
        if i % 1000 == 0 then l:clear() end
    end
    return #l
end, N % 1000)
show("l:append(i), cleared each 1000", function()
    local l = ouro.list()
    for i = 1, N do
        l:append(i)
        if i % 1000 == 0 then l:clear() end
    end
    return #l
end, N % 1000)

local big = ouro.list()
for i = 1, N do big:append(i) end
show("for i, x in pairs(l)", function()
    local n = 0
    for _, x in pairs(big) do n = n + x end
    return n
end, N * (N + 1) / 2)
show("for x in ouro.iter(l)", function()
    local n = 0
    for x in ouro.iter(big) do n = n + x end
    return n
end, N * (N + 1) / 2)
show("batch: for ... in ipairs(l:table())", function()
    local n = 0
    for _, x in ipairs(big:table()) do n = n + x end
    return n
end, N * (N + 1) / 2)
big:close()

local outer = ouro.list { l }
show("outer[1], a list", function()
    local n = 0
    for _ = 1, N do if outer[1] == l then n = n + 1 end end
    return n
end, N)
local s = ouro.list { "a name" }
show("s[1], a string", function()
    local n = 0
    for _ = 1, N do if s[1] == "a name" then n = n + 1 end end
    return n
end, N)

local d = ouro.dict { key = 1 }
show("d.key", function()
    local n = 0
    for _ = 1, N do n = n + d.key end
    return n
end, N)
show("d.key = i", function()
    for i = 1, N do d.key = i end
    return d.key
end, N)
d[5] = 1
show("d[5]", function()
    local n = 0
    for _ = 1, N do n = n + d[5] end
    return n
end, N)

local r = ouro.record("point", { x = 1, y = 2 })
show("r.x", function()
    local n = 0
    for _ = 1, N do n = n + r.x end
    return n
end, N)
show("r.x = i", function()
    for i = 1, N do r.x = i end
    return r.x
end, N)
