/* SPDX-License-Identifier: MIT
 *
 * What five million two-slot nodes take, seen from outside: the growth of the resident set of a fresh process. The bar
 * is 16 bytes of header plus what the program asked for, and a tenth. The nodes hang on each other, so there is no
 * array of references that would count as well. */
#include <stdio.h>

#include "bench.h"
#include "node.h"
#include "peer.h"
#include "process.h"

enum { NODES = 5000000, NODES_QUICK = 500000, HEADER = 16, ROUNDS = 3 };

typedef struct node8 {
    ouro_object object;
    ouro_slot left, right;
    char payload[8];
} node8;

typedef struct node16 {
    ouro_object object;
    ouro_slot left, right;
    char payload[16];
} node16;

static ouro_type node8_type = OURO_TYPE(node8, .name = "node8", .slots = OURO_SLOTS(node8, left, right));
static ouro_type node16_type = OURO_TYPE(node16, .name = "node16", .slots = OURO_SLOTS(node16, left, right));

typedef struct layout {
    const char *name;
    size_t size;
    ouro_type *type;
} layout;

static const layout layouts[] = {
    {"no payload (32 bytes)", sizeof(node), &node_type},
    {"8 bytes of payload (40 bytes)", sizeof(node8), &node8_type},
    {"16 bytes of payload (48 bytes)", sizeof(node16), &node16_type},
};

enum { LAYOUTS = sizeof layouts / sizeof layouts[0] };

/* ---- the child ---- */

/* Every layout begins like node. */
static void *make_managed(ouro_type *type, long count)
{
    node *list = NULL;
    for (; count; count--) {
        node *n = node_new_of(type);
        ouro_give(n, &n->left, list);
        list = n;
    }
    return list;
}

/* Touches what a program would write: the whole block but for the payload that nobody has filled. */
static void *make_plain(size_t size, long count)
{
    plain_node *list = NULL;
    for (; count; count--) {
        plain_node *n = peer_malloc(size);
        if (!n)
            abort();
        *n = (plain_node){.left = list};
        list = n;
    }
    return list;
}

/* what: "<o|p> <layout> <count>". Prints the bytes by which the resident set grew. */
int bench_rss_child(const char *what)
{
    char kind;
    unsigned index;
    long count;
    if (sscanf(what, "%c %u %ld", &kind, &index, &count) != 3 || index >= LAYOUTS)
        return 2;
    /* One of each first: what starting up costs is not what nodes cost. */
    void *warm = kind == 'o' ? make_managed(layouts[index].type, 1) : make_plain(layouts[index].size, 1);
    double before = process_resident();
    void *list = kind == 'o' ? make_managed(layouts[index].type, count) : make_plain(layouts[index].size, count);
    double after = process_resident();
    BENCH_TOUCH(warm);
    BENCH_TOUCH(list);
    if (kind == 'o' && bench_live() != (size_t)count + 1)
        return 3;
    printf("%.0f\n", after - before);
    return 0;
}

/* ---- the parent ---- */

/* Bytes per node, as samples; false (and a wrong result) if a child failed. */
static bool measure(char kind, unsigned index, double *samples)
{
    long count = bench_quick ? NODES_QUICK : NODES;
    char what[48];
    double growth;
    for (int i = 0; i < ROUNDS; i++) {
        bench_progress("%s: %s", kind == 'o' ? "ouro" : PEER_NAME, layouts[index].name);
        snprintf(what, sizeof what, "%c %u %ld", kind, index, count);
        if (!process_run("rss", what, &growth, 1))
            return false;
        samples[i] = growth / (double)count;
    }
    return true;
}

void bench_rss(void)
{
    double plain[ROUNDS], ours[ROUNDS];
    char text[112];
    for (unsigned i = 0; i < LAYOUTS; i++) {
        if (!measure('p', i, plain) || !measure('o', i, ours))
            continue;
        snprintf(text, sizeof text, "%s: " PEER_NAME ", header included by hand", layouts[i].name);
        bench_samples(text, plain, ROUNDS, "bytes", BENCH_INFORMATION);
        snprintf(text, sizeof text, "%s: ouro", layouts[i].name);
        bench_samples(text, ours, ROUNDS, "bytes", BENCH_INFORMATION);
        for (int r = 0; r < ROUNDS; r++)
            ours[r] /= (double)layouts[i].size;
        snprintf(text, sizeof text, "%s: ouro / (%d + fields)", layouts[i].name, HEADER);
        bench_samples(text, ours, ROUNDS, "ratio", BENCH_BAR_AT_MOST(1.10));
    }
}
