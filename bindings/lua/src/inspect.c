/* SPDX-License-Identifier: MIT */
#include "inspect.h"

#include "bulk.h"
#include "failures.h"
#include "gather.h"

/* ---- Objects ---- */

/* A table of what was gathered. */
static int give_objects(lua_State *L, ouro_status status, struct ouro_gathered *objects)
{
    return status == OURO_OK ? bulk_push(L, objects->items, objects->count) : failure(L, status, "gc", 0);
}

/* The handle that a function is about. */
static ouro_value object_at(lua_State *L, int at)
{
    struct handle *handle = handle_at(L, at);
    luaL_argcheck(L, handle && !handle->closed, at, "a container is expected");
    return handle->value;
}

int inspect_objects(lua_State *L)
{
    struct ouro_gathered objects = {0};
    int64_t generation = -1;
    luaL_argcheck(L, lua_isnoneornil(L, 1) || (ouro_lua_whole(L, 1, &generation) && generation >= 0 && generation < OURO_GC_GENERATIONS), 1,
                  "a generation is expected: 0, 1 or 2");
    return give_objects(L, ouro_gather_objects((int)generation, &objects), &objects);
}

int inspect_referents(lua_State *L)
{
    struct ouro_gathered objects = {0};
    return give_objects(L, ouro_gather_referents(object_at(L, 1), &objects), &objects);
}

int inspect_referrers(lua_State *L)
{
    struct ouro_gathered objects = {0};
    return give_objects(L, ouro_gather_referrers(object_at(L, 1), &objects), &objects);
}

int inspect_garbage(lua_State *L)
{
    struct ouro_gathered objects = {0};
    return give_objects(L, ouro_gather_garbage(&objects), &objects);
}

/* ---- Numbers ---- */

static void set_number(lua_State *L, const char *name, uint64_t number)
{
    ouro_lua_push_integer(L, (int64_t)number);
    lua_setfield(L, -2, name);
}

static void push_generation(lua_State *L, const ouro_gc_generation_stats *generation)
{
    static const char *const reasons[OURO_GC_REASONS] = {"asked", "count", "growth", "memory", "owner"};
    lua_newtable(L);
    set_number(L, "collections", generation->collections);
    set_number(L, "collected", generation->collected);
    set_number(L, "uncollectable", generation->uncollectable);
    set_number(L, "candidates", generation->candidates);
    set_number(L, "suspects", generation->suspects);
    lua_pushnumber(L, (lua_Number)generation->duration_ns / 1e9);
    lua_setfield(L, -2, "duration");
    lua_pushnumber(L, (lua_Number)generation->duration_max_ns / 1e9);
    lua_setfield(L, -2, "longest");
    lua_newtable(L);
    for (int i = 0; i < OURO_GC_REASONS; i++)
        set_number(L, reasons[i], generation->reasons[i]);
    lua_setfield(L, -2, "reasons");
}

int inspect_gc_stats(lua_State *L)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    lua_newtable(L);
    for (int i = 0; i < OURO_GC_GENERATIONS; i++) {
        push_generation(L, &stats.generation[i]);
        lua_rawseti(L, -2, i);
    }
    return 1;
}

int inspect_mem_stats(lua_State *L)
{
    ouro_mem_stats stats;
    ouro_mem_get_stats(&stats, sizeof stats);
    lua_newtable(L);
    set_number(L, "live_objects", stats.live_objects);
    set_number(L, "live_bytes", stats.live_bytes);
    set_number(L, "limbo_bytes", stats.limbo_bytes);
    set_number(L, "cached_bytes", stats.cached_bytes);
    set_number(L, "committed_bytes", stats.committed_bytes);
    set_number(L, "reserved_bytes", stats.reserved_bytes);
    set_number(L, "soft_limit", stats.soft_limit);
    set_number(L, "hard_limit", stats.hard_limit);
    lua_newtable(L);
    for (int i = 0; i < OURO_MEM_CLASSES_MAX && stats.classes[i].block_size; i++) {
        const ouro_mem_class_stats *class = &stats.classes[i];
        lua_newtable(L);
        if (class->block_size == SIZE_MAX)
            lua_pushnumber(L, (lua_Number)1e308 * 10); /* inf: all that are larger */
        else
            ouro_lua_push_integer(L, (int64_t)class->block_size);
        lua_setfield(L, -2, "block_size");
        set_number(L, "live_objects", class->live_objects);
        set_number(L, "live_bytes", class->live_bytes);
        set_number(L, "pages_bytes", class->pages_bytes);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setfield(L, -2, "classes");
    return 1;
}

int inspect_held(lua_State *L)
{
    struct home *home = home_of(L);
    ouro_safepoint(); /* what other threads have dropped of this one's */
    if (home)
        home_enter(L, home);
    ouro_lua_push_integer(L, home ? home->held : 0);
    return 1;
}

int inspect_forget(lua_State *L)
{
    struct home *home = home_of(L);
    ouro_safepoint();
    if (home) {
        home_forget_strings(home);
        home_enter(L, home);
    }
    return 0;
}
