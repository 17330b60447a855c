/* SPDX-License-Identifier: MIT
 *
 * How soon an object dies whose last reference is dropped by a thread that does not own it: the time from the call of
 * ouro_release to its finalizer. The owner sleeps in a blocking region, or has exited, or (for information) goes on
 * allocating, in which case the drop is handed to it. */
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "node.h"

enum { TICKETS = 20000, TICKETS_QUICK = 2000 };

#define LIMIT_S 1e-3   /* the promise */
#define PATIENCE_S 2.0 /* after which a finalizer counts as missing */

typedef struct ticket {
    ouro_object object;
    uint32_t index;
} ticket;

typedef enum owner_kind { OWNER_SLEEPS, OWNER_EXITED, OWNER_ALLOCATES } owner_kind;

static _Atomic double died[TICKETS]; /* when the finalizer of that ticket ran, or 0 */
static _Atomic unsigned twice;

static void ticket_finalize(void *object)
{
    _Atomic double *at = &died[((ticket *)object)->index];
    if (atomic_load_explicit(at, memory_order_relaxed) != 0)
        atomic_fetch_add(&twice, 1);
    atomic_store_explicit(at, bench_now(), memory_order_release);
}

static ouro_type ticket_type = OURO_TYPE(ticket, .name = "ticket", .finalize = ticket_finalize);

typedef struct owner {
    owner_kind kind;
    uint32_t count;
    ticket *tickets[TICKETS];
    sem_t made, stop;
    _Atomic bool stopping;
} owner;

static void make_tickets(owner *o)
{
    for (uint32_t i = 0; i < o->count; i++) {
        o->tickets[i] = ouro_new(&ticket_type);
        if (!o->tickets[i])
            abort();
        o->tickets[i]->index = i;
        ouro_share(o->tickets[i]);
    }
}

static void *owner_main(void *arg)
{
    owner *o = arg;
    make_tickets(o);
    switch (o->kind) {
    case OWNER_SLEEPS:
        ouro_blocking_begin();
        sem_post(&o->made);
        while (sem_wait(&o->stop) != 0)
            continue;
        ouro_blocking_end();
        break;
    case OWNER_ALLOCATES:
        sem_post(&o->made);
        while (!atomic_load_explicit(&o->stopping, memory_order_relaxed))
            ouro_release(node_new());
        break;
    case OWNER_EXITED:
        break;
    }
    return NULL;
}

/* Drops one ticket after another, each after the one before has died. Returns how many did. */
static size_t drop_tickets(owner *o, double *latencies)
{
    for (uint32_t i = 0; i < o->count; i++) {
        double begin = bench_now(), end;
        unsigned spins = 0;
        ouro_release(o->tickets[i]);
        while ((end = atomic_load_explicit(&died[i], memory_order_acquire)) == 0) {
            if (bench_now() - begin > PATIENCE_S)
                return i;
            bench_relax(&spins);
        }
        latencies[i] = end - begin;
    }
    return o->count;
}

static void measure(owner_kind kind, const char *name)
{
    static owner o;
    static double latencies[TICKETS];
    pthread_t thread;
    char text[112];
    memset(&o, 0, sizeof o);
    o.kind = kind;
    o.count = bench_quick ? TICKETS_QUICK : TICKETS;
    for (uint32_t i = 0; i < o.count; i++)
        atomic_store(&died[i], 0);
    sem_init(&o.made, 0, 0);
    sem_init(&o.stop, 0, 0);
    bench_progress("%s", name);
    if (pthread_create(&thread, NULL, owner_main, &o) != 0)
        abort();
    if (kind == OWNER_EXITED)
        pthread_join(thread, NULL);
    else
        while (sem_wait(&o.made) != 0)
            continue;

    size_t dropped = drop_tickets(&o, latencies);
    bench_check(dropped == o.count, "%s: ticket %zu of %u was not finalized within %g s", name, dropped, o.count,
                PATIENCE_S);
    atomic_store(&o.stopping, true);
    sem_post(&o.stop);
    if (kind != OWNER_EXITED)
        pthread_join(thread, NULL);
    for (size_t i = dropped + 1; i < o.count; i++)
        ouro_release(o.tickets[i]);

    static const struct {
        double p;
        const char *label;
    } points[] = {{0.5, "median"}, {0.99, "99 %"}, {0.999, "99.9 %"}, {1, "slowest"}};
    for (size_t i = 0; i < 4 && dropped != 0; i++) {
        bool barred = points[i].p == 0.999 && kind != OWNER_ALLOCATES;
        snprintf(text, sizeof text, "%s: %s", name, points[i].label);
        bench_number(text, bench_percentile(latencies, dropped, points[i].p) * 1e6, "us",
                     barred ? BENCH_BAR_AT_MOST(LIMIT_S * 1e6) : BENCH_INFORMATION);
    }
    sem_destroy(&o.made);
    sem_destroy(&o.stop);
}

void bench_prompt(void)
{
    measure(OWNER_SLEEPS, "owner sleeps in a blocking region");
    measure(OWNER_EXITED, "owner has exited");
    measure(OWNER_ALLOCATES, "owner goes on allocating");
    bench_check(twice == 0, "%u finalizers ran twice", twice);
}
