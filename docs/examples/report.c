/* SPDX-License-Identifier: MIT
 *
 * What became of the objects. Three numbers are counted where they arise: objects made, by the program; objects
 * alive, by the allocator; objects found in garbage cycles, by the collector. What was made, and is in neither of
 * the others, went by counting. Rows are taken while one thread runs, so that all numbers are exact. */
#include <stdio.h>
#include <time.h>

#include "demo.h"

struct sample {
    const char *phase; /* that ended here */
    uint64_t end, next_begin;
    size_t made, collected, live, live_bytes, committed;
    ouro_gc_generation_stats young, shared;
};

static struct sample samples[8]; /* the first: before everything */
static size_t count;

/* Once all threads of the program are at rest, the library's own may still be taking dead blocks away, and a
 * reading catch it at that: so the number has to be the same twice. The phase is over before, and the next one
 * begins after. */
static void settle(ouro_mem_stats *memory)
{
    size_t before;
    int tries = 0;
    ouro_mem_get_stats(memory, sizeof *memory);
    do {
        before = memory->live_objects;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
        ouro_mem_get_stats(memory, sizeof *memory);
    } while (memory->live_objects != before && ++tries < 1000);
}

static struct sample sample_now(const char *phase)
{
    ouro_safepoint(); /* carries out what other threads have handed to this one */
    uint64_t end = now_ns();
    ouro_mem_stats memory;
    settle(&memory);
    ouro_gc_stats gc;
    ouro_gc_get_stats(&gc, sizeof gc);
    return (struct sample){.phase = phase,
                           .end = end,
                           .next_begin = now_ns(),
                           .made = made_so_far(),
                           .collected = gc.generation[0].collected + gc.generation[1].collected + gc.generation[2].collected,
                           .live = memory.live_objects,
                           .live_bytes = memory.live_bytes,
                           .committed = memory.committed_bytes,
                           .young = gc.generation[0],
                           .shared = gc.generation[2]};
}

void report_start(void)
{
    count = 0;
    report_phase(NULL);
}

void report_phase(const char *phase)
{
    if (count < sizeof samples / sizeof *samples)
        samples[count++] = sample_now(phase);
}

/* "1 234 567" in one of a few buffers, so that a printf may have several. */
static const char *number(uint64_t value)
{
    static char buffers[8][32];
    static unsigned turn;
    char *at = buffers[turn++ % 8] + 31;
    *at = 0;
    for (unsigned digits = 0; digits == 0 || value > 0; digits++, value /= 10) {
        if (digits > 0 && digits % 3 == 0)
            *--at = ' ';
        *--at = (char)('0' + value % 10);
    }
    return at;
}

static size_t went_by_counting(struct sample from, struct sample to)
{
    return to.made - from.made + from.live - to.live - (to.collected - from.collected);
}

static void print_row(const char *phase, struct sample from, struct sample to, uint64_t ns)
{
    printf("  %-15s %12s %12s %13s %12s %11s %6s ms\n", phase, number(to.made - from.made),
           number(went_by_counting(from, to)), number(to.collected - from.collected), number(to.live),
           number((to.live_bytes + 1023) / 1024), number((ns + 500000) / 1000000));
}

static void print_cost(const char *what, size_t objects, uint64_t ns)
{
    printf("  %-15s %12s objects in %.1f ms", what, number(objects), (double)ns / 1e6);
    if (objects > 0)
        printf(", %.0f ns each", (double)ns / (double)objects);
}

/* What collecting costs is taken from phases in which little else goes on: the last one, which drops the shared
 * graph, and the one in which most was collected. */
bool report_print(void)
{
    struct sample before = samples[count - 2], last = samples[count - 1];
    size_t most = 0, busiest = 1, collected_most = 0;
    uint64_t all_ns = 0;
    printf("\nobjects                   made  by counting by collection        alive  alive, KiB      time\n");
    for (size_t i = 1; i < count; i++) {
        uint64_t ns = samples[i].end - samples[i - 1].next_begin;
        all_ns += ns;
        print_row(samples[i].phase, samples[i - 1], samples[i], ns);
        if (samples[i].live_bytes > samples[most].live_bytes)
            most = i;
        size_t collected = samples[i].collected - samples[i - 1].collected;
        if (collected > collected_most) {
            collected_most = collected;
            busiest = i;
        }
    }
    print_row("all", samples[0], last, all_ns);

    struct sample from = samples[busiest - 1], to = samples[busiest];
    printf("\ncost\n");
    print_cost("private cycles", to.young.collected - from.young.collected, to.young.duration_ns - from.young.duration_ns);
    printf(", in %s young collections\n", number(to.young.collections - from.young.collections));
    print_cost("shared cycles", last.shared.collected - before.shared.collected, last.shared.duration_ns - before.shared.duration_ns);
    printf(", in a concurrent collection\n");

    size_t returned = ouro_mem_trim() / 1024;
    struct sample end = sample_now(NULL);
    printf("\nmemory, KiB          most alive    committed   alive at end    committed    returned\n");
    printf("  %29s %12s %14s %12s %11s\n", number(samples[most].live_bytes / 1024),
           number(samples[most].committed / 1024), number(end.live_bytes / 1024), number(end.committed / 1024),
           number(returned));
    return end.live == 0;
}
