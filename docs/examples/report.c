/* SPDX-License-Identifier: MIT
 *
 * What became of the objects. Three numbers are counted where they arise: objects made, by the program; objects
 * alive, by the allocator; objects found in garbage cycles, by the collectors. What was made, and is in neither of
 * the others, went by counting. Rows are taken while one thread runs, so that all numbers are exact. */
#include <stdio.h>
#include <time.h>

#include "demo.h"

struct sample {
    const char *phase; /* that ended here */
    uint64_t end, next_begin;
    struct objects objects; /* since the start */
    size_t live_bytes, committed;
    uint64_t young_ns, concurrent_ns, young_collections, concurrent_collections;
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
    struct sample now = {.phase = phase, .end = now_ns()};
    ouro_mem_stats memory;
    settle(&memory);
    ouro_gc_stats gc;
    ouro_gc_get_stats(&gc, sizeof gc);
    const ouro_gc_generation_stats *young = &gc.generation[0], *recent = &gc.generation[1], *all = &gc.generation[2];
    now.live_bytes = memory.live_bytes;
    now.committed = memory.committed_bytes;
    now.young_ns = young->duration_ns;
    now.young_collections = young->collections;
    now.concurrent_ns = recent->duration_ns + all->duration_ns;
    now.concurrent_collections = recent->collections + all->collections;
    struct objects objects = {.made = made_so_far(),
                              .by_young = young->collected,
                              .by_concurrent = recent->collected + all->collected,
                              .alive = memory.live_objects};
    objects.by_counting = objects.made - objects.alive - objects.by_young - objects.by_concurrent;
    now.objects = objects;
    now.next_begin = now_ns();
    return now;
}

/* From one sample to the next. */
static struct objects between(const struct objects *from, const struct objects *to)
{
    return (struct objects){.made = to->made - from->made,
                            .by_counting = to->by_counting - from->by_counting,
                            .by_young = to->by_young - from->by_young,
                            .by_concurrent = to->by_concurrent - from->by_concurrent,
                            .alive = to->alive};
}

void report_start(void)
{
    samples[0] = sample_now(NULL);
    count = 1;
}

struct objects report_phase(const char *phase)
{
    samples[count] = sample_now(phase);
    count++;
    return between(&samples[count - 2].objects, &samples[count - 1].objects);
}

const char *number(uint64_t value)
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

static void print_row(const char *phase, struct objects row, size_t live_bytes, uint64_t ns)
{
    printf("  %-15s %10s %11s %11s %13s %10s %9s %5s ms\n", phase, number(row.made), number(row.by_counting),
           number(row.by_young), number(row.by_concurrent), number(row.alive), number((live_bytes + 1023) / 1024),
           number((ns + 500000) / 1000000));
}

static void print_cost(const char *what, size_t objects, uint64_t ns, uint64_t collections)
{
    printf("  %-15s %10s objects found in %.1f ms", what, number(objects), (double)ns / 1e6);
    if (objects > 0)
        printf(", %.0f ns each", (double)ns / (double)objects);
    printf("; collections: %s\n", number(collections));
}

/* What collecting costs is taken from phases in which little else goes on: the one in which most was collected by young
 * collections, and the last one, which drops the shared graph. */
static void print_costs(void)
{
    const struct sample *busiest = &samples[1], *last = &samples[count - 1];
    for (const struct sample *to = busiest; to <= last; to++)
        if (to->objects.by_young - to[-1].objects.by_young > busiest->objects.by_young - busiest[-1].objects.by_young)
            busiest = to;
    printf("\nwhat collecting takes, when little else goes on\n");
    print_cost("young", busiest->objects.by_young - busiest[-1].objects.by_young,
               busiest->young_ns - busiest[-1].young_ns, busiest->young_collections - busiest[-1].young_collections);
    print_cost("concurrent", last->objects.by_concurrent - last[-1].objects.by_concurrent,
               last->concurrent_ns - last[-1].concurrent_ns,
               last->concurrent_collections - last[-1].concurrent_collections);
}

static void print_memory(const struct sample *most)
{
    size_t returned = ouro_mem_trim() / 1024;
    struct sample end = sample_now(NULL);
    printf("\nmemory, KiB             most alive    committed     alive at end    committed     returned\n");
    printf("  %32s %12s %16s %12s %12s\n", number(most->live_bytes / 1024), number(most->committed / 1024),
           number(end.live_bytes / 1024), number(end.committed / 1024), number(returned));
}

bool report_print(void)
{
    struct objects sum = {0};
    uint64_t sum_ns = 0;
    const struct sample *most = &samples[0], *last = &samples[count - 1];
    printf("\nobjects               made     gone by    by young by concurrent      alive     alive\n"
           "                              counting  collection    collection                  KiB     time\n");
    for (size_t i = 1; i < count; i++) {
        struct objects row = between(&samples[i - 1].objects, &samples[i].objects);
        uint64_t ns = samples[i].end - samples[i - 1].next_begin;
        print_row(samples[i].phase, row, samples[i].live_bytes, ns);
        sum.made += row.made;
        sum.by_counting += row.by_counting;
        sum.by_young += row.by_young;
        sum.by_concurrent += row.by_concurrent;
        sum_ns += ns;
        if (samples[i].live_bytes > most->live_bytes)
            most = &samples[i];
    }
    sum.alive = last->objects.alive;
    print_row("all", sum, last->live_bytes, sum_ns);
    print_costs();
    print_memory(most);
    return sum.alive == 0 && sum.by_counting + sum.by_young + sum.by_concurrent == sum.made;
}
