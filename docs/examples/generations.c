/* SPDX-License-Identifier: MIT
 *
 * Generations and thresholds. What stands behind an arrow is what the line prints. */
#include <stdio.h>

#include <ouro/ouro.h>

struct node {
    ouro_object object;
    ouro_slot other;
};
static ouro_type node_type = OURO_TYPE(struct node, .name = "node", .slots = OURO_SLOTS(struct node, other));

/* Two that refer to each other; the caller gets one. NULL: out of memory. */
static struct node *ring(void)
{
    struct node *a = ouro_new(&node_type), *b = ouro_new(&node_type);
    if (a && b) {
        ouro_set(a, &a->other, b);
        ouro_set(b, &b->other, a);
    }
    ouro_release(b);
    return a;
}

static void garbage(int rings, bool shared)
{
    for (int i = 0; i < rings; i++) {
        struct node *node = ring();
        if (node && shared)
            ouro_share(node);
        ouro_release(node);
    }
}

static uint64_t collections(int generation)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[generation].collections;
}

int main(void)
{
    size_t count[3], threshold[3];
    ouro_gc_disable();

    /* 0: what this thread has for itself. 1: what was shared lately. 2: all. */
    garbage(100, false);
    ouro_gc_get_count(count);
    printf("made since the last collection: %zu\n", count[0]);     /* --> made since the last collection: 200 */
    printf("generation 0: %ld\n", ouro_gc_collect(0));             /* --> generation 0: 200 */
    garbage(100, true);
    printf("generation 0: %ld\n", ouro_gc_collect(0));             /* --> generation 0: 0 */
    printf("generation 1: %ld\n", ouro_gc_collect(1));             /* --> generation 1: 200 */

    struct node *old = ring();
    if (!old)
        return 1;
    ouro_share(old);
    ouro_gc_collect(1); /* it is in use; from now on it is old */
    ouro_release(old);
    printf("generation 1 of what is new: %ld\n", ouro_gc_collect(1)); /* --> generation 1 of what is new: 0 */
    printf("generation 2 of all: %ld\n", ouro_gc_collect(2));      /* --> generation 2 of all: 2 */

    /* Thresholds: objects made, collections of 0, collections of 1. 0, the default: the library chooses. */
    ouro_gc_get_threshold(threshold);
    printf("%zu %zu %zu\n", threshold[0], threshold[1], threshold[2]); /* --> 0 0 0 */
    if (ouro_gc_set_threshold((size_t[]){700, 10, 10}) != OURO_OK)
        return 1;

    /* By itself: a young collection for each 700 objects and the page that is being filled. */
    uint64_t before = collections(0);
    ouro_gc_enable();
    garbage(100000, false);
    uint64_t young = collections(0) - before;
    printf("young collections nobody asked for: %s\n", young >= 10 ? "many" : "few"); /* --> young collections nobody asked for: many */

    ouro_leak_report left;
    if (ouro_shutdown(&left) != OURO_OK)
        return 1;
    printf("left: %zu\n", (size_t)left.objects);                   /* --> left: 0 */
    return 0;
}
