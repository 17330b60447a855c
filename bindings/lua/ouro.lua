-- SPDX-License-Identifier: MIT
--
-- ouro: lists, dicts, sets, tuples and records that threads share, each thread with a lua_State of its own.
--
-- This file gives names to what ouro_raw does (SWIG's functions, and the metamethods in src/) and says what Lua's habits are: indexes from
-- 1, ranges that include their end, nil for what is not there. Misuse raises an error; a failure that a program has to
-- expect is nil, a message and a code (ouro.E_...).

local raw = require "ouro_raw"

local select, type, error, next = select, type, error, next
local pack = table.pack or function(...) return { n = select("#", ...), ... } end
local insert, sort = table.insert, table.sort

local ouro = { _VERSION = "ouro " .. raw.version() }

for _, name in ipairs { "NOMEM", "AGAIN", "INVALID", "USAGE", "SYSTEM", "TYPE", "INDEX", "KEY", "CHANGED", "END", "ENCODING", "HOST" } do
    ouro["E_" .. name] = raw["E_" .. name]
end

local kinds = { [0] = "nil", "bool", "int", "float", "string", "bytes", "tuple", "list", "dict", "set", "record", "shape", "iterator",
    "weak", "weak map", "weak set", "host", "object" }
local LIST, DICT, SET, TUPLE, RECORD = raw.KIND_LIST, raw.KIND_DICT, raw.KIND_SET, raw.KIND_TUPLE, raw.KIND_RECORD
local ITERATOR, WEAK, WEAK_MAP, WEAK_SET = raw.KIND_ITERATOR, raw.KIND_WEAK, raw.KIND_WEAK_MAP, raw.KIND_WEAK_SET
local kind_of = raw.kind_of

local function methods_of(kind)
    return raw.metatable(kind).methods
end

local function bad(argument, name, expected, got)
    error(("bad argument #%d to '%s' (%s expected, got %s)"):format(argument, name, expected, type(got)), 3)
end

---- Any value ----

-- "int", "list", "host", ...: what it is in the library.
function ouro.kind(x)
    return kinds[kind_of(x)]
end

ouro.type_name = raw.value_type_name
ouro.truth = raw.truth
ouro.len = raw.length
ouro.same = raw.same
ouro.equal = raw.equal
ouro.key_equal = raw.key_equal
ouro.hash = raw.hash
ouro.repr = raw.repr
ouro.copy = raw.copy
ouro.deepcopy = raw.copy_deep

-- The one string with this text, as a handle: wherever it is stored, it is this object. tostring gives Lua's string.
ouro.intern = raw.intern

-- -1, 0 or 1; nil if there is no order because of a NaN.
function ouro.compare(a, b)
    local order, message, code = raw.compare(a, b)
    if order == 2 then
        return nil
    end
    return order, message, code
end

-- Lets go of what a handle holds: what x:close() does, which in a record may be a field.
function ouro.close(x)
    local metatable = type(x) == "userdata" and getmetatable(x)
    if not metatable or not metatable.__close then
        bad(1, "close", "a handle", x)
    end
    metatable.__close(x)
end

-- Bytes, also where they are UTF-8 and would become a string otherwise.
ouro.bytes = raw.bytes_new

-- A number that stands for the value on its way to another state or another language of the process; there, once: the value.
ouro.export = raw.export

function ouro.import(token)
    local value, message, code = raw.import(token)
    if code == raw.E_KEY then
        message = "nothing waits for this token, or it has been imported"
    end
    return value, message, code
end

---- Ranges: Lua's i, j (from 1, the end included) to the library's start, stop ----

local function range(i, j, step)
    step = step or 1
    if i and i > 0 then
        i = i - 1
    end
    if j then
        if step > 0 then
            if j < 0 then
                j = j + 1 -- behind the j-th from the end; behind the last: no end
                if j == 0 then j = nil end
            end
        elseif j > 0 then
            j = j - 2
            if j < 0 then j = nil end
        elseif j < 0 then
            j = j - 1
        else
            j = nil
        end
    end
    return i, j, step
end

---- Tuples and lists ----

local List, Tuple = methods_of(LIST), methods_of(TUPLE)

-- ouro.list{...}, or of anything that can be iterated.
function ouro.list(from)
    if from == nil then
        return raw.list_new()
    elseif type(from) == "table" then
        return raw.list_from(from)
    end
    local list = raw.list_new()
    local ok, message, code = raw.list_extend(list, from)
    if not ok then
        return nil, message, code
    end
    return list
end

function ouro.tuple(from)
    if from == nil then
        return raw.tuple_new {}
    elseif type(from) == "table" then
        return raw.tuple_new(from)
    end
    local list, message, code = ouro.list(from)
    if not list then
        return nil, message, code
    end
    local tuple = raw.tuple_new(list:table())
    list:close()
    return tuple
end

local function position(get)
    return function(sequence, item, i, j)
        local start, stop = range(i, j)
        local at, message, code = get(sequence, item, start, stop)
        if not at then
            return nil, message, code
        end
        return at + 1
    end
end

local function has(index)
    return function(sequence, item)
        local at, message, code = index(sequence, item, nil, nil)
        if not at and code ~= raw.E_KEY then
            return nil, message, code
        end
        return at ~= nil
    end
end

local function slice(get)
    return function(sequence, i, j, step)
        return get(sequence, range(i, j, step))
    end
end

-- The elements at one moment as a table, with their number in n.
local totable = raw.items

local function unpacked(sequence)
    local items = totable(sequence)
    return (table.unpack or unpack)(items, 1, items.n)
end

Tuple.get, List.get = raw.tuple_get, raw.list_get
Tuple.index, List.index = position(raw.tuple_index), position(raw.list_index)
Tuple.count, List.count = raw.tuple_count, raw.list_count
Tuple.has, List.has = has(raw.tuple_index), has(raw.list_index)
Tuple.slice, List.slice = slice(raw.tuple_slice), slice(raw.list_slice)
Tuple.concat, List.concat = raw.tuple_concat, raw.list_concat
Tuple.table, List.table = totable, totable
Tuple.unpack, List.unpack = unpacked, unpacked

List.set = raw.list_set
List.swap = raw.list_swap
List.compare_set = raw.list_compare_set
List.append = raw.list_append
List.append_all = raw.list_append_all
List.insert = raw.list_insert
List.delete = raw.list_delete
List.remove = raw.list_remove
List.clear = raw.list_clear
List.reverse = raw.list_reverse
List.rep = raw.list_repeat

-- With a table, its elements; else what iterating gives.
function List.extend(list, from)
    if type(from) == "table" then
        return raw.list_append_all(list, from)
    end
    return raw.list_extend(list, from)
end

function List.pop(list, i)
    return raw.list_pop(list, i or -1)
end

function List.set_slice(list, i, j, items, step)
    local start, stop
    start, stop, step = range(i, j, step)
    if type(items) ~= "table" then
        items = totable(items)
    end
    return raw.list_set_slice(list, start, stop, step, items)
end

function List.delete_slice(list, i, j, step)
    return raw.list_delete_slice(list, range(i, j, step))
end

-- By the library's order; or by a function less(a, b), on a copy that then takes the list's place.
function List.sort(list, less)
    if less == nil or less == "ascending" or less == "descending" then
        return raw.list_sort(list, less == "descending")
    elseif type(less) ~= "function" then
        bad(2, "sort", "a function, \"ascending\" or \"descending\"", less)
    end
    local items = totable(list)
    sort(items, less)
    return raw.list_set_slice(list, nil, nil, 1, items)
end

raw.metatable(LIST).__concat = raw.list_concat
raw.metatable(TUPLE).__concat = raw.tuple_concat

---- Dicts ----

local Dict = methods_of(DICT)

-- One table: the keys, then the values.
local function from_pairs(keys, values, n)
    for i = 1, n do
        keys[n + i] = values[i]
    end
    keys.n = 2 * n
    return keys
end

local function split(t)
    local keys, values, n = {}, {}, 0
    for key, value in next, t do
        n = n + 1
        keys[n], values[n] = key, value
    end
    return from_pairs(keys, values, n)
end

-- ouro.dict{...}: the order of the keys is the table's, which is none. Of a dict: the same pairs.
function ouro.dict(from)
    if from == nil then
        return raw.dict_new()
    elseif type(from) == "table" then
        return raw.dict_from(split(from))
    end
    local dict = raw.dict_new()
    local ok, message, code = raw.dict_update(dict, from)
    if not ok then
        return nil, message, code
    end
    return dict
end

-- ouro.dict_of(key, value, key, value, ...): in this order.
function ouro.dict_of(...)
    local n, given, keys, values = select("#", ...), pack(...), {}, {}
    if n % 2 ~= 0 then
        error("bad arguments to 'dict_of' (keys and values expected, got " .. n .. " arguments)", 2)
    end
    for i = 1, n / 2 do
        keys[i], values[i] = given[2 * i - 1], given[2 * i]
    end
    return raw.dict_from(from_pairs(keys, values, n / 2))
end

Dict.get = raw.dict_get
Dict.get_or = raw.dict_get_or
Dict.has = raw.dict_has
Dict.set = raw.dict_set
Dict.setdefault = raw.dict_setdefault
Dict.compare_set = raw.dict_compare_set
Dict.delete = raw.dict_delete
Dict.pop = raw.dict_pop
Dict.clear = raw.dict_clear

-- The old value, and whether there was one.
function Dict.swap(dict, key, value)
    local was, old, code = raw.dict_swap(dict, key, value)
    if code then
        return was, old, code
    end
    return old, was
end

-- key, value: what came in last, or with "first", first.
function Dict.pop_item(dict, which)
    return raw.dict_pop_item(dict, which == "first")
end

function Dict.update(dict, from)
    if type(from) == "table" then
        return raw.dict_set_all(dict, split(from))
    end
    return raw.dict_update(dict, from)
end

local function part(which)
    return function(mapping)
        return raw.iterate_part(mapping, which)
    end
end

Dict.keys, Dict.values, Dict.items = part(raw.KEYS), part(raw.VALUES), part(raw.ITEMS)

---- Sets ----

local Set = methods_of(SET)

function ouro.set(from)
    if from == nil then
        return raw.set_new()
    elseif type(from) == "table" then
        return raw.set_from(from)
    end
    local set = raw.set_new()
    local ok, message, code = raw.set_update(set, from)
    if not ok then
        return nil, message, code
    end
    return set
end

Set.has = raw.set_has
Set.add = raw.set_add
Set.discard = raw.set_discard
Set.remove = raw.set_remove
Set.pop = raw.set_pop
Set.clear = raw.set_clear
Set.union = raw.set_union
Set.intersection = raw.set_intersection
Set.difference = raw.set_difference
Set.symmetric_difference = raw.set_symmetric_difference
Set.is_subset = raw.set_is_subset
Set.is_disjoint = raw.set_is_disjoint

function Set.update(set, from)
    if type(from) == "table" then
        return raw.set_add_all(set, from)
    end
    return raw.set_update(set, from)
end

local set_metatable = raw.metatable(SET)
set_metatable.__add, set_metatable.__mul, set_metatable.__sub = raw.set_union, raw.set_intersection, raw.set_difference
if math.type then -- 5.3: the operators exist
    set_metatable.__bor, set_metatable.__band, set_metatable.__bxor = raw.set_union, raw.set_intersection, raw.set_symmetric_difference
end

---- Records ----

local Record = methods_of(RECORD)

-- ouro.record("point", { x = 1, y = 2 }): the fields are ordered by their names. ouro.record("point", { { "x", 1 }, { "y", 2 } }): in this
-- order. Two records are of one shape if they have one name and the same fields in the same order.
function ouro.record(name, fields)
    local keys, values, n = {}, {}, 0
    if type(fields or {}) ~= "table" then
        bad(2, "record", "a table", fields)
    end
    if fields and fields[1] ~= nil then
        for i, field in ipairs(fields) do
            if type(field) ~= "table" then
                error(("bad argument #2 to 'record' (element %d must be { name, value })"):format(i), 2)
            end
            keys[i], values[i], n = field[1], field[2], i
        end
    else
        for field in next, fields or {} do
            if type(field) ~= "string" then
                error("bad argument #2 to 'record' (names of fields must be strings)", 2)
            end
            n = n + 1
            keys[n] = field
        end
        sort(keys)
        for i, field in ipairs(keys) do
            values[i] = fields[field]
        end
    end
    return raw.record_from(name, from_pairs(keys, values, n))
end

Record.get = raw.record_get
Record.set = raw.record_set
Record.swap = raw.record_swap
Record.compare_set = raw.record_compare_set

-- The names of the fields, as a table.
local function fields(record)
    local shape, names = raw.record_shape(record), {}
    for i = 1, raw.shape_length(shape) do
        names[i] = raw.shape_field(shape, i - 1)
    end
    return names
end

local function next_field(state)
    local at = state.at + 1
    local name = state.names[at]
    if name ~= nil then
        state.at = at
        return name, raw.record_get_at(state.record, at - 1)
    end
end

Record.fields = fields
raw.metatable(RECORD).__pairs = function(record)
    return next_field, { names = fields(record), record = record, at = 0 }
end

---- Iterators ----

local Iterator = methods_of(ITERATOR)

-- Over the elements of anything: for x in ouro.iter(list) do. nil among them ends a for loop; it:next() tells it from the end.
ouro.iter = raw.iterate
ouro.reversed = raw.iterate_reversed
Iterator.next = raw.iterator_next

-- The integers from i to j, as in a numeric for.
function ouro.range(i, j, step)
    step = step or 1
    return raw.iterate_range(i, step > 0 and j + 1 or j - 1, step)
end

for _, kind in ipairs { LIST, TUPLE } do
    methods_of(kind).iter, methods_of(kind).reversed = raw.iterate, raw.iterate_reversed
end
for _, kind in ipairs { DICT, SET, RECORD, WEAK_MAP, WEAK_SET } do
    methods_of(kind).iter = raw.iterate
end

-- For Lua 5.1, whose pairs and # know nothing of userdata's metamethods: ouro.pairs(x), ouro.ipairs(x), and x:len(), x:pairs().
local function pairs_of(x)
    return raw.metatable(kind_of(x)).__pairs(x)
end

ouro.pairs = pairs_of
function ouro.ipairs(x)
    return function(sequence, i)
        local item = sequence[i + 1]
        if item ~= nil then
            return i + 1, item
        end
    end, x, 0
end
for _, kind in ipairs { LIST, TUPLE, DICT, SET, RECORD, WEAK_MAP, WEAK_SET } do
    methods_of(kind).pairs, methods_of(kind).len = pairs_of, raw.length
end
for _, kind in ipairs { LIST, TUPLE, DICT, SET, RECORD } do
    methods_of(kind).copy, methods_of(kind).deepcopy = raw.copy, raw.copy_deep
end

---- Weak references, maps and sets ----

local weak = {}
ouro.weak = weak

-- w = ouro.weak.ref(x [, fn]): w() and w:get() are x, or nil once it is dead. fn(w) is called after that, if w is still there, when this state next
-- calls the library.
weak.ref = raw.weak_ref

local Weak = methods_of(WEAK)
Weak.get = raw.weak_ref_get
raw.metatable(WEAK).__call = function(reference)
    return (raw.weak_ref_get(reference))
end

-- ouro.weak.map{ mode = "k" }: as a table's __mode: weak keys, values, or both.
function weak.map(options)
    local mode = options and options.mode or "k"
    if type(mode) ~= "string" or not mode:find("^[kv]+$") then
        error("bad argument #1 to 'map' (mode must be \"k\", \"v\" or \"kv\")", 2)
    end
    return raw.weak_map_new((mode:find("k", 1, true) and raw.WEAK_KEYS or 0) + (mode:find("v", 1, true) and raw.WEAK_VALUES or 0))
end

local WeakMap, WeakSet = methods_of(WEAK_MAP), methods_of(WEAK_SET)
WeakMap.get, WeakMap.set, WeakMap.has = raw.weak_map_get, raw.weak_map_set, raw.weak_map_has
WeakMap.delete, WeakMap.pop, WeakMap.clear = raw.weak_map_delete, raw.weak_map_pop, raw.weak_map_clear
WeakMap.setdefault = raw.weak_map_setdefault
WeakMap.keys, WeakMap.values, WeakMap.items = Dict.keys, Dict.values, Dict.items

function weak.set(from)
    local set = raw.weak_set_new()
    for _, item in ipairs(from or {}) do
        raw.weak_set_add(set, item)
    end
    return set
end
WeakSet.has, WeakSet.add, WeakSet.discard, WeakSet.clear = raw.weak_set_has, raw.weak_set_add, raw.weak_set_discard, raw.weak_set_clear

-- ouro.weak.finalize(x, fn, ...): fn(...) is called once x has died. The result's detach() calls it off.
local finalizers = {}
function weak.finalize(x, fn, ...)
    if type(fn) ~= "function" then
        bad(2, "finalize", "a function", fn)
    end
    local arguments, handle = pack(...), {}
    local reference = weak.ref(x, function()
        finalizers[handle] = nil
        fn((table.unpack or unpack)(arguments, 1, arguments.n))
    end)
    finalizers[handle] = reference
    function handle.detach()
        local was = finalizers[handle] ~= nil
        finalizers[handle] = nil
        if was then
            reference:close()
        end
        return was
    end
    function handle.alive()
        return finalizers[handle] ~= nil
    end
    return handle
end

---- The collector ----

local gc = {}
ouro.gc = gc
for _, name in ipairs { "STATS", "COLLECTABLE", "UNCOLLECTABLE", "SAVEALL", "LEAK" } do
    gc["DEBUG_" .. name] = raw["GC_DEBUG_" .. name]
end

-- Collects cycles, and before that what Lua itself no longer needs. Returns how many unreachable objects were found. generation: 0 (this
-- thread's), 1 (recently shared), 2 (all, the default).
function gc.collect(generation)
    collectgarbage()
    raw.forget()
    local found = raw.gc_collect(generation or 2)
    raw.forget() -- functions that waited for a death are called now
    if found >= 0 then
        return found
    elseif found == raw.E_INVALID then
        error("bad argument #1 to 'collect' (a generation is expected: 0, 1 or 2)", 2)
    end
    return nil, "the collection failed", found
end

gc.collect_async = function(generation)
    return raw.gc_collect_async(generation or 2)
end
gc.count = raw.gc_get_count
gc.stop, gc.restart, gc.isrunning = raw.gc_disable, raw.gc_enable, raw.gc_is_enabled
gc.disable, gc.enable, gc.isenabled = raw.gc_disable, raw.gc_enable, raw.gc_is_enabled
gc.stats = raw.gc_stats
gc.freeze, gc.unfreeze, gc.freezecount = raw.gc_freeze, raw.gc_unfreeze, raw.gc_get_freeze_count
gc.referents, gc.referrers = raw.gc_referents, raw.gc_referrers
gc.istracked, gc.isfinalized = raw.value_is_tracked, raw.value_is_finalized
gc.garbage, gc.cleargarbage = raw.gc_garbage, raw.gc_clear_garbage

-- The three thresholds; with arguments, sets them. 0 is "choose by yourself".
function gc.threshold(a, b, c)
    local now = pack(raw.gc_get_threshold())
    if a ~= nil then
        local ok, message, code = raw.gc_set_threshold { a, b or now[2], c or now[3] }
        if not ok then
            return nil, message, code
        end
    end
    return now[1], now[2], now[3]
end

-- The debugging flags; with an argument, sets them.
function gc.debug(flags)
    local now = raw.gc_get_debug()
    if flags ~= nil then
        raw.gc_set_debug(flags)
    end
    return now
end

-- for x in ouro.gc.objects([generation]) do
function gc.objects(generation)
    local objects, i = raw.gc_objects(generation), 0
    return function()
        i = i + 1
        return objects[i]
    end
end

-- Turns automatic collection off until the result is closed: local pause <close> = ouro.gc.pause().
function gc.pause()
    local was = gc.isrunning()
    gc.stop()
    local function resume()
        if was then
            was = false
            gc.restart()
        end
    end
    return setmetatable({ resume = resume }, { __close = resume })
end

---- Memory ----

local mem = {}
ouro.mem = mem
mem.stats, mem.trim, mem.refcount, mem.held = raw.mem_stats, raw.mem_trim, raw.value_refcount, raw.held

-- Soft and hard limit in bytes, 0 for none; with arguments, sets them.
function mem.limit(soft, hard)
    local now = raw.mem_stats()
    if soft ~= nil or hard ~= nil then
        local ok, message, code = raw.mem_set_limit(soft or now.soft_limit, hard or now.hard_limit)
        if not ok then
            return nil, message, code
        end
    end
    return now.soft_limit, now.hard_limit
end

---- Lua's own data ----

-- A table and all tables in it as lists (those with elements from 1 on, and nothing else) and dicts; what is shared or cyclic stays so.
function ouro.convert(value)
    local made = {}
    local waiting = {}
    local function of(x)
        if type(x) ~= "table" then
            return x
        end
        if made[x] == nil then
            local n, keys = #x, 0
            for _ in next, x do
                keys = keys + 1
            end
            made[x] = keys == n and raw.list_new() or raw.dict_new()
            insert(waiting, x)
        end
        return made[x]
    end
    local result = of(value)
    while #waiting > 0 do
        local x = table.remove(waiting)
        local to = made[x]
        if kind_of(to) == LIST then
            for i = 1, #x do
                assert(to:append(of(x[i])))
            end
        else
            for key, item in next, x do
                assert(raw.dict_set(to, of(key), of(item)))
            end
        end
    end
    return result
end

-- The other way: lists, tuples and sets become tables with elements from 1 on, dicts and records tables with keys.
function ouro.totable(value)
    local made = {}
    local waiting = {}
    local function of(x)
        if type(x) ~= "userdata" or not raw.metatable(kind_of(x)).__pairs then
            return x
        end
        if made[x] == nil then
            made[x] = {}
            insert(waiting, x)
        end
        return made[x]
    end
    local result = of(value)
    while #waiting > 0 do
        local x = table.remove(waiting)
        local to, kind = made[x], kind_of(x)
        for key, item in pairs_of(x) do
            if kind == SET or kind == WEAK_SET then
                to[#to + 1] = of(key)
            else
                to[of(key)] = of(item)
            end
        end
    end
    return result
end

return ouro
