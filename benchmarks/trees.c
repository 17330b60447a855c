/* SPDX-License-Identifier: MIT
 *
 * Binary trees in the shape of the benchmark game: a stretch tree, a long-lived one, and many short-lived trees of
 * each depth, every one counted and dropped. With two threads, each makes half of the short-lived trees.
 *
 * The peer is C as one would write it for mimalloc: a node is two pointers, and trees are freed by hand from the
 * bottom. Since an ouro node has a header, the same with 32-byte nodes is measured too. "machine" is arithmetic in
 * registers: what two threads can reach here at this moment, whatever they do (processors.h). */
#include "bench.h"
#include "node.h"
#include "peer.h"
#include "processors.h"
#include "trees.h"

enum { DEPTH_MIN = 4, DEPTH = 18, DEPTH_QUICK = 13, THREADS = 2 };

typedef struct tree {
    struct tree *left, *right;
} tree;

/* One way to make, count and drop a tree. */
typedef struct forest {
    void *(*make)(unsigned depth);
    uint64_t (*count)(const void *root);
    void (*drop)(void *root);
    bench_team *team; /* NULL: the calling thread alone */
    uint64_t total;   /* nodes counted in one run, for the check */
    uint64_t subtotals[THREADS];
} forest;

static unsigned depth_max(void)
{
    return bench_quick ? DEPTH_QUICK : DEPTH;
}

/* ---- ouro ---- */

static node *ouro_make_of(ouro_type *type, unsigned depth)
{
    if (depth == 0)
        return node_new_of(type);
    node *left = ouro_make_of(type, depth - 1);
    node *right = ouro_make_of(type, depth - 1);
    node *n = node_new_of(type);
    ouro_give(n, &n->left, left);
    ouro_give(n, &n->right, right);
    return n;
}

static void *ouro_make(unsigned depth)
{
    return ouro_make_of(&node_type, depth);
}

static void *ouro_make_acyclic(unsigned depth)
{
    return ouro_make_of(&node_acyclic_type, depth);
}

static uint64_t ouro_count(const void *root)
{
    const node *n = root;
    const node *left = ouro_peek(&n->left);
    return left ? 1 + ouro_count(left) + ouro_count(ouro_peek(&n->right)) : 1;
}

static void ouro_drop(void *root)
{
    ouro_release(root);
}

/* ---- C, with nodes of two pointers and of 32 bytes ---- */

static void *plain_make(unsigned depth)
{
    tree *left = NULL, *right = NULL;
    if (depth != 0) {
        left = plain_make(depth - 1);
        right = plain_make(depth - 1);
    }
    tree *t = peer_malloc(sizeof *t);
    if (!t)
        abort();
    t->left = left;
    t->right = right;
    return t;
}

static uint64_t plain_count(const void *root)
{
    const tree *t = root;
    return t->left ? 1 + plain_count(t->left) + plain_count(t->right) : 1;
}

static void plain_drop(void *root)
{
    tree *t = root;
    if (t->left) {
        plain_drop(t->left);
        plain_drop(t->right);
    }
    peer_free(t);
}

static void *large_make(unsigned depth)
{
    plain_node *left = NULL, *right = NULL;
    if (depth != 0) {
        left = large_make(depth - 1);
        right = large_make(depth - 1);
    }
    plain_node *n = peer_malloc(sizeof *n);
    if (!n)
        abort();
    n->left = left;
    n->right = right;
    return n;
}

static uint64_t large_count(const void *root)
{
    const plain_node *n = root;
    return n->left ? 1 + large_count(n->left) + large_count(n->right) : 1;
}

static void large_drop(void *root)
{
    plain_node *n = root;
    if (n->left) {
        large_drop(n->left);
        large_drop(n->right);
    }
    peer_free(n);
}

/* ---- the workload ---- */

static uint64_t one_tree(const forest *f, unsigned depth)
{
    void *root = f->make(depth);
    uint64_t nodes = f->count(root);
    f->drop(root);
    return nodes;
}

/* A share of the short-lived trees of all depths; returns the nodes counted. */
static uint64_t short_lived(const forest *f, unsigned share)
{
    uint64_t nodes = 0;
    for (unsigned depth = DEPTH_MIN; depth <= depth_max(); depth += 2) {
        uint64_t trees = (UINT64_C(1) << (depth_max() - depth + DEPTH_MIN)) / share;
        for (; trees; trees--)
            nodes += one_tree(f, depth);
    }
    return nodes;
}

static void work_short_lived(void *arg, unsigned index, uint64_t n)
{
    (void)n;
    ((forest *)arg)->subtotals[index] = short_lived(arg, THREADS);
}

static double run_forest(void *arg, uint64_t n)
{
    forest *f = arg;
    double took = 0;
    for (; n; n--) {
        double begin = bench_clock();
        f->total = one_tree(f, depth_max() + 1);
        void *long_lived = f->make(depth_max());
        if (f->team) {
            took += bench_clock() - begin;
            took += bench_team_run(f->team, work_short_lived, f, 0);
            begin = bench_clock();
            for (unsigned i = 0; i < THREADS; i++)
                f->total += f->subtotals[i];
        } else {
            f->total += short_lived(f, 1);
        }
        f->total += f->count(long_lived);
        f->drop(long_lived);
        took += bench_clock() - begin;
    }
    return took;
}

static uint64_t nodes_of(unsigned depth)
{
    return (UINT64_C(2) << depth) - 1;
}

static uint64_t nodes_expected(void)
{
    uint64_t nodes = nodes_of(depth_max() + 1) + nodes_of(depth_max());
    for (unsigned depth = DEPTH_MIN; depth <= depth_max(); depth += 2)
        nodes += nodes_of(depth) << (depth_max() - depth + DEPTH_MIN);
    return nodes;
}

bool trees_grow_and_drop(void)
{
    forest ours = {.make = ouro_make, .count = ouro_count, .drop = ouro_drop};
    run_forest(&ours, 1);
    return ours.total == nodes_expected();
}

/* ---- what the machine gives two threads ---- */

typedef struct arithmetic {
    bench_team *team; /* NULL: the calling thread alone */
    bool fills;
    uint64_t steps;
    uint64_t results[THREADS];
} arithmetic;

static void work_arithmetic(void *arg, unsigned index, uint64_t n)
{
    arithmetic *a = arg;
    a->results[index] = a->fills ? processors_fill(n) : processors_wait(n);
}

static double run_arithmetic(void *arg, uint64_t n)
{
    arithmetic *a = arg;
    (void)n;
    if (a->team) {
        double took = bench_team_run(a->team, work_arithmetic, a, a->steps / THREADS);
        bench_check(a->results[0] && a->results[0] == a->results[1], "two threads compute two things");
        return took;
    }
    double begin = bench_clock();
    work_arithmetic(a, 0, a->steps);
    bench_check(a->results[0] != 0, "arithmetic went wrong");
    return bench_clock() - begin;
}

/* Threads that share processors, or the core of two, cannot double their throughput; this row tells something even then. */
static void scaling(const char *what, const bench_series *one, const bench_series *two, const bench_series *machine_one,
                    const bench_series *machine_two)
{
    double samples[BENCH_REPETITIONS_MAX];
    for (size_t i = 0; i < one->repetitions; i++)
        samples[i] = one->ns[i] / two->ns[i] / (machine_one->ns[i] / machine_two->ns[i]);
    bench_samples(what, samples, one->repetitions, "ratio", BENCH_INFORMATION);
}

/* ---- moments in which each thread has a core ---- */

enum { MOMENT_DEPTH = 10, MOMENT_TREES = 300 };

static void work_trees_of_a_moment(void *arg, unsigned index, uint64_t n)
{
    forest *f = arg;
    f->subtotals[index] = 0;
    for (; n; n--)
        f->subtotals[index] += one_tree(f, MOMENT_DEPTH);
}

static double gain_of_trees(void *arg)
{
    forest *f = arg;
    double begin = bench_clock();
    work_trees_of_a_moment(f, 0, MOMENT_TREES);
    double one = bench_clock() - begin, two = bench_team_run(f->team, work_trees_of_a_moment, f, MOMENT_TREES);
    for (unsigned i = 0; i < THREADS; i++)
        bench_check(f->subtotals[i] == MOMENT_TREES * nodes_of(MOMENT_DEPTH), "%llu nodes counted in a moment",
                    (unsigned long long)f->subtotals[i]);
    return THREADS * one / two;
}

enum { PLAIN, LARGE, OURS, ACYCLIC, WAITING, WAITING_TWO, FILLED, FILLED_TWO, PLAIN_TWO, OURS_TWO, KINDS };

void bench_trees(void)
{
    bench_team *team = bench_team_start(THREADS);
    forest plain = {.make = plain_make, .count = plain_count, .drop = plain_drop};
    forest large = {.make = large_make, .count = large_count, .drop = large_drop};
    forest ours = {.make = ouro_make, .count = ouro_count, .drop = ouro_drop};
    forest acyclic = {.make = ouro_make_acyclic, .count = ouro_count, .drop = ouro_drop};
    forest plain_two = plain, ours_two = ours;
    plain_two.team = ours_two.team = team;
    arithmetic waiting = {.steps = bench_quick ? 5000000 : 200000000};
    arithmetic filled = {.steps = waiting.steps / 4, .fills = true};
    arithmetic waiting_two = waiting, filled_two = filled;
    waiting_two.team = filled_two.team = team;
    bench_series series[KINDS] = {
        [PLAIN] = {.name = "C with " PEER_NAME ", 16-byte nodes", .run = run_forest, .state = &plain, .n = 1},
        [LARGE] = {.name = "C with " PEER_NAME ", 32-byte nodes", .run = run_forest, .state = &large, .n = 1},
        [OURS] = {.name = "ouro", .run = run_forest, .state = &ours, .n = 1},
        [ACYCLIC] = {.name = "ouro, type marked acyclic", .run = run_forest, .state = &acyclic, .n = 1},
        [WAITING] = {.name = "machine, waiting", .run = run_arithmetic, .state = &waiting, .n = 1},
        [WAITING_TWO] = {.name = "machine, waiting, 2 threads", .run = run_arithmetic, .state = &waiting_two, .n = 1},
        [FILLED] = {.name = "machine, filled", .run = run_arithmetic, .state = &filled, .n = 1},
        [FILLED_TWO] = {.name = "machine, filled, 2 threads", .run = run_arithmetic, .state = &filled_two, .n = 1},
        [PLAIN_TWO] = {.name = "C with " PEER_NAME ", 16-byte nodes, 2 threads",
                       .run = run_forest,
                       .state = &plain_two,
                       .n = 1},
        [OURS_TWO] = {.name = "ouro, 2 threads", .run = run_forest, .state = &ours_two, .n = 1},
    };
    forest *forests[] = {&plain, &large, &ours, &acyclic, &plain_two, &ours_two};
    size_t live = bench_live();
    bench_measure("trees", series, KINDS, 1);
    for (size_t i = 0; i < KINDS; i++)
        bench_value(series[i].name, &series[i], 1e-9, "s");
    bench_ratio("1 thread: ouro / C with " PEER_NAME ", 16-byte nodes", &series[OURS], &series[PLAIN],
                BENCH_BAR_AT_MOST(1.1));
    bench_ratio("1 thread: ouro / C with " PEER_NAME ", 32-byte nodes", &series[OURS], &series[LARGE], BENCH_INFORMATION);
    bench_ratio("1 thread: ouro, acyclic / C with " PEER_NAME ", 16-byte nodes", &series[ACYCLIC], &series[PLAIN],
                BENCH_INFORMATION);
    bench_ratio("throughput of 2 threads / 1: machine, waiting", &series[WAITING], &series[WAITING_TWO],
                BENCH_INFORMATION);
    bench_ratio("throughput of 2 threads / 1: machine, filled", &series[FILLED], &series[FILLED_TWO], BENCH_INFORMATION);
    bench_ratio("throughput of 2 threads / 1: C with " PEER_NAME, &series[PLAIN], &series[PLAIN_TWO], BENCH_INFORMATION);
    bench_ratio("throughput of 2 threads / 1: ouro", &series[OURS], &series[OURS_TWO], BENCH_BAR_AT_LEAST(1.8));
    scaling("the same as a share of the filled machine's", &series[OURS], &series[OURS_TWO], &series[FILLED],
            &series[FILLED_TWO]);
    scaling("the same of C with " PEER_NAME, &series[PLAIN], &series[PLAIN_TWO], &series[FILLED], &series[FILLED_TWO]);
    for (size_t i = 0; i < sizeof forests / sizeof forests[0]; i++)
        bench_check(forests[i]->total == nodes_expected(), "%llu nodes counted, %llu made",
                    (unsigned long long)forests[i]->total, (unsigned long long)nodes_expected());
    processors_moments(
        team,
        (processors_moment[]){
            {"in these: trees of 2047, throughput of 2 threads / 1: ouro", gain_of_trees, &ours_two},
            {"in these: trees of 2047, throughput of 2 threads / 1: C with " PEER_NAME, gain_of_trees, &plain_two},
        },
        2);
    bench_team_stop(team);
    bench_settle(live, "trees dropped");
}
