/* SPDX-License-Identifier: MIT
 *
 * What belongs to one lua_State (with its coroutines), and how other threads tell it something without touching it.
 *
 * Objects of Lua that the library holds, and functions that wait for an object's death, belong to the state that they come from. What happens
 * to them happens on any thread. So the other thread leaves a note with the home of the state; the state looks for notes whenever one of
 * the binding's functions is called, and acts on them itself. Leaving a note allocates nothing, waits for nobody and cannot fail.
 *
 * A home is never freed, but used again by a later state: a watch may outlive its state (see weak.c). */
#ifndef OURO_LUA_HOME_H
#define OURO_LUA_HOME_H

#include <ouro/ouro.h>
#include <stdatomic.h>

#include "compat.h"

/* Threads are attached as unbiased ones: every object may come to be used by any thread, and a thread that waits for something else, in Lua or
 * in the program around it, must not hold up the death of what others drop. If it fails, whatever needs a thread slot fails for want of memory. */
extern __thread bool home_is_attached __attribute__((tls_model("initial-exec")));
void home_attach(void);

/* Before whatever may make an object. */
static inline void home_use_thread(void)
{
    if (OURO_UNLIKELY(!home_is_attached))
        home_attach();
}

struct home;

struct note {
    struct note *next; /* of whoever has the note, or the stack that it is on */
    /* On the state's thread. */
    void (*read)(lua_State *L, struct home *home, struct note *note);
    /* Instead, when the state has been closed: on any thread. */
    void (*drop)(struct note *note);
};

/* Strings of Lua that were converted last: one that comes again is not converted again. */
#define STRINGS 256
#define STRING_MAX 40 /* bytes; Lua, too, treats such strings as names and longer ones as texts */

struct cached_string {
    ouro_value string; /* held; nil: none */
    const char *bytes; /* the string's own */
    size_t size;
};

struct home {
    _Atomic(struct note *) notes; /* a stack; CLOSED: the state is gone */
    struct home *next;            /* in the list of homes that are free */
    struct watch *watches;        /* free ones */
    long held;                    /* objects of Lua's that the library holds */
    int converting;               /* values are being borrowed: what is closed now goes later */
    struct cached_string strings[STRINGS];
};

/* Makes the home of a state, whose end it ends with. Pushes nothing. */
struct home *home_open(lua_State *L);

/* The home of the state. */
struct home *home_of(lua_State *L);

/* Any thread. */
void home_leave_note(struct home *home, struct note *note);

/* Whether there are notes; one load. */
static inline bool home_has_notes(struct home *home)
{
    /* Relaxed: home_read looks again. */
    return atomic_load_explicit(&home->notes, memory_order_relaxed) != NULL;
}

/* How many notes wait in all homes; for who does not know its home yet. */
extern _Atomic(long) home_notes_waiting;

/* Reads all notes. May call functions of the program: nothing borrowed is in the caller's hands. The stack is as it was. */
void home_read(lua_State *L, struct home *home);

static inline void home_enter(lua_State *L, struct home *home)
{
    if (OURO_UNLIKELY(home_has_notes(home)))
        home_read(L, home);
}

/* Lets go of the strings. */
void home_forget_strings(struct home *home);

#endif
