/* SPDX-License-Identifier: MIT
 *
 * What operations cost in instructions: does one of them so many times, and checks what came of it. Two runs with different numbers under an
 * instruction counter give the cost of one (cost.py). cost --list; cost NAME TIMES; cost --all TIMES. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ouro/ouro.h>

#include "bench.h"
#include "node.h"

enum { GRAPH = 10000, RING = 10, RINGS = 400, KEYS = 64 };

static bool right = true;

static void check(bool good)
{
    right = right && good;
}

/* ---- Things to work on ---- */

static node *pair[2]; /* a container, and what is in its left slot */

static void make_pair_of(bool shared)
{
    for (int i = 0; i < 2; i++) {
        pair[i] = node_new();
        if (shared)
            ouro_share(pair[i]);
    }
    ouro_set(pair[0], &pair[0]->left, pair[1]);
}

static void drop_pair(void)
{
    ouro_safepoint(); /* another thread's last drop may wait here */
    check(ouro_refcount(pair[0]) == 1 && ouro_refcount(pair[1]) == 2);
    ouro_release(pair[0]);
    ouro_release(pair[1]);
}

static void private_pair(void)
{
    make_pair_of(false);
}

static void shared_pair(void)
{
    make_pair_of(true);
}

/* Not biased to anybody: as objects are that several threads use. */
static void merged_pair(void)
{
    shared_pair();
    ouro_share_widely(pair[1]);
}

static void nothing(void)
{
}

static void join(void *(*fn)(void *arg), void *arg)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, fn, arg))
        abort();
    pthread_join(thread, NULL);
}

/* A chain of n nodes, made one before the other. */
static node *chain(uint64_t n, bool shared)
{
    node *first = NULL;
    for (; n; n--) {
        node *next = node_new();
        ouro_give(next, &next->left, first);
        first = next;
    }
    if (shared)
        ouro_share(first);
    return first;
}

static node *ring(void)
{
    node *first = node_new(), *last = first;
    for (int i = 1; i < RING; i++) {
        node *next = node_new();
        ouro_give(next, &next->left, last);
        last = next;
    }
    ouro_give(first, &first->left, last); /* the ring holds itself; the caller holds one of it */
    return ouro_retain(first);
}

/* ---- Counting ---- */

static void retain_release(uint64_t n)
{
    node *o = pair[1];
    for (; n; n--) {
        BENCH_OPAQUE(o);
        ouro_retain(o);
        BENCH_OPAQUE(o);
        ouro_release(o);
    }
}

static void *retain_release_there(void *n)
{
    retain_release(*(uint64_t *)n);
    return NULL;
}

static void retain_release_foreign(uint64_t n)
{
    join(retain_release_there, &n);
}

static void empty(uint64_t n)
{
    node *o = pair[1];
    for (; n; n--) {
        BENCH_OPAQUE(o);
        BENCH_OPAQUE(o);
    }
}

/* ---- Lives ---- */

static void new_release(uint64_t n)
{
    for (; n; n--)
        ouro_release(node_new());
}

static void drop_chain(uint64_t n)
{
    ouro_release(chain(n, false));
}

static void drop_shared_chain(uint64_t n)
{
    ouro_release(chain(n, true));
    ouro_mem_trim();
}

static void share_one(uint64_t n)
{
    for (; n; n--) {
        node *o = node_new();
        ouro_share(o);
        ouro_release(o);
    }
    ouro_mem_trim();
}

static void *drop_all(void *first)
{
    ouro_release(first);
    return NULL;
}

/* Made, shared, and put into an array for somebody else. */
struct handed {
    uint64_t count;
    node **nodes;
    bool attached, unbiased;
};

static void *take_all(void *arg)
{
    struct handed *handed = arg;
    if (handed->attached)
        check(ouro_thread_attach(handed->unbiased ? OURO_THREAD_UNBIASED : 0) == OURO_OK);
    for (uint64_t i = 0; i < handed->count; i++)
        ouro_release(handed->nodes[i]);
    return NULL;
}

static void make_all(struct handed *handed)
{
    handed->nodes = malloc(handed->count * sizeof(node *));
    if (!handed->nodes)
        abort();
    for (uint64_t i = 0; i < handed->count; i++) {
        handed->nodes[i] = node_new();
        ouro_share(handed->nodes[i]);
    }
}

/* The maker is at work: it is told, and looks. */
static void hand_over(uint64_t n)
{
    struct handed handed = {.count = n, .attached = true};
    make_all(&handed);
    join(take_all, &handed);
    ouro_safepoint();
    free(handed.nodes);
    ouro_mem_trim();
}

/* The maker is parked: whoever drops does it all. */
static void hand_over_parked(uint64_t n)
{
    struct handed handed = {.count = n, .attached = true};
    make_all(&handed);
    ouro_blocking_begin();
    join(take_all, &handed);
    ouro_blocking_end();
    free(handed.nodes);
    ouro_mem_trim();
}

static void *make_unbiased(void *handed)
{
    check(ouro_thread_attach(OURO_THREAD_UNBIASED) == OURO_OK);
    make_all(handed);
    return NULL;
}

static void hand_over_unbiased(uint64_t n)
{
    struct handed handed = {.count = n, .attached = true, .unbiased = true};
    join(make_unbiased, &handed);
    join(take_all, &handed);
    free(handed.nodes);
    ouro_mem_trim();
}

static void hand_over_chain(uint64_t n)
{
    node *first = chain(n, true);
    join(drop_all, first);
    ouro_safepoint();
    ouro_mem_trim();
}

/* ---- Slots ---- */

static void set(uint64_t n)
{
    for (; n; n--)
        ouro_set(pair[0], &pair[0]->left, pair[1]);
}

static void get_release(uint64_t n)
{
    for (; n; n--)
        ouro_release(ouro_get(pair[0], &pair[0]->left));
}

static void take_give(uint64_t n)
{
    for (; n; n--)
        ouro_give(pair[0], &pair[0]->left, ouro_take(pair[0], &pair[0]->left));
}

static void compare_set(uint64_t n)
{
    for (; n; n--)
        check(ouro_compare_set(pair[0], &pair[0]->left, pair[1], pair[1]));
}

static void read_section(uint64_t n)
{
    for (; n; n--) {
        ouro_read_begin();
        ouro_read_end();
    }
}

static void peek(uint64_t n)
{
    node *o = pair[0];
    uintptr_t sum = 0;
    ouro_read_begin();
    for (; n; n--) {
        BENCH_OPAQUE(o);
        sum |= (uintptr_t)ouro_peek(&o->left);
    }
    ouro_read_end();
    check(!sum || sum == (uintptr_t)pair[1]);
}

/* ---- Weak references ---- */

static void weak_new(uint64_t n)
{
    ouro_weak *first = ouro_weak_new(pair[1], NULL, NULL);
    for (; n; n--)
        ouro_release(ouro_weak_new(pair[1], NULL, NULL));
    ouro_release(first);
}

static void weak_get(uint64_t n)
{
    ouro_weak *weak = ouro_weak_new(pair[1], NULL, NULL);
    for (; n; n--)
        ouro_release(ouro_weak_get(weak));
    ouro_release(weak);
}

static void weak_target(uint64_t n)
{
    for (; n; n--) {
        node *target = node_new();
        ouro_weak *weak = ouro_weak_new(target, NULL, NULL);
        ouro_release(target);
        check(!ouro_weak_get(weak));
        ouro_release(weak);
    }
}

/* ---- Threads ---- */

static void safepoint(uint64_t n)
{
    for (; n; n--)
        ouro_safepoint();
}

static void blocking(uint64_t n)
{
    for (; n; n--) {
        ouro_blocking_begin();
        ouro_blocking_end();
    }
}

/* ---- Collections ---- */

static void rings_private(uint64_t n)
{
    for (uint64_t i = 0; i < n / RING; i++)
        ouro_release(ring());
    check(ouro_gc_collect(0) == (long)(n / RING * RING));
}

static void rings_by_hand(uint64_t n) /* the same, opened before they are dropped */
{
    for (uint64_t i = 0; i < n / RING; i++) {
        node *first = ring();
        ouro_release(ouro_take(first, &first->left));
        ouro_release(first);
    }
}

static void rings_shared(uint64_t n)
{
    for (uint64_t i = 0; i < n / RING; i++) {
        node *first = ring();
        ouro_share(first);
        ouro_release(first);
    }
    check(ouro_gc_collect(2) == (long)(n / RING * RING));
    ouro_mem_trim();
}

/* Collected again and again: all but the first few presume that all is garbage. */
static void rings_presumed(uint64_t n)
{
    for (uint64_t i = 0; i < n / RING; i++) {
        node *first = ring();
        ouro_share(first);
        ouro_release(first);
        if ((i + 1) % RINGS == 0)
            check(ouro_gc_collect(2) == RINGS * RING);
    }
    ouro_mem_trim();
}

static node *graph;

static void private_graph(void)
{
    graph = chain(GRAPH, false);
}

static void shared_graph(void)
{
    graph = chain(GRAPH, true);
}

static void drop_graph(void)
{
    ouro_release(graph);
}

/* TIMES is in objects looked at. A young collection passes by what has aged: one by one, the first look at each. */
static void collect_young_live(uint64_t n)
{
    node *first = chain(n, false);
    check(ouro_gc_collect(0) == 0);
    ouro_release(first);
}

static void collect_live(uint64_t n)
{
    for (uint64_t i = 0; i < n / GRAPH; i++)
        check(ouro_gc_collect(2) == 0);
}

static void collect_nothing(uint64_t n)
{
    for (; n; n--)
        check(ouro_gc_collect(2) == 0);
}

/* ---- Values ---- */

static ouro_value list, dict, keys[KEYS];

static void make_values(void)
{
    list = ouro_list_new();
    dict = ouro_dict_new();
    for (int i = 0; i < KEYS; i++) {
        char text[16];
        int length = snprintf(text, sizeof text, "key%d", i);
        check(ouro_string_new(text, (size_t)length, &keys[i]) == OURO_OK);
        check(ouro_list_append(list, keys[i]) == OURO_OK);
        check(ouro_dict_set(dict, keys[i], ouro_int_new(i)) == OURO_OK);
    }
}

static void share_values(void)
{
    make_values();
    ouro_value_share(list);
    ouro_value_share(dict);
}

static void drop_values(void)
{
    for (int i = 0; i < KEYS; i++)
        ouro_value_release(keys[i]);
    ouro_value_release(list);
    ouro_value_release(dict);
}

static void list_get(uint64_t n)
{
    for (; n; n--) {
        ouro_value item;
        check(ouro_list_get(list, (ptrdiff_t)(n % KEYS), &item) == OURO_OK);
        ouro_value_release(item);
    }
}

static void list_set(uint64_t n)
{
    for (; n; n--)
        check(ouro_list_set(list, (ptrdiff_t)(n % KEYS), keys[n % KEYS]) == OURO_OK);
}

static void dict_get(uint64_t n)
{
    for (; n; n--) {
        ouro_value item;
        check(ouro_dict_get(dict, keys[n % KEYS], &item) == OURO_OK);
        check(ouro_int_value(item) == (int64_t)(n % KEYS));
    }
}

static void dict_set(uint64_t n)
{
    for (; n; n--)
        check(ouro_dict_set(dict, keys[n % KEYS], ouro_int_new((int64_t)(n % KEYS))) == OURO_OK);
}

/* ---- */

static const struct operation {
    const char *name;
    void (*before)(void);
    void (*run)(uint64_t n);
    void (*after)(void);
    const char *text;
} operations[] = {
    {"empty", private_pair, empty, drop_pair, "nothing: the loop around the others"},
    {"retain-own", private_pair, retain_release, drop_pair, "retain and release by the owner"},
    {"retain-foreign", shared_pair, retain_release_foreign, drop_pair, "the same by another thread"},
    {"retain-merged", merged_pair, retain_release, drop_pair, "the same, of an object that is widely shared: from credit"},
    {"new", nothing, new_release, nothing, "make and drop a node, private"},
    {"new-shared", nothing, share_one, nothing, "make, share and drop a node"},
    {"chain", nothing, drop_chain, nothing, "make a node of a chain, and drop it with the chain; private"},
    {"chain-shared", nothing, drop_shared_chain, nothing, "the same, shared"},
    {"handover", nothing, hand_over, nothing, "make and share a node, with its bias; another thread drops it, the maker looks"},
    {"handover-chain", nothing, hand_over_chain, nothing, "the same, all by one drop"},
    {"handover-parked", nothing, hand_over_parked, nothing, "the same one by one, the maker in a blocking region"},
    {"handover-unbiased", nothing, hand_over_unbiased, nothing, "the same between unbiased threads"},
    {"set-private", private_pair, set, drop_pair, "ouro_set, private container"},
    {"set-shared", shared_pair, set, drop_pair, "ouro_set, shared container"},
    {"get-private", private_pair, get_release, drop_pair, "ouro_get and release, private container"},
    {"get-shared", shared_pair, get_release, drop_pair, "ouro_get and release, shared container"},
    {"take-give-private", private_pair, take_give, drop_pair, "ouro_take and ouro_give, private container"},
    {"take-give-shared", shared_pair, take_give, drop_pair, "ouro_take and ouro_give, shared container"},
    {"compare-set-shared", shared_pair, compare_set, drop_pair, "ouro_compare_set, shared container"},
    {"read", nothing, read_section, nothing, "an empty read section"},
    {"peek", shared_pair, peek, drop_pair, "ouro_peek in a read section"},
    {"weak-new", private_pair, weak_new, drop_pair, "make and drop a weak reference, private target"},
    {"weak-new-shared", shared_pair, weak_new, drop_pair, "the same, shared target"},
    {"weak-get", private_pair, weak_get, drop_pair, "ouro_weak_get and release, private target"},
    {"weak-get-shared", shared_pair, weak_get, drop_pair, "the same, shared target"},
    {"weak-life", nothing, weak_target, nothing, "make an object and a weak reference to it, drop both"},
    {"safepoint", nothing, safepoint, nothing, "ouro_safepoint with nothing to do"},
    {"blocking", nothing, blocking, nothing, "ouro_blocking_begin and ouro_blocking_end"},
    {"rings-open", nothing, rings_by_hand, nothing, "make a node of a ring, open the ring and drop it"},
    {"rings", nothing, rings_private, nothing, "the same, not opened: found by a young collection"},
    {"rings-shared", nothing, rings_shared, nothing, "the same, shared: found by a concurrent collection"},
    {"rings-presumed", nothing, rings_presumed, nothing, "the same, where nearly nothing was alive of late: presumed to be garbage"},
    {"young-live", nothing, collect_young_live, nothing, "make a node of a chain, a young collection, drop it"},
    {"full-live", shared_graph, collect_live, drop_graph, "a full collection, per live shared object that nobody has touched since the last"},
    {"full-private", private_graph, collect_live, drop_graph, "a full collection, per live private object"},
    {"full-nothing", nothing, collect_nothing, nothing, "a full collection of an empty heap"},
    {"list-get", make_values, list_get, drop_values, "ouro_list_get and release, private list"},
    {"list-get-shared", share_values, list_get, drop_values, "the same, shared list"},
    {"list-set-shared", share_values, list_set, drop_values, "ouro_list_set, shared list"},
    {"dict-get", make_values, dict_get, drop_values, "ouro_dict_get of a string, private dict"},
    {"dict-get-shared", share_values, dict_get, drop_values, "the same, shared dict"},
    {"dict-set-shared", share_values, dict_set, drop_values, "ouro_dict_set of a string that is there, shared dict"},
};

enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static int run(const struct operation *operation, uint64_t n)
{
    ouro_leak_report leaks;
    ouro_gc_disable();
    operation->before();
    operation->run(n);
    operation->after();
    check(ouro_shutdown(&leaks) == OURO_OK && leaks.objects == 0);
    if (!right)
        fprintf(stderr, "cost: %s: the result is wrong\n", operation->name);
    return right ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--list")) {
        for (int i = 0; i < OPERATIONS; i++)
            printf("%-20s %s\n", operations[i].name, operations[i].text);
        return 0;
    }
    bool all = argc == 3 && !strcmp(argv[1], "--all");
    int status = all ? 0 : 2;
    for (int i = 0; argc == 3 && i < OPERATIONS; i++) {
        if (all || !strcmp(argv[1], operations[i].name))
            status = run(&operations[i], strtoull(argv[2], NULL, 10)) | (all ? status : 0);
    }
    if (status == 2)
        fprintf(stderr, "usage: cost --list | cost NAME TIMES | cost --all TIMES\n");
    return status;
}
