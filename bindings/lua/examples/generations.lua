-- SPDX-License-Identifier: MIT
--
-- Generations and thresholds. What stands behind an arrow is what the line prints.
local ouro = require "ouro"
local gc = ouro.gc

local function ring()
    local a, b = ouro.list(), ouro.list()
    a:append(b)
    b:append(a)
    return a, b
end

local function rings(n)
    for _ = 1, n do
        local a, b = ring()
        a:close()
        b:close()
    end
end

-- Generation 0 is what one thread has for itself. What Lua can see is shared from the beginning: generation 1 is what was shared
-- lately, generation 2 is all.
gc.stop()
rings(100)
print("generation 0", gc.collect(0))                    --> generation 0	0
print("generation 1", gc.collect(1))                    --> generation 1	200

-- A ring that was in use when generation 1 was collected is old. It is found by 2 at the latest: 1 looks only where something is new.
local a, b = ring()
gc.collect(1)
a:close()
b:close()
print("old ones", gc.collect(1) + gc.collect(2))        --> old ones	2

-- How many collections of 0 since the last of 1 or 2, of 1 since the last of 2.
gc.collect(1)
print(select(2, gc.count()))                            --> 0	1

-- Thresholds are numbers of collections and of objects. 0, the default: as memory grows.
print(gc.threshold())                                   --> 0	0	0
gc.threshold(700, 10, 10)
print(gc.threshold())                                   --> 700	10	10
gc.threshold(0, 0, 0)

-- By themselves: garbage is collected beside the program, so what lies about does not grow with what has been made.
gc.restart()
local before = gc.stats()
local made, most = 0, 0
repeat
    rings(1000)
    made = made + 2000
    most = math.max(most, ouro.mem.stats().live_objects)
    local now = gc.stats()
    local by_growth = now[1].reasons.growth + now[2].reasons.growth - before[1].reasons.growth - before[2].reasons.growth
until by_growth >= 5 and (made > most or made > 10000000) -- where others want the processor, garbage may lie about for a while
print("five collections nobody asked for")              --> five collections nobody asked for
print("more made than ever lay about", made > most)     --> more made than ever lay about	true

do
    local pause <close> = gc.pause()
    print("running", gc.isrunning())                    --> running	false
end
print("running", gc.isrunning())                        --> running	true
