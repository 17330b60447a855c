-- SPDX-License-Identifier: MIT
--
-- Pools: where objects live, and what becomes of their memory. What stands behind an arrow is what the line prints.
local ouro = require "ouro"
local mem = ouro.mem

-- Blocks are of a few sizes; each pool has blocks of one size, on pages of its own.
local function blocks()
    local live = {}
    for _, class in ipairs(mem.stats().classes) do live[class.block_size] = class.live_objects end
    return live
end

mem.trim()
local start, before = mem.stats(), blocks()
local keep = {}
for i = 1, 10000 do keep[i] = ouro.list() end

local size
for block_size, live in pairs(blocks()) do
    if live - (before[block_size] or 0) >= 10000 then size = block_size end
end
print("10000 lists are in one pool", size ~= nil)                   --> 10000 lists are in one pool	true
local full = mem.stats()
print("objects", full.live_objects - start.live_objects)            --> objects	10000
print("bytes", full.live_bytes - start.live_bytes == 10000 * size)  --> bytes	true

-- What dies leaves free blocks; the pages stay, and the next objects get them.
for i = 1, 10000 do keep[i]:close() end
local empty = mem.stats()
print("objects", empty.live_objects - start.live_objects)           --> objects	0
repeat until mem.stats().limbo_bytes == 0                           -- until no reader can have the dead in hand: some milliseconds
print("pages are kept", empty.committed_bytes >= 10000 * size)      --> pages are kept	true
for i = 1, 10000 do keep[i] = ouro.list() end
print("and used again", mem.stats().committed_bytes < full.committed_bytes * 2) --> and used again	true

-- Trimming gives free pages back to the system.
for i = 1, 10000 do keep[i]:close() end
print("given back", mem.trim() > 0)                                 --> given back	true
print("committed", mem.stats().committed_bytes < full.committed_bytes) --> committed	true

-- A limit: what would go beyond it fails, and the program goes on.
mem.limit(0, mem.stats().committed_bytes + 1000000)
local many = ouro.list()
local ok, message
repeat ok, message = many:append(ouro.list()) until not ok
print(ok, message)                                                  --> nil	out of memory, or the hard limit is reached
mem.limit(0, 0)
print(many:append(1))                                               --> true
