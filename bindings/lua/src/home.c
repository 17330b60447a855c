/* SPDX-License-Identifier: MIT */
#include "home.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

__thread bool home_is_attached __attribute__((tls_model("initial-exec")));

void home_attach(void)
{
    home_is_attached = ouro_thread_attach(OURO_THREAD_UNBIASED) == OURO_OK;
}

static char key; /* of the registry: the userdata that points to the home */
static struct note closed;
#define CLOSED (&closed)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct home *free_homes; /* under the lock */

_Atomic(long) home_notes_waiting;

static void count_notes(long more)
{
    /* Relaxed: who sees it late looks at the next call. */
    atomic_fetch_add_explicit(&home_notes_waiting, more, memory_order_relaxed);
}

static struct home *take_home(void)
{
    pthread_mutex_lock(&lock);
    struct home *home = free_homes;
    if (home)
        free_homes = home->next;
    pthread_mutex_unlock(&lock);
    return home ? home : calloc(1, sizeof *home);
}

void home_leave_note(struct home *home, struct note *note)
{
    /* Acquire: pairs with close_home; release: the note's content, read by home_read. */
    struct note *first = atomic_load_explicit(&home->notes, memory_order_acquire);
    count_notes(1);
    do {
        if (first == CLOSED) {
            count_notes(-1);
            note->drop(note);
            return;
        }
        note->next = first;
    } while (!atomic_compare_exchange_weak_explicit(&home->notes, &first, note, memory_order_release, memory_order_acquire));
}

static struct note *reversed(struct note *note)
{
    struct note *last = NULL;
    while (note) {
        struct note *next = note->next;
        note->next = last;
        last = note;
        note = next;
    }
    return last;
}

void home_read(lua_State *L, struct home *home)
{
    int top = lua_gettop(L);
    luaL_checkstack(L, 10, "notes");
    /* Acquire: pairs with home_leave_note. The first left is the first read. */
    struct note *note = reversed(atomic_exchange_explicit(&home->notes, NULL, memory_order_acquire));
    while (note) {
        struct note *next = note->next;
        count_notes(-1);
        note->read(L, home, note);
        lua_settop(L, top);
        note = next;
    }
}

void home_forget_strings(struct home *home)
{
    for (int i = 0; i < STRINGS; i++) {
        ouro_value_release(home->strings[i].string);
        home->strings[i] = (struct cached_string){0};
    }
}

/* The state ends. */
static int close_home(lua_State *L)
{
    struct home **at = lua_touserdata(L, 1), *home = *at;
    if (!home)
        return 0;
    *at = NULL;
    home_forget_strings(home);
    /* Acquire: the notes' contents. Release: what was done to the home; pairs with home_leave_note. */
    struct note *note = atomic_exchange_explicit(&home->notes, CLOSED, memory_order_acq_rel);
    while (note) {
        struct note *next = note->next;
        count_notes(-1);
        note->drop(note);
        note = next;
    }
    pthread_mutex_lock(&lock);
    home->next = free_homes;
    free_homes = home;
    pthread_mutex_unlock(&lock);
    return 0;
}

struct home *home_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
    struct home **at = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return at ? *at : NULL;
}

struct home *home_open(lua_State *L)
{
    struct home **at = ouro_lua_userdata(L, sizeof *at);
    *at = NULL;
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, close_home);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
    struct home *home = take_home();
    if (!home)
        luaL_error(L, "out of memory");
    home->held = 0;
    home->converting = 0;
    /* Release: pairs with home_leave_note. */
    atomic_store_explicit(&home->notes, NULL, memory_order_release);
    *at = home; /* the userdata is in the registry */
    return home;
}
