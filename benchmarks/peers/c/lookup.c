/* SPDX-License-Identifier: MIT
 *
 * A search tree that threads look things up in, while nothing changes, or while another replaces nodes. */
#include <pthread.h>
#include <stdatomic.h>

#include "peer.h"

enum { LOOKUPS = 10000, LINE = 128 };

static node *holder; /* its left reference is the tree */
static int is_changing;
static atomic_bool is_over;

static struct {
    _Alignas(LINE) uint64_t random;
} readers[PEER_THREADS_MAX];

static node_ref *child(node *n, uint64_t key)
{
    return key < n->key ? &n->left : &n->right;
}

static void tree_build(void)
{
    uint64_t random = PEER_SEED, *keys = peer_shuffled(peer.size, &random);
    holder = heap_new();
    for (uint64_t i = 0; i < peer.size; i++) {
        node *in = holder, *at;
        node_ref *ref = &holder->left;
        while ((at = heap_peek(ref)) != NULL) {
            in = at;
            ref = child(at, keys[i]);
        }
        node *n = heap_new();
        n->key = keys[i];
        heap_give(in, ref, n);
    }
    heap_share(holder);
    free(keys);
}

static uint64_t round_lookups(void *state, unsigned index)
{
    uint64_t hops = 0, missed = 0;
    (void)state;
    for (unsigned i = 0; i < LOOKUPS; i++) {
        uint64_t key = peer_random_below(&readers[index].random, peer.size);
        heap_read_begin(is_changing);
        node *at = heap_peek(&holder->left);
        hops++;
        while (at && at->key != key) {
            at = heap_peek(child(at, key));
            hops++;
        }
        missed += !at;
        heap_read_end(is_changing);
    }
    peer_check(missed == 0, "a key was not found");
    return hops;
}

/* A node with the same key and children, and its value one higher, takes the place of a random one. */
static void replace(uint64_t key)
{
    node *in = holder, *old;
    node_ref *ref = &holder->left;
    while ((old = heap_peek(ref)) != NULL && old->key != key) {
        in = old;
        ref = child(old, key);
    }
    node *fresh = heap_new(), *left = heap_peek(&old->left), *right = heap_peek(&old->right);
    fresh->key = key;
    fresh->value = old->value + 1;
    if (left)
        heap_link(fresh, &fresh->left, left);
    if (right)
        heap_link(fresh, &fresh->right, right);
    heap_replace(in, ref, old, fresh);
}

static void *run_writer(void *arg)
{
    uint64_t random = PEER_SEED + 1, *replaced = arg;
    while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
        replace(peer_random_below(&random, peer.size));
        ++*replaced;
    }
    heap_thread_end();
    return NULL;
}

static void tree_totals(const node *n, uint64_t *nodes, uint64_t *values)
{
    for (; n; n = heap_peek(&n->right)) {
        ++*nodes;
        *values += n->value;
        tree_totals(heap_peek(&n->left), nodes, values);
    }
}

static void lookup(void)
{
    pthread_t writer;
    uint64_t before = heap_live(), replaced = 0, nodes = 0, values = 0;
    tree_build();
    for (unsigned i = 0; i < PEER_THREADS_MAX; i++)
        readers[i].random = PEER_SEED + 2 + i;
    if (is_changing && pthread_create(&writer, NULL, run_writer, &replaced) != 0)
        abort();
    double begin = peer_now();
    peer_time time = peer_repeat(round_lookups, NULL);
    if (is_changing) {
        atomic_store_explicit(&is_over, true, memory_order_relaxed);
        heap_wait_begin();
        pthread_join(writer, NULL);
        heap_wait_end();
    }
    double took = peer_now() - begin;
    tree_totals(heap_peek(&holder->left), &nodes, &values);
    peer_check(nodes == peer.size && values == replaced, "nodes or replacements have been lost");
    node *tree = holder;
    holder = NULL;
    heap_drop_tree(tree);
    peer_check_live(before);
    if (is_changing)
        time.cpu = 0; /* the writer's is in it */
    peer_report_time(time, "ns/hop");
    if (is_changing)
        peer_report("replaced", (double)replaced / took, "/s", replaced);
}

void work_lookup(void)
{
    lookup();
}

void work_lookup_writer(void)
{
    is_changing = 1;
    lookup();
}
