/* SPDX-License-Identifier: MIT
 *
 * A burst: many more objects than live otherwise, all of which die at once. How soon is the memory the system's again, whichever thread made them, and
 * whichever has freed them? Each kind in a fresh process. Resident set, a second after the last reference went, over that before the burst. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include <ouro/gc.h>
#include <ouro/thread.h>

#include "bench.h"
#include "graph.h"
#include "process.h"

enum { NODES = 8000000, NODES_QUICK = 400000, KEPT_SHARE = 8, RING = 2, ROUNDS = 3, LOOK_MS = 5 };

#define DUE_S 1.0  /* the memory should be back by then */
#define MOST_S 5.0 /* how long it is waited for */
#define SPARE 1.1  /* back: resident no more than that times what was before */

typedef struct item {
    ouro_object object;
    ouro_slot next, other;
    uint64_t number, payload[2];
} item;

static ouro_type item_type = OURO_TYPE(item, .name = "item", .slots = OURO_SLOTS(item, next, other));

static item *list_make(size_t count, bool share)
{
    item *head = NULL;
    for (size_t i = 0; i < count; i++) {
        item *it = ouro_new(&item_type);
        if (!it)
            abort();
        it->number = i;
        ouro_give(it, &it->next, head);
        head = it;
    }
    if (share)
        ouro_share(head);
    return head;
}

/* Of a list that nobody else changes. */
static bool is_whole(const item *list, size_t count)
{
    for (; list && count; list = ouro_peek(&list->next))
        count -= list->number == count - 1;
    return !list && !count;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000}, NULL);
}

/* ---- who drops it ---- */

static void drop_private(size_t count)
{
    ouro_release(list_make(count, false));
}

static void drop_shared(size_t count)
{
    ouro_release(list_make(count, true));
}

typedef struct table {
    ouro_array array;
    ouro_slot slots[];
} table;

static ouro_type table_type = OURO_TYPE(table, .name = "table", .array_slots = offsetof(table, slots));

/* Rings that one table holds, and then none; a collection is asked for: nothing is made any more that would begin one. */
static void leave_rings(size_t count, bool share)
{
    table *all = ouro_new_array(&table_type, count / RING);
    for (size_t i = 0; i < count / RING; i++) {
        item *a = ouro_new(&item_type), *b = ouro_new(&item_type);
        if (!all || !a || !b)
            abort();
        ouro_set(b, &b->next, a);
        ouro_give(a, &a->next, b);
        ouro_give(all, &all->slots[i], a);
    }
    if (share)
        ouro_share(all);
    ouro_release(all);
}

static void leave_private(size_t count)
{
    leave_rings(count, false);
    ouro_gc_collect(0);
}

static void leave_shared(size_t count)
{
    leave_rings(count, true);
    ouro_gc_collect_async(2); /* the second has it in it */
}

static _Atomic(item *) handed; /* by the maker */
static atomic_bool stop;       /* it is to end */
static pthread_t maker;

static void then_exit(void)
{
}

static void then_park(void)
{
    ouro_blocking_begin();
    while (!stop)
        nap();
    ouro_blocking_end();
}

static void then_sleep(void)
{
    while (!stop)
        nap();
}

static void then_compute(void)
{
    while (!stop) {
    }
}

static void then_go_on(void)
{
    while (!stop) {
        item *it = ouro_new(&item_type);
        BENCH_TOUCH(it);
        ouro_release(it);
    }
}

typedef struct order {
    size_t count;
    void (*then)(void);
} order;

static void *make(void *arg)
{
    order what = *(order *)arg;
    atomic_store(&handed, list_make(what.count, true));
    what.then();
    return NULL;
}

static void drop_anothers(size_t count, void (*then)(void))
{
    static order what;
    item *list;
    what = (order){count, then};
    if (pthread_create(&maker, NULL, make, &what) != 0)
        abort();
    ouro_blocking_begin();
    while (!(list = atomic_exchange(&handed, NULL)))
        nap();
    if (then == then_exit)
        pthread_join(maker, NULL);
    ouro_blocking_end();
    ouro_release(list);
    stop = then == then_exit; /* else there is one to be joined */
}

static void drop_of_exited(size_t count)
{
    drop_anothers(count, then_exit);
}

static void drop_of_parked(size_t count)
{
    drop_anothers(count, then_park);
}

static void drop_of_sleeper(size_t count)
{
    drop_anothers(count, then_sleep);
}

static void drop_of_busy(size_t count)
{
    drop_anothers(count, then_compute);
}

static void drop_of_maker(size_t count)
{
    drop_anothers(count, then_go_on);
}

typedef struct variant {
    const char *name;
    void (*burst)(size_t count);
    bool is_anothers;
} variant;

static const variant variants[] = {
    {"list, dropped by its maker, private", drop_private, false},
    {"list, dropped by its maker, shared", drop_shared, false},
    {"dropped by another, maker exited", drop_of_exited, true},
    {"dropped by another, maker parked", drop_of_parked, true},
    {"dropped by another, maker goes on", drop_of_maker, true},
    {"dropped by another, maker asleep, not parked", drop_of_sleeper, true},
    {"dropped by another, maker computes", drop_of_busy, true},
    {"rings, private, collected", leave_private, false},
    {"rings, shared, collected", leave_shared, false},
};

enum { VARIANTS = sizeof variants / sizeof variants[0] };

/* ---- the child ---- */

/* argument: "<variant> <nodes>". Prints the resident set before, the highest, and that after a second, in bytes; and the seconds until it was back. */
int bench_burst_child(const char *argument)
{
    unsigned index;
    size_t count, live = bench_live();
    if (sscanf(argument, "%u %zu", &index, &count) != 2 || index >= VARIANTS)
        return 2;
    ouro_gc_collect(2); /* all threads of the library have been started */
    item *kept = list_make(count / KEPT_SHARE, false);
    double before = process_resident(), due = 0, back = 0;
    process_reset_peak();
    variants[index].burst(count);
    for (double start = bench_now(), at = 0; !due || (!back && at < MOST_S); nap()) {
        at = bench_now() - start;
        double now = process_resident();
        if (!back && now <= SPARE * before)
            back = at;
        if (!due && at >= DUE_S)
            due = now;
    }
    double peak = process_peak_resident();
    if (variants[index].is_anothers && !stop) {
        stop = true;
        pthread_join(maker, NULL);
    }
    bench_settle(live + count / KEPT_SHARE, "after the burst");
    bench_check(is_whole(kept, count / KEPT_SHARE), "what was kept is not what it was");
    bench_check(peak > 2 * before, "the burst did not show");
    printf("%.0f %.0f %.0f %.6f\n", before, peak, due, back ? back : MOST_S);
    return 0;
}

/* ---- the parent ---- */

static void measure(unsigned index)
{
    unsigned rounds = bench_quick ? 1 : ROUNDS;
    double numbers[4], ratio[ROUNDS], seconds[ROUNDS], peak[ROUNDS];
    char text[112];
    for (unsigned r = 0; r < rounds; r++) {
        bench_progress("burst %s: %u of %u", variants[index].name, r + 1, rounds);
        snprintf(text, sizeof text, "%u %d", index, bench_quick ? NODES_QUICK : NODES);
        if (!process_run("burst", text, numbers, 4))
            return;
        ratio[r] = numbers[2] / numbers[0];
        peak[r] = numbers[1] / numbers[0];
        seconds[r] = numbers[3];
    }
    snprintf(text, sizeof text, "%s: resident after 1 s", variants[index].name);
    bench_samples(text, ratio, rounds, "ratio", BENCH_BAR_AT_MOST(SPARE));
    snprintf(text, sizeof text, "%s: at the most", variants[index].name);
    bench_samples(text, peak, rounds, "ratio", BENCH_INFORMATION);
    snprintf(text, sizeof text, "%s: until it was back", variants[index].name);
    bench_samples(text, seconds, rounds, "s", BENCH_INFORMATION);
}

void bench_burst(void)
{
    for (unsigned i = 0; i < VARIANTS; i++)
        measure(i);
}
