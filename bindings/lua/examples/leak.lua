-- SPDX-License-Identifier: MIT
--
-- Finding a leak: what grows, who holds it, and why. What stands behind an arrow is what the line prints.
local ouro = require "ouro"

-- A server with a mistake: it forgets who listens only if somebody says goodbye.
local server = ouro.record("server", { sessions = ouro.dict(), listeners = ouro.list() })

local function visit(id, polite)
    local session = ouro.record("session", { id = id, data = ouro.list() })
    session.data:append(session) -- a cycle, which is no leak
    server.sessions[id] = session
    server.listeners:append(session)
    if polite then server.listeners:remove(session) end
    server.sessions[id] = nil
end

-- How many objects of each type there are, once all garbage is gone.
local function census()
    ouro.gc.collect()
    local count = {}
    for object in ouro.gc.objects() do
        local name = ouro.type_name(object)
        count[name] = (count[name] or 0) + 1
    end
    return count
end

-- 1. What grows?
local before = census()
for id = 1, 100 do visit(id, id % 2 == 0) end
local after = census()
print("sessions left", after.session - (before.session or 0))  --> sessions left	50

-- 2. Who holds one of them?
local suspect
for object in ouro.gc.objects() do
    if ouro.type_name(object) == "session" then suspect = object break end
end
local function holders(object)
    local names = {}
    for _, holder in ipairs(ouro.gc.referrers(object)) do
        -- its own data, which leads back to it, is no reason
        if not rawequal(holder, suspect.data) then names[#names + 1] = ouro.kind(holder) .. " of " .. #holder end
    end
    return table.concat(names, ", ")
end
print("held by", holders(suspect))                             --> held by	list of 50
print("held by the dict of sessions", server.sessions:has(suspect.id)) --> held by the dict of sessions	false

-- 3. And who holds that list? The one field of the server that should have been empty.
local list
for _, holder in ipairs(ouro.gc.referrers(suspect)) do
    if not rawequal(holder, suspect.data) then list = holder end
end
for field, value in ouro.pairs(server) do
    if rawequal(value, list) then print("it is the server's", field) end --> it is the server's	listeners
end

-- 4. Mended: they go.
local w = ouro.weak.ref(suspect)
server.listeners:clear()
suspect, list = nil, nil
print("sessions left", census().session or 0)                  --> sessions left	0
print(w())                                                     --> nil
