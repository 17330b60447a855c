/* SPDX-License-Identifier: MIT
 *
 * Lookups in a search tree of a million nodes: borrowed, against the same tree of plain nodes read under liburcu, the
 * library that ouro itself is built on. Both trees get the same keys in the same (random) order and have nodes of one
 * size, so they have the same shape, and much the same layout. A section brackets each lookup. */
#include <stdio.h>

#include "bench.h"
#include "borrow.h"
#include "node.h"
#include "peer.h"

enum { NODES = 1000000, NODES_QUICK = 50000, THREADS = 2 };

typedef struct entry {
    ouro_object object;
    ouro_slot left, right;
    uint64_t key;
    uint64_t value;
} entry;

static ouro_type entry_type = OURO_TYPE(entry, .name = "entry", .slots = OURO_SLOTS(entry, left, right));

_Static_assert(sizeof(entry) == sizeof(plain_entry), "both trees must have nodes of the same size");

typedef struct reader {
    _Alignas(128) uint64_t random;
    uint64_t found;
} reader;

typedef struct lookup {
    borrow_lookups *plain; /* NULL: the managed tree */
    bench_team *team;      /* NULL: the calling thread alone */
    uint64_t hits;         /* per round and thread, for the check */
    reader readers[THREADS];
} lookup;

static node *holder; /* its left slot is the root of the managed tree */
static plain_entry *plain_root;
static uint32_t nodes;

/* ---- building ---- */

static void insert_managed(uint64_t key)
{
    entry *e = ouro_new(&entry_type);
    if (!e)
        abort();
    e->key = key;
    void *container = holder;
    ouro_slot *slot = &holder->left;
    entry *at;
    while ((at = ouro_peek(slot)) != NULL) {
        container = at;
        slot = key < at->key ? &at->left : &at->right;
    }
    ouro_give(container, slot, e);
}

static void insert_plain(uint64_t key)
{
    plain_entry **slot = &plain_root;
    while (*slot)
        slot = key < (*slot)->key ? &(*slot)->left : &(*slot)->right;
    plain_entry *e = peer_malloc(sizeof *e);
    if (!e)
        abort();
    *e = (plain_entry){.key = key};
    *slot = e;
}

static void build(void)
{
    uint32_t *keys = malloc(nodes * sizeof *keys);
    uint64_t random = 88172645463325252u;
    if (!keys)
        abort();
    for (uint32_t i = 0; i < nodes; i++) {
        uint32_t j = bench_random_below(&random, i + 1);
        keys[i] = keys[j];
        keys[j] = i;
    }
    bench_progress("building the trees");
    holder = node_new();
    for (uint32_t i = 0; i < nodes; i++)
        insert_plain(keys[i]);
    for (uint32_t i = 0; i < nodes; i++)
        insert_managed(keys[i]);
    ouro_share(holder);
    free(keys);
}

static void drop_plain(plain_entry *e)
{
    if (!e)
        return;
    drop_plain(e->left);
    drop_plain(e->right);
    peer_free(e);
}

/* ---- reading ---- */

static void borrow_managed(node *in, uint32_t limit, uint64_t *random, uint64_t n, uint64_t *found)
{
    for (; n; n--) {
        uint64_t key = bench_random_below(random, limit);
        ouro_read_begin();
        entry *at = ouro_peek(&in->left);
        while (at && at->key != key)
            at = ouro_peek(key < at->key ? &at->left : &at->right);
        if (at)
            *found += at->key;
        ouro_read_end();
    }
}

/* For comparison: what the walk costs under no protection at all. */
static void borrow_bare(plain_entry **root, uint32_t limit, uint64_t *random, uint64_t n, uint64_t *found)
{
    for (; n; n--) {
        uint64_t key = bench_random_below(random, limit);
        plain_entry *at = __atomic_load_n(root, __ATOMIC_ACQUIRE);
        while (at && at->key != key)
            at = __atomic_load_n(key < at->key ? &at->left : &at->right, __ATOMIC_ACQUIRE);
        if (at)
            *found += at->key;
    }
}

static void work_lookup(void *arg, unsigned index, uint64_t n)
{
    lookup *l = arg;
    reader *r = &l->readers[index];
    uint64_t found = 0;
    if (l->plain)
        l->plain(&plain_root, nodes, &r->random, n, &found);
    else
        borrow_managed(holder, nodes, &r->random, n, &found);
    r->found += found;
}

/* The other tree has had the caches before: some lookups bring this one's upper part back before the clock starts. */
static void work_warm(void *arg, unsigned index, uint64_t n)
{
    lookup *l = arg;
    reader saved = l->readers[index];
    work_lookup(l, index, n / 16 + 1);
    l->readers[index] = saved;
}

static double run_lookup(void *arg, uint64_t n)
{
    lookup *l = arg;
    l->hits += n;
    if (l->team) {
        bench_team_run(l->team, work_warm, l, n);
        return bench_team_run(l->team, work_lookup, l, n);
    }
    work_warm(l, 0, n);
    double begin = bench_clock();
    work_lookup(l, 0, n);
    return bench_clock() - begin;
}

/* Every key that was asked for is in the tree, so the keys found add up to the keys asked for. */
static void check_lookups(const lookup *l, const char *name)
{
    for (unsigned i = 0; i < (l->team ? THREADS : 1); i++) {
        uint64_t random = i + 1, expected = 0;
        for (uint64_t n = l->hits; n; n--)
            expected += bench_random_below(&random, nodes);
        bench_check(l->readers[i].found == expected, "%s: the keys found do not add up", name);
    }
}

/* In pairs, so that neither tree is in the caches more often than the other. */
static void measure_pair(const char *title, bench_team *team, borrow_lookups *plain, const char *name, bench_bar bar)
{
    static lookup lookups[2];
    char text[2][96], ratio[96];
    bench_series series[2] = {0};
    const char *names[2] = {name, "ouro"};
    for (unsigned i = 0; i < 2; i++) {
        lookups[i] = (lookup){.plain = i == 0 ? plain : NULL, .team = team};
        for (unsigned t = 0; t < THREADS; t++)
            lookups[i].readers[t].random = t + 1;
        snprintf(text[i], sizeof text[i], "%s, ouro against %s: %s", title, name, names[i]);
        series[i] = (bench_series){.name = text[i], .run = run_lookup, .state = &lookups[i]};
    }
    bench_measure(title, series, 2, 6);
    bench_values(series, 2);
    snprintf(ratio, sizeof ratio, "%s: ouro / %s", title, name);
    bench_ratio(ratio, &series[1], &series[0], bar);
    for (unsigned i = 0; i < 2; i++)
        check_lookups(&lookups[i], text[i]);
}

static void measure(const char *title, bench_team *team)
{
    measure_pair(title, team, borrow_urcu, "liburcu-bp", BENCH_BAR_AT_MOST(1.1));
    measure_pair(title, team, borrow_urcu_inlined, "liburcu-bp inlined", BENCH_INFORMATION);
    measure_pair(title, team, borrow_bare, "no protection", BENCH_INFORMATION);
}

/* ---- an empty section ---- */

static double run_section(void *arg, uint64_t n)
{
    (void)arg;
    double begin = bench_clock();
    for (; n; n--) {
        ouro_read_begin();
        ouro_read_end();
    }
    return bench_clock() - begin;
}

static double run_urcu_section(void *arg, uint64_t n)
{
    uint64_t unused = 0;
    plain_entry *none = NULL;
    (void)arg;
    double begin = bench_clock();
    uint64_t random = 1;
    borrow_urcu(&none, 1, &random, n, &unused);
    return bench_clock() - begin;
}

void bench_borrow(void)
{
    size_t live = bench_live();
    nodes = bench_quick ? NODES_QUICK : NODES;
    build();
    bench_series sections[] = {
        {.name = "an empty section: liburcu-bp (and a random key)", .run = run_urcu_section},
        {.name = "an empty section: ouro", .run = run_section},
    };
    bench_measure("empty sections", sections, 2, 16);
    bench_values(sections, 2);
    measure("1 thread", NULL);
    bench_team *team = bench_team_start(THREADS);
    measure("2 threads", team);
    bench_team_stop(team);
    bench_check(bench_live() == live + nodes + 1, "the tree has lost or gained nodes");
    drop_plain(plain_root);
    plain_root = NULL;
    ouro_release(holder);
    bench_settle(live, "tree dropped");
}
