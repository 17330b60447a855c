-- SPDX-License-Identifier: MIT
--
-- What Lua does in host.c. Each function takes a token or a number, and gives one.
local ouro = require "ouro"

-- A person, who knows nobody yet.
function begin()
    return ouro.export(ouro.record("person", { name = "Ann", knows = ouro.list(), language = "Lua", extra = false }))
end

-- Follows the graph that the others have made, and puts a table of Lua's into it. How many people there are.
function follow(token)
    local ann = ouro.import(token)
    local people, person = 0, ann
    repeat
        people = people + 1
        person = person.knows[1]
    until person == nil or rawequal(person, ann)
    assert(rawequal(person, ann), "it is a ring")
    ann.extra = { "a table" }
    assert(ann.extra[1] == "a table")
    return people
end

-- How many of Lua's objects are in the heap.
function held()
    collectgarbage()
    return ouro.mem.held()
end

function collect()
    return ouro.gc.collect()
end

-- One of several threads, each with a number of its own: adds numbers to a set that all share, and puts rings in the place of rings that this or
-- another language has made. Those are garbage then: each holds itself, and a thing of its language.
function work(token, me)
    local shared = ouro.import(token)
    local done, rings, steps = shared.done, shared.rings, shared.steps
    for i = 1, steps do
        assert(done:add(me * steps + i))
        local ring = ouro.list { rings, {} }
        ring:append(ring)
        local place = i % #rings + 1
        assert(#rings[place] == 3)
        rings[place] = ring
    end
    return steps
end
