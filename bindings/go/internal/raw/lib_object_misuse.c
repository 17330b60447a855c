//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_object_misuse.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib_object_history.h"
#include "lib_port_os.h"
#include "lib_port_tls.h"

static bool printing = true;                 /* atomic */
static int raising = OURO_DEBUG ? SIGTRAP : 0; /* atomic: the signal; 0: none */

/* The library's own threads have all signals blocked. */
static void stop(int signal)
{
    sigset_t set;
    if (!signal)
        return;
    sigemptyset(&set);
    sigaddset(&set, signal);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(signal);
}

static void default_hook(const ouro_misuse *misuse, void *arg)
{
    (void)arg;
    if (oi_load_relaxed(&printing)) {
        fprintf(stderr, "ouro: %s: %s (object %p of type %s)\n", misuse->call, misuse->message, (void *)(uintptr_t)misuse->object,
                misuse->type_name);
        if (misuse->details)
            fputs(misuse->details, stderr);
    }
    if (misuse->kind != OURO_MISUSE_LONG_READ) /* at a breakpoint, any section is long */
        stop(oi_load_relaxed(&raising));
}

struct hook {
    ouro_misuse_hook fn;
    void *arg;
};
static struct hook hooks[2] = {{default_hook, NULL}, {default_hook, NULL}};
static uint32_t active; /* index of the pair in force */

void oi_misuse_set_hook(ouro_misuse_hook hook, void *arg)
{
    /* Under the caller's init lock: one writer. Release: pairs with oi_misuse [MO-hook]. */
    uint32_t other = !oi_load_relaxed(&active);
    hooks[other].fn = hook ? hook : default_hook;
    hooks[other].arg = arg;
    oi_store_release(&active, other);
}

void oi_misuse_set_default(bool print, int signal)
{
    oi_store_relaxed(&printing, print);
    oi_store_relaxed(&raising, signal);
}

static OI_TLS bool telling; /* the hook is on the stack */

bool oi_misuse_is_being_told(void)
{
    return telling;
}

static void report(ouro_misuse_kind kind, const char *call, const void *object, const ouro_type *type, const char *message)
{
    int held = oi_os_hold_cancel(); /* the caller may have locks, and hooks print */
    char *details = object && oi_history_on ? oi_history_tell(object) : NULL;
    ouro_misuse misuse = {
        .size = sizeof misuse,
        .kind = kind,
        .call = call,
        .type_name = type && type->name ? type->name : "?",
        .object = object,
        .message = message,
        .details = details,
    };
    struct hook hook = hooks[oi_load_acquire(&active)]; /* pairs with oi_misuse_set_hook [MO-hook] */
    bool outer = telling;
    telling = true;
    hook.fn(&misuse, hook.arg);
    telling = outer;
    free(details);
    oi_os_let_cancel(held);
}

void oi_misuse_type(ouro_misuse_kind kind, const char *call, const ouro_type *type, const char *message)
{
    report(kind, call, NULL, type, message);
}

void oi_misuse(ouro_misuse_kind kind, const char *call, const void *object, const char *message)
{
    const struct oi_type *type = object && oi_history_on ? oi_history_type(object) : NULL;
    if (object && !type)
        type = oi_types[OI_TYPE_ID(oi_type_word((const ouro_object *)object))];
    report(kind, call, object, type ? type->descriptor : NULL, message);
}
