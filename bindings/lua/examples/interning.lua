-- SPDX-License-Identifier: MIT
--
-- Interning: one string for one text. What stands behind an arrow is what the line prints.
local ouro = require "ouro"

local function objects() return ouro.mem.stats().live_objects end

local text = ("a text of some length, "):rep(10)
local rows, before = ouro.list(), objects()

for _ = 1, 1000 do rows:append(text) end -- converted each time
print("objects for 1000 rows", objects() - before >= 1000)    --> objects for 1000 rows	true
rows:clear()

local interned = ouro.intern(text)
before = objects()
for _ = 1, 1000 do rows:append(interned) end -- the same object each time
print("objects for 1000 rows", objects() - before < 10)       --> objects for 1000 rows	true
print("held", ouro.mem.refcount(interned))                    --> held	1001

-- Whoever asks for the text gets the one string; Lua sees an ordinary one in the rows.
print(ouro.same(interned, ouro.intern(text)))                 --> true
print(rows[1] == text, type(rows[1]))                         --> true	string

-- Names of fields are interned by themselves: records of one shape share it.
local p, q = ouro.record("point", { x = 1, y = 2 }), ouro.record("point", { x = 3, y = 4 })
print(ouro.mem.refcount(ouro.intern "x") > 1)                 --> true
print(p, q)                                                   --> point(x=1, y=2)	point(x=3, y=4)

-- It dies with the last reference.
rows:clear()
print("held", ouro.mem.refcount(interned))                    --> held	1
local w = ouro.weak.ref(interned)
interned:close()
print(w())                                                    --> nil
