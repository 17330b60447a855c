//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * The gc interface's debug flags, and the garbage that they keep. */
#include "ouro_gc.h"
#include <pthread.h>
#include <stdio.h>

#include "lib_cycle_debug.h"
#include "lib_object_destroy.h"
#include "lib_object_inbox.h"
#include "lib_port_os.h"
#include "lib_runtime_runtime.h"

static unsigned flags; /* atomic */

/* ---- what is printed ---- */

static void print_found(const ouro_object *o)
{
    const char *name = oi_type_of(o)->descriptor->name;
    int held = oi_os_hold_cancel(); /* as in all that prints: a collection is under way */
    fprintf(stderr, "ouro: gc: collectable <%s %p>\n", name ? name : "?", (const void *)o);
    oi_os_let_cancel(held);
}

void oi_debug_print(const ouro_gc_info *info)
{
    static const char *const reasons[] = {
        [OURO_GC_REASON_ASKED] = "asked for",
        [OURO_GC_REASON_COUNT] = "count",
        [OURO_GC_REASON_GROWTH] = "growth",
        [OURO_GC_REASON_MEMORY] = "memory",
        [OURO_GC_REASON_OWNER] = "owner",
    };
    if (!(oi_load_relaxed(&flags) & OURO_GC_DEBUG_STATS))
        return;
    int held = oi_os_hold_cancel();
    fprintf(stderr, "ouro: gc: generation %d (%s): %llu objects, %llu suspects, %llu unreachable, %llu freed, %.3f ms\n", info->generation,
            reasons[info->reason], (unsigned long long)info->candidates, (unsigned long long)info->suspects, (unsigned long long)info->found,
            (unsigned long long)info->freed, (double)info->duration_ns / 1e6);
    oi_os_let_cancel(held);
}

void ouro_gc_set_debug(unsigned wanted)
{
    oi_start_default();
    oi_store_relaxed(&flags, wanted & (OURO_GC_DEBUG_STATS | OURO_GC_DEBUG_LEAK));
    oi_store_relaxed(&oi_debug_save_all, (wanted & OURO_GC_DEBUG_SAVEALL) != 0);
    oi_store_relaxed(&oi_debug_found, wanted & OURO_GC_DEBUG_COLLECTABLE ? print_found : NULL);
}

unsigned ouro_gc_get_debug(void)
{
    return oi_load_relaxed(&flags);
}

/* ---- the garbage list ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the garbage lock: docs/design/lock-order.md */
static struct oi_stack_node *garbage; /* tokens; this and the next: under the lock */
static unsigned clearings;

/* The list becomes the end of the garbage list, which nobody else follows: who visits it has taken it. */
static void append(struct oi_stack_node *list)
{
    struct oi_stack_node **end = &garbage;
    while (*end)
        end = &(*end)->next;
    *end = list;
}

static struct oi_stack_node *take(unsigned clear, unsigned *cleared)
{
    pthread_mutex_lock(&lock);
    struct oi_stack_node *list = garbage;
    garbage = NULL;
    *cleared = clearings += clear;
    pthread_mutex_unlock(&lock);
    return list;
}

void oi_debug_keep(struct oi_stack_node *saved)
{
    if (!saved)
        return;
    pthread_mutex_lock(&lock);
    append(saved);
    pthread_mutex_unlock(&lock);
}

size_t ouro_gc_visit_garbage(ouro_visitor fn, void *arg)
{
    size_t visited = 0;
    unsigned before;
    if (!fn)
        return 0;
    int held = oi_os_hold_cancel(); /* visitors return */
    struct oi_stack_node *list = take(0, &before), *node = list;
    for (bool more = true; node && more; node = node->next, visited++)
        more = fn(oi_token_object(OI_CONTAINER_OF(node, struct oi_token, node)), arg) == 0;
    pthread_mutex_lock(&lock);
    if (clearings == before) {
        struct oi_stack_node *found_since = garbage;
        garbage = list;
        append(found_since);
        list = NULL;
    }
    pthread_mutex_unlock(&lock);
    oi_os_let_cancel(held);
    oi_tokens_release(&oi_act, list);
    return visited;
}

bool oi_debug_clear(void)
{
    unsigned unused;
    struct oi_stack_node *list = take(1, &unused);
    oi_tokens_release(&oi_act, list);
    return list != NULL;
}

void ouro_gc_clear_garbage(void)
{
    oi_debug_clear();
}

void oi_debug_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void oi_debug_after_fork(void)
{
    pthread_mutex_unlock(&lock);
}
