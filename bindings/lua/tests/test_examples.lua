-- SPDX-License-Identifier: MIT
--
-- The examples, and the one of the README, run as programs of their own and print what stands behind their arrows. For luaunit.
--
--     lua test_examples.lua [DIRECTORY]        of the binding; the current one

local lu = require "luaunit"

if _VERSION < "Lua 5.4" then
    print "Not run: the examples are written for Lua 5.4"
    os.exit(0)
end

local here = table.remove(arg, 1) or "."
local lua = arg[-1]

TestExamples = {}

local function read(path)
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    return text
end

local function expected(text)
    local lines = {}
    for line in text:gmatch "[^\n]+" do
        lines[#lines + 1] = line:match "%-%-> (.*)$"
    end
    return lines
end

local function run(path)
    local lines, pipe = {}, assert(io.popen(lua .. " " .. path .. " 2>&1; echo $?"))
    for line in pipe:lines() do
        lines[#lines + 1] = line
    end
    pipe:close()
    return lines
end

local function prints(path, lines)
    lu.assertTrue(#lines > 3)
    lines[#lines + 1] = "0" -- the exit status
    lu.assertEquals(run(path), lines)
end

for _, name in ipairs { "counting", "cycle", "generations", "interning", "pools", "generator", "leak" } do
    local path = here .. "/examples/" .. name .. ".lua"
    TestExamples["test_" .. name] = function()
        prints(path, expected(read(path)))
    end
end

function TestExamples.test_readme()
    local program = read(here .. "/README.md"):match "## Ten lines\n\n(.-)\n\n## "
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    file:write((program:gsub("    ([^\n]*)", "%1")))
    file:close()
    -- between words in a README, spaces stand for tabs; the loop prints two lines
    local lines = run(path)
    for i, line in ipairs(lines) do
        lines[i] = line:gsub("\t", "   ")
    end
    os.remove(path)
    local wanted = expected(program)
    wanted[#wanted + 1] = "0"
    lu.assertEquals(lines, wanted)
end

os.exit(lu.LuaUnit.run(), true)
