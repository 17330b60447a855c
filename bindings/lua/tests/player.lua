-- SPDX-License-Identifier: MIT
--
-- Plays the common scenarios (tests/scenarios/README.md) on ouro's Lua interface.
--
--     lua player.lua FILE ...             OURO_TEST_ONLY=text: only scenarios whose names contain the text

local ouro = require "ouro"

if not math.type then
    print "Not played: the scenarios tell integers from floats, which this Lua does not"
    os.exit(0)
end

local OMITTED = {}
local unpack = table.unpack or unpack
local pack = table.pack or function(...) return { n = select("#", ...), ... } end

---- Words ----

local function escaped(text)
    return (text:gsub("\\(.)(%x?%x?)", function(c, hex)
        if c == "x" then
            return string.char(tonumber(hex, 16))
        end
        return ((c == "n" and "\n") or (c == "t" and "\t") or c) .. hex
    end))
end

-- The next word of a line and where the rest begins.
local function word_at(line, at)
    at = line:find("[^ ]", at)
    if not at then
        return nil
    end
    local stop = line:match('^b?"()', at)
    if stop then
        repeat
            local escape
            escape, stop = line:match('^[^"\\]*(\\?)()', stop)
            stop = stop + 1
        until escape == ""
        return line:sub(at, stop - 1), stop
    end
    return line:match("^([^ ]+)()", at)
end

local literals = { ["nil"] = pack(nil), ["true"] = pack(true), ["false"] = pack(false), inf = pack(math.huge), ["-inf"] = pack(-math.huge),
    nan = pack(0 / 0), _ = pack(OMITTED) }

local function value_of(word, variables)
    local literal = literals[word] or variables[word]
    if literal then
        return literal[1]
    elseif word:sub(1, 1) == '"' then
        return escaped(word:sub(2, -2))
    elseif word:sub(1, 2) == 'b"' then
        return ouro.bytes(escaped(word:sub(3, -2)))
    end
    return tonumber(word) or error("no such word: " .. word, 0)
end

---- Operations ----

-- An index from 0 on as Lua's.
local function index(i)
    return type(i) == "number" and i >= 0 and i + 1 or i
end

-- start, stop, step as Lua's i, j, step.
local function range(start, stop, step)
    step = step ~= OMITTED and step or 1
    if start == OMITTED then
        start = nil
    else
        start = index(start)
    end
    if stop == OMITTED then
        stop = nil
    elseif step > 0 then
        stop = stop < 0 and stop - 1 or stop
    else
        stop = stop < 0 and stop + 1 or stop + 2
    end
    return start, stop, step
end

-- A method of a container; anything else has none.
local function method(name)
    return function(container, ...)
        if type(container) ~= "userdata" then
            error("no method", 0)
        end
        return container[name](container, ...)
    end
end

local function is_sequence(x)
    local kind = ouro.kind(x)
    return kind == "list" or kind == "tuple"
end

-- A method whose second argument is an index, if the first is a list or tuple.
local function at_index(name)
    local call = method(name)
    return function(container, key, ...)
        return call(container, is_sequence(container) and index(key) or key, ...)
    end
end

local function from_zero(call)
    return function(...)
        local at, message, code = call(...)
        return at and at - 1, message, code
    end
end

local function pair_of(...)
    local key, value, code = ...
    if code then
        return key, value, code
    end
    return ouro.tuple { n = 2, key, value }
end

local log = {}
local op = {}

function op.list(...) return ouro.list(pack(...)) end
function op.tuple(...) return ouro.tuple(pack(...)) end
function op.set(...) return ouro.set(pack(...)) end
op.dict = ouro.dict_of
function op.record(name, ...)
    local given, fields = pack(...), {}
    for i = 1, given.n, 2 do
        fields[#fields + 1] = { given[i], given[i + 1] }
    end
    return ouro.record(name, fields)
end
function op.host(name) return setmetatable({}, { __name = name }) end
op.weak = ouro.weak.ref
function op.watch(x, text)
    return ouro.weak.ref(x, function() log[#log + 1] = text end)
end
function op.weak_map(mode) return ouro.weak.map { mode = mode } end
op.weak_set = ouro.weak.set

function op.value(x) return x end
op.kind, op.length, op.truth, op.repr = ouro.kind, ouro.len, ouro.truth, ouro.repr
function op.same(a, b) return rawequal(a, b) end
op.equal, op.key_equal, op.compare = ouro.equal, ouro.key_equal, ouro.compare
function op.same_hash(a, b) return ouro.hash(a) == ouro.hash(b) end
op.copy, op.deep_copy, op.intern = ouro.copy, ouro.deepcopy, ouro.intern

op.get, op.put, op.delete = at_index "get", at_index "set", at_index "delete"
op.has, op.clear, op.append, op.extend, op.remove = method "has", method "clear", method "append", method "extend", method "remove"
function op.pop(c, ...)
    return (select("#", ...) == 0 and method "pop" or at_index "pop")(c, ...)
end
op.insert = at_index "insert"
op.index, op.count = from_zero(method "index"), method "count"
op.concat, op["repeat"], op.reverse, op.sort = method "concat", method "rep", method "reverse", method "sort"
function op.sort_down(l) return method "sort"(l, "descending") end
function op.slice(c, ...) return method "slice"(c, range(...)) end
function op.delete_slice(l, ...) return method "delete_slice"(l, range(...)) end
function op.put_slice(l, start, stop, step, ...)
    local i, j
    i, j, step = range(start, stop, step)
    return method "set_slice"(l, i, j, pack(...), step)
end
op.get_or, op.setdefault, op.update = method "get_or", method "setdefault", method "update"
function op.pop_first(d) return pair_of(method "pop_item"(d, "first")) end
function op.pop_last(d) return pair_of(method "pop_item"(d)) end
op.add, op.discard = method "add", method "discard"
op.union, op.intersection, op.difference = method "union", method "intersection", method "difference"
op.symmetric_difference, op.subset, op.disjoint = method "symmetric_difference", method "is_subset", method "is_disjoint"
op.iter, op.reversed = ouro.iter, ouro.reversed
function op.range(start, stop, step)
    if step == 0 or type(step) ~= "number" then
        return ouro.range(start, stop, step)
    end
    return ouro.range(start, stop - (step > 0 and 1 or -1), step)
end
op.keys, op.values, op.items, op.next = method "keys", method "values", method "items", method "next"
op.deref = method "get"

op.collect = ouro.gc.collect
local function wait_until(done)
    local deadline = os.time() + 60
    repeat
        if done() then return true end
    until os.time() > deadline
    return false
end
function op.gc(on)
    if on then
        ouro.gc.restart()
        return
    end
    ouro.gc.stop()
    -- What the collector's own thread is at comes to its end: from then on it is the scenario's collections that find what there is.
    local function asked() return ouro.gc.stats()[1].reasons.asked end
    local before = asked()
    ouro.gc.collect_async(1)
    assert(wait_until(function() return asked() > before end), "the collector's thread does not collect")
end
op.gc_enabled = ouro.gc.isrunning
function op.threshold() return ouro.tuple { ouro.gc.threshold() } end
op.set_threshold, op.freeze, op.unfreeze = ouro.gc.threshold, ouro.gc.freeze, ouro.gc.unfreeze
function op.limit(bytes) return ouro.mem.limit(0, bytes) end
function op.log()
    ouro.mem.held() -- functions that waited for a death are called when the library is
    local texts = ouro.tuple(log)
    log = {}
    return texts
end
op.held = ouro.mem.held

ouro.import(ouro.export(1)) -- what holds exported values stays

-- What a thread's state wants of this file.
if ... == "operations" then
    return op
end

-- The operation on another thread, in a state of its own: values go there and come back by tokens. As pcall.
local function run_on_thread(name, ...)
    local threads, tokens = require "threads", pack(...)
    for i = 1, tokens.n do
        tokens[i] = ouro.export(tokens[i])
    end
    local ok, done, token, message, code = threads.start([[
        local ouro, file, name = require "ouro", ...
        local op, args = loadfile(file)("operations"), table.pack(select(3, ...))
        for i = 1, args.n do
            args[i] = ouro.import(args[i])
        end
        local ok, value, message, code = pcall(op[name], table.unpack(args, 1, args.n))
        if not ok then
            return ok, value
        end
        return ok, ouro.export(value), message, code
    ]], arg[0], name, unpack(tokens, 1, tokens.n)):join()
    if not ok or not done then
        return false, ok and token or done
    end
    return true, ouro.import(token), message, code
end

-- Before these, what Lua no longer needs is let go.
local prompt = { deref = true, log = true, held = true, length = true, collect = true }

---- Steps ----

local words = {}
for _, name in ipairs { "INDEX", "KEY", "TYPE", "CHANGED", "END", "INVALID", "ENCODING", "NOMEM", "USAGE", "HOST" } do
    words[ouro["E_" .. name]] = name:lower()
end

-- nil and a message with a code, or a raised error, as the word of a scenario; nil: no error.
local function error_word(results)
    if not results[1] then
        local message = tostring(results[2])
        return (message:find("out of range)", 1, true) or message:find("a generation is expected", 1, true)) and "invalid" or "type", message
    elseif results[2] == nil and type(results[4]) == "number" then
        return words[results[4]] or "?", results[3]
    end
end

local function read_step(line)
    local step = { times = 1, args = {} }
    local word, at = word_at(line, 1)
    local function next_word()
        word, at = word_at(line, at)
        return word
    end
    if word == "error" then
        step.error = next_word():sub(1, -2)
        next_word()
    end
    if word == "thread:" then
        step.on_thread = true
        next_word()
    end
    if word == "times" then
        step.times = tonumber(next_word():sub(1, -2))
        next_word()
    end
    step.name = word
    while next_word() and word ~= "->" and word ~= "=>" do
        step.args[#step.args + 1] = word
    end
    if word == "->" then
        step.to = next_word()
    elseif word then
        step.text = line:sub(at):match("^ *(.*)$")
    end
    return step
end

local function play_step(step, variables)
    local n = #step.args
    if step.name == "drop" then
        for i = 1, n do
            variables[step.args[i]] = nil
        end
        collectgarbage()
        return
    end
    local run = op[step.name] or error("no such operation: " .. step.name, 0)
    local word, message
    for _ = 1, step.times do
        if prompt[step.name] then
            collectgarbage()
        end
        local args = {}
        for i = 1, n do
            args[i] = value_of(step.args[i], variables)
        end
        local results
        if step.on_thread then
            results = pack(run_on_thread(step.name, unpack(args, 1, n)))
        else
            results = pack(pcall(run, unpack(args, 1, n)))
        end
        word, message = error_word(results)
        if word then
            break
        elseif step.to then
            variables[step.to] = pack(results[2])
        elseif step.text then
            local shown = ouro.repr(results[2])
            if shown ~= step.text then
                error(("expected %s, got %s"):format(step.text, shown), 0)
            end
        end
    end
    if word ~= step.error then
        error(("expected %s, got %s (%s)"):format(step.error or "no error", word or "none", message), 0)
    end
end

---- Scenarios ----

local passed, failed = 0, 0

local function live()
    collectgarbage()
    collectgarbage()
    ouro.gc.collect(2)
    local count, again
    repeat -- memory of dead ones may change hands meanwhile
        again = count
        ouro.mem.trim()
        count = ouro.mem.stats().live_objects
    until count == again
    return count
end

local function clean_up()
    ouro.gc.restart()
    ouro.gc.unfreeze()
    ouro.gc.threshold(0, 0, 0)
    ouro.mem.limit(0, 0)
    log = {}
end

local function play(name, steps, file)
    local before, variables, ok, why, at = live(), {}, true, nil, nil
    for _, step in ipairs(steps) do
        at = step.line
        ok, why = pcall(play_step, step, variables)
        if not ok then
            break
        end
    end
    variables = nil
    clean_up()
    local after
    local settled = wait_until(function()
        after = live()
        return not ok or after == before and ouro.mem.held() == 0
    end)
    if not settled then
        ok, why = false, ("%d objects are left, and %d of Lua's"):format(after - before, ouro.mem.held())
    end
    passed, failed = passed + (ok and 1 or 0), failed + (ok and 0 or 1)
    if not ok then
        print(("FAILED %s:%d: %s: %s"):format(file, at, name, why))
    end
end

local function play_file(file)
    local only, number, scenarios = os.getenv "OURO_TEST_ONLY", 0, {}
    for line in io.lines(file) do
        number = number + 1
        line = line:match "^ *(.-)$"
        if line:match "^== " then
            scenarios[#scenarios + 1] = { name = line:sub(4) }
        elseif line ~= "" and line:sub(1, 1) ~= "#" then
            local step = read_step(line)
            step.line = number
            table.insert(scenarios[#scenarios], step)
        end
    end
    for _, steps in ipairs(scenarios) do
        if not only or steps.name:find(only, 1, true) then
            play(steps.name, steps, file)
        end
    end
end

for _, file in ipairs(arg) do
    play_file(file)
end
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0 and passed > 0, true)
