-- SPDX-License-Identifier: MIT
--
-- What the binding costs: each operation as programs write it, beside a bare call of the function that SWIG made for it. CPU time in nanoseconds for
-- one operation, less an empty loop, the least of several runs that take turns; each run's result is checked.
--
--     lua bench.lua [calls]

local raw = require "ouro_raw"
local ouro = require "ouro"

local N = tonumber(arg and arg[1]) or 1000000
local RUNS = 7
local SUM = N * (N + 1) / 2

local function run(fn, expected, name)
    collectgarbage()
    local start = os.clock()
    local result = fn()
    local taken = os.clock() - start
    assert(result == expected, name)
    return taken / N * 1e9
end

local function empty()
    local n = 0
    for i = 1, N do n = n + i end
    return n
end

-- The least times of several functions with one result.
local function least(name, expected, ...)
    local times = {}
    for _ = 1, RUNS do
        local loop = run(empty, SUM, "loop")
        for i, fn in ipairs { ... } do
            times[i] = math.min(times[i] or math.huge, run(fn, expected, name) - loop)
        end
    end
    return (table.unpack or unpack)(times)
end

print(("%-44s %8s %8s %8s"):format("", "ouro", "by SWIG", "more"))

local function row(name, expected, ours, bare)
    local a, b = least(name, expected, ours, bare)
    if b then
        print(("%-44s %8.1f %8.1f %+8.1f"):format(name, a, b, a - b))
    else
        print(("%-44s %8.1f"):format(name, a))
    end
end

local is_enabled = raw.gc_is_enabled
row("a call of SWIG's that does nothing", N, function()
    local n = 0
    for _ = 1, N do if is_enabled() then n = n + 1 end end
    return n
end)

---- Elements ----

local list_get, list_set, list_append, list_length = raw.list_get, raw.list_set, raw.list_append, raw.list_length
local l = ouro.list { 1, 2, 3, 4, 5, 6, 7, 8 }
row("l[3]", 3 * N, function()
    local n = 0
    for _ = 1, N do n = n + l[3] end
    return n
end, function()
    local n = 0
    for _ = 1, N do n = n + list_get(l, 3) end
    return n
end)
row("l:get(3)", 3 * N, function()
    local n = 0
    for _ = 1, N do n = n + l:get(3) end
    return n
end, function()
    local n = 0
    for _ = 1, N do n = n + list_get(l, 3) end
    return n
end)
row("l[3] = i", N, function()
    for i = 1, N do l[3] = i end
    return l[3]
end, function()
    for i = 1, N do list_set(l, 3, i) end
    return l[3]
end)
row("#l", 8 * N, function()
    local n = 0
    for _ = 1, N do n = n + #l end
    return n
end, function()
    local n = 0
    for _ = 1, N do n = n + list_length(l) end
    return n
end)
row("l:append(i), cleared each 1000", N % 1000, function()
    local l = ouro.list()
    for i = 1, N do
        l:append(i)
        if i % 1000 == 0 then l:clear() end
    end
    return #l
end, function()
    local l = ouro.list()
    for i = 1, N do
        list_append(l, i)
        if i % 1000 == 0 then l:clear() end
    end
    return #l
end)
local outer = ouro.list { l }
row("outer[1], a list", N, function()
    local n = 0
    for _ = 1, N do if outer[1] == l then n = n + 1 end end
    return n
end, function()
    local n = 0
    for _ = 1, N do if list_get(outer, 1) == l then n = n + 1 end end
    return n
end)
local s = ouro.list { "a name" }
row("s[1], a string", N, function()
    local n = 0
    for _ = 1, N do if s[1] == "a name" then n = n + 1 end end
    return n
end, function()
    local n = 0
    for _ = 1, N do if list_get(s, 1) == "a name" then n = n + 1 end end
    return n
end)

local dict_get, dict_set = raw.dict_get, raw.dict_set
local d = ouro.dict { key = 1, [5] = 1 }
for _, key in ipairs { "key", 5 } do
    row("d[k], k = " .. key, N, function()
        local n = 0
        for _ = 1, N do n = n + d[key] end
        return n
    end, function()
        local n = 0
        for _ = 1, N do n = n + dict_get(d, key) end
        return n
    end)
end
row("d.key = i", N, function()
    for i = 1, N do d.key = i end
    return d.key
end, function()
    for i = 1, N do dict_set(d, "key", i) end
    return d.key
end)

local set_has = raw.set_has
local set = ouro.set { 5 }
row("set[5]", N, function()
    local n = 0
    for _ = 1, N do if set[5] then n = n + 1 end end
    return n
end, function()
    local n = 0
    for _ = 1, N do if set_has(set, 5) then n = n + 1 end end
    return n
end)

local record_get, record_set = raw.record_get, raw.record_set
local r = ouro.record("point", { x = 1, y = 2 })
row("r.x", N, function()
    local n = 0
    for _ = 1, N do n = n + r.x end
    return n
end, function()
    local n = 0
    for _ = 1, N do n = n + record_get(r, "x") end
    return n
end)
row("r.x = i", N, function()
    for i = 1, N do r.x = i end
    return r.x
end, function()
    for i = 1, N do record_set(r, "x", i) end
    return r.x
end)

---- Loops; for each element ----

local numbers = {}
for i = 1, N do numbers[i] = i end
local big = ouro.list(numbers)
local next_of, iterate = raw.iterator_next, raw.iterate
row("for i, x in pairs(l)", SUM, function()
    local n = 0
    for _, x in ouro.pairs(big) do n = n + x end
    return n
end, function()
    local n = 0
    for i = 1, N do n = n + list_get(big, i) end
    return n
end)
row("for x in ouro.iter(l)", SUM, function()
    local n = 0
    for x in ouro.iter(big) do n = n + x end
    return n
end, function()
    local n = 0
    local it = iterate(big)
    for _ = 1, N do n = n + next_of(it) end
    return n
end)
local names = ouro.dict()
for i = 1, N do names[i] = i end
row("for k, v in pairs(d)", SUM, function()
    local n = 0
    for _, x in ouro.pairs(names) do n = n + x end
    return n
end, function()
    local n = 0
    local it = raw.iterate_part(names, raw.VALUES)
    for _ = 1, N do n = n + next_of(it) end
    return n
end)

---- Many at once, for each element; beside one call for each ----

row("ouro.list(t), beside append", N, function()
    return #ouro.list(numbers)
end, function()
    local to = ouro.list()
    for i = 1, N do list_append(to, i) end
    return #to
end)
row("l:extend(t), beside append", N, function()
    local to = ouro.list()
    to:extend(numbers)
    return #to
end, function()
    local to = ouro.list()
    for i = 1, N do list_append(to, i) end
    return #to
end)
row("l:table(), beside get", N, function()
    return #big:table()
end, function()
    local to = {}
    for i = 1, N do to[i] = list_get(big, i) end
    return #to
end)
row("ouro.set(t), beside add", N, function()
    return #ouro.set(numbers)
end, function()
    local to, add = ouro.set(), raw.set_add
    for i = 1, N do add(to, i) end
    return #to
end)
row("ouro.dict(t), beside set", N, function()
    return #ouro.dict(numbers)
end, function()
    local to = ouro.dict()
    for i = 1, N do dict_set(to, i, i) end
    return #to
end)
