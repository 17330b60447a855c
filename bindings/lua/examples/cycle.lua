-- SPDX-License-Identifier: MIT
--
-- A cycle, and how it is collected. What stands behind an arrow is what the line prints.
local ouro = require "ouro"
ouro.gc.stop() -- so that nothing happens by itself meanwhile

local parent = ouro.record("node", { name = "parent", children = ouro.list() })
local child = ouro.record("node", { name = "child", parent = parent })
parent.children:append(child) -- parent -> children -> child -> parent
print(parent.children[1].parent.name)                              --> parent

local w = ouro.weak.ref(parent)
local told = {}
local v = ouro.weak.ref(child, function() told[1] = "the child died" end)

print("held here and by the child", ouro.mem.refcount(parent))     --> held here and by the child	2
ouro.close(parent)
ouro.close(child)
collectgarbage() -- the handle of parent.children, which the loop above has made
print("nobody has them, but they have each other", w() ~= nil)     --> nobody has them, but they have each other	true

print("unreachable objects found", ouro.gc.collect())              --> unreachable objects found	3
print("gone", w())                                                 --> gone	nil
print(told[1])                                                     --> the child died
print("found by the next collection", ouro.gc.collect())           --> found by the next collection	0
v:close()
