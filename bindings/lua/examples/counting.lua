-- SPDX-License-Identifier: MIT
--
-- Reference counting, step by step. What stands behind an arrow is what the line prints.
local ouro = require "ouro"
local count = ouro.mem.refcount

local a = ouro.list { "a" }
print("made, held by this variable's handle", count(a))      --> made, held by this variable's handle	1

local b = ouro.list { a }
print("b holds it, too", count(a))                           --> b holds it, too	2
b:append(a)
print("b holds it twice", count(a))                          --> b holds it twice	3

local again = b[1]
print("one object, one handle", rawequal(again, a), count(a)) --> one object, one handle	true	3

local w = ouro.weak.ref(a)
print("a weak reference does not count", count(a))           --> a weak reference does not count	3

b:pop()
print("out of b once", count(a))                             --> out of b once	2
b:close()
print("b is dead, and has let go", count(a))                 --> b is dead, and has let go	1
print("the weak reference finds it", w())                    --> the weak reference finds it	["a"]
a:close()
print("the last reference is gone, and so is the list", w()) --> the last reference is gone, and so is the list	nil
