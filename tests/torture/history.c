/* SPDX-License-Identifier: MIT */
#include "torture/history.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "support/check.h"

enum { EVENTS_KEPT = 4096, OTHERS = 8 }; /* a power of two; threads that are no workers */

typedef _Atomic uint64_t word;

/* Written by one thread, and read when something is wrong: a report may find the oldest event half overwritten, nothing worse. */
struct ring {
    word written;
    struct packed {
        word time, step, where, what; /* step * 256 + event; container, slot; before, after */
    } events[EVENTS_KEPT];
};

static struct ring *rings;
static unsigned workers;
static atomic_uint used;
static _Thread_local struct ring *mine;
static _Thread_local uint64_t current_step;

static void put(word *at, uint64_t value)
{
    atomic_store_explicit(at, value, memory_order_relaxed);
}

static uint64_t get(word *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

uint64_t history_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void history_start(unsigned count)
{
    workers = count;
    rings = calloc(count + OTHERS, sizeof *rings);
    REQUIRE(rings);
    atomic_store(&used, count + 1);
}

void history_join(unsigned number)
{
    mine = &rings[number];
}

static struct ring *ring_of_this_thread(void)
{
    if (!mine) {
        unsigned number = atomic_fetch_add(&used, 1);
        mine = &rings[number < workers + OTHERS ? number : workers + OTHERS - 1];
    }
    return mine;
}

void history_note(enum event event, uint32_t container, unsigned slot, uint32_t before, uint32_t after)
{
    struct ring *ring = ring_of_this_thread();
    uint64_t number = get(&ring->written);
    struct packed *to = &ring->events[number % EVENTS_KEPT];
    put(&to->time, history_clock());
    put(&to->step, current_step << 8 | event);
    put(&to->where, (uint64_t)container << 32 | slot);
    put(&to->what, (uint64_t)before << 32 | after);
    put(&ring->written, number + 1);
}

void history_step(uint64_t step, uint32_t which)
{
    current_step = step;
    history_note(EVENT_STEP, which, 0, 0, 0);
}

unsigned history_count(void)
{
    unsigned count = atomic_load(&used);
    return count < workers + OTHERS ? count : workers + OTHERS;
}

bool history_look(unsigned number, uint64_t ago, struct happening *happening)
{
    struct ring *ring = &rings[number];
    uint64_t written = get(&ring->written);
    if (ago >= written || ago >= EVENTS_KEPT)
        return false;
    struct packed *from = &ring->events[(written - 1 - ago) % EVENTS_KEPT];
    uint64_t step = get(&from->step), where = get(&from->where), what = get(&from->what);
    *happening = (struct happening){
        .time = get(&from->time),
        .step = step >> 8,
        .event = (enum event)(step & 0xff),
        .slot = (unsigned)where,
        .container = (uint32_t)(where >> 32),
        .before = (uint32_t)(what >> 32),
        .after = (uint32_t)what,
    };
    return true;
}
