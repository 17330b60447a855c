/* SPDX-License-Identifier: MIT
 *
 * Nodes that others drop than those who made them: all at once, and as in a server whose threads come and go (after Larson and
 * Krishnan's benchmark of allocators). */
#include <stdatomic.h>

#include "peer.h"

enum { REPLACED = 50000, LIST_MOST = 8, LINE = 128 };

static node **places[PEER_THREADS_MAX];

/* ---- storms ---- */

static pthread_barrier_t together;
static atomic_bool is_over;

/* Each makes as many as it has places for; when all have, each drops its neighbour's. Lasts until the time is up, so that all
 * make as many rounds. */
static uint64_t round_storm(void *state, unsigned index)
{
    double begin = peer_now();
    uint64_t operations = 0;
    bool is_last = atomic_load_explicit(&is_over, memory_order_relaxed); /* this thread's clock started later than the first's */
    (void)state;
    while (!is_last) {
        node **mine = places[index], **theirs = places[(index + 1) % peer.threads];
        for (uint64_t i = 0; i < peer.size; i++) {
            mine[i] = heap_new();
            mine[i]->key = i;
            heap_share(mine[i]);
        }
        peer_meet(&together);
        uint64_t sum = 0;
        for (uint64_t i = 0; i < peer.size; i++) {
            node *n = theirs[i];
            theirs[i] = NULL;
            sum += n->key;
            heap_drop(n);
        }
        peer_check(sum == peer.size * (peer.size - 1) / 2, "the payloads do not add up");
        operations += peer.size;
        if (index == 0 && peer_now() - begin >= peer.seconds)
            atomic_store_explicit(&is_over, true, memory_order_relaxed); /* the barrier orders it */
        peer_meet(&together);
        is_last = atomic_load_explicit(&is_over, memory_order_relaxed);
    }
    return operations;
}

void work_storm(void)
{
    uint64_t before = heap_live();
    for (unsigned i = 0; i < peer.threads; i++)
        places[i] = heap_array(peer.size);
    pthread_barrier_init(&together, NULL, peer.threads);
    peer_time time = peer_repeat(round_storm, NULL);
    pthread_barrier_destroy(&together);
    for (unsigned i = 0; i < peer.threads; i++) {
        heap_array_free(places[i]);
        places[i] = NULL;
    }
    peer_check_live(before);
    peer_report_time(time, "ns/node");
}

/* ---- a server whose threads come and go ---- */

static struct {
    _Alignas(LINE) uint64_t random, made, dropped, sum; /* nodes; sum of the keys made less those dropped */
} servers[PEER_THREADS_MAX];

/* A list of 1 to LIST_MOST nodes takes the place of another, or of none. */
static void replace(unsigned index, uint64_t at)
{
    uint64_t length = 1 + peer_random_below(&servers[index].random, LIST_MOST);
    node *old = places[index][at], *head = NULL;
    for (const node *n = old; n; n = heap_peek(&n->left)) {
        servers[index].dropped++;
        servers[index].sum -= n->key;
    }
    if (old)
        heap_drop_list(old);
    for (uint64_t i = 0; i < length; i++) {
        node *n = heap_new();
        n->key = servers[index].made++;
        servers[index].sum += n->key;
        if (head)
            heap_give(n, &n->left, head);
        head = n;
    }
    heap_share(head); /* the next thread has it, too */
    places[index][at] = head;
}

static void *run_server(void *arg)
{
    unsigned index = (unsigned)(uintptr_t)arg;
    for (unsigned i = 0; i < REPLACED; i++)
        replace(index, peer_random_below(&servers[index].random, peer.size));
    heap_thread_end();
    return NULL;
}

/* A thread that ends when it has replaced enough, and leaves its lists to the next. */
static uint64_t round_larson(void *state, unsigned index)
{
    pthread_t server;
    uint64_t made = servers[index].made;
    (void)state;
    if (pthread_create(&server, NULL, run_server, (void *)(uintptr_t)index) != 0)
        abort();
    heap_wait_begin();
    pthread_join(server, NULL);
    heap_wait_end();
    return servers[index].made - made;
}

void work_larson(void)
{
    uint64_t before = heap_live();
    for (unsigned i = 0; i < peer.threads; i++) {
        places[i] = heap_array(peer.size);
        servers[i].random = PEER_SEED + i;
    }
    peer_time time = peer_repeat(round_larson, NULL);
    for (unsigned i = 0; i < peer.threads; i++) {
        for (uint64_t k = 0; k < peer.size; k++) {
            for (const node *n = places[i][k]; n; n = heap_peek(&n->left)) {
                servers[i].dropped++;
                servers[i].sum -= n->key;
            }
            if (places[i][k])
                heap_drop_list(places[i][k]);
        }
        peer_check(servers[i].made == servers[i].dropped && servers[i].sum == 0, "nodes have been lost");
        heap_array_free(places[i]);
        places[i] = NULL;
    }
    peer_check_live(before);
    peer_report_time(time, "ns/node");
}
