/* SPDX-License-Identifier: MIT
 *
 * A random graph: collected while it lives, collected when it is dropped, and collected over and over beside a thread
 * that must not notice. */
#include <pthread.h>
#include <stdatomic.h>

#include "peer.h"

enum { RING = 4, GAP_NS = 1000000 };

static node *graph; /* the first node, which holds the others */

static void graph_make(void)
{
    uint64_t random = PEER_SEED, *order = peer_shuffled(peer.size, &random);
    node **nodes = heap_array(peer.size);
    for (uint64_t i = 0; i < peer.size; i++) {
        nodes[i] = heap_new();
        nodes[i]->key = i;
    }
    for (uint64_t i = 0; i < peer.size; i++) {
        node *n = nodes[order[i]];
        heap_link(n, &n->left, nodes[order[i + 1 == peer.size ? 0 : i + 1]]);
        heap_link(n, &n->right, nodes[peer_random_below(&random, peer.size)]);
    }
    graph = nodes[order[0]];
    heap_share(graph);
    for (uint64_t i = 0; i < peer.size; i++) {
        if (nodes[i] != graph)
            heap_forget(nodes[i]);
    }
    heap_array_free(nodes);
    free(order);
}

static void graph_check(void)
{
    peer_check(ring_sum(graph, peer.size) == peer.size * (peer.size - 1) / 2, "the graph is not what was made");
}

static void graph_drop(void)
{
    node *first = graph;
    graph = NULL;
    heap_drop_ring(first);
}

void work_collect_live(void)
{
    peer_time time = {0};
    if (!HEAP_COLLECTS) {
        peer_skip("no collector");
        return;
    }
    uint64_t before = heap_live();
    graph_make();
    heap_collect(); /* what there is to do once has been done */
    do {
        peer_begin(&time);
        heap_collect();
        peer_end(&time);
        time.operations += peer.size;
    } while (peer_goes_on(&time));
    graph_check();
    graph_drop();
    heap_collect();
    peer_check_live(before);
    peer_report_time(time, "ns/node");
}

void work_collect_garbage(void)
{
    peer_time time = {0};
    uint64_t before = heap_live();
    do {
        graph_make();
        graph_check();
        heap_collect();
        peer_begin(&time);
        graph_drop();
        heap_collect();
        peer_end(&time);
        time.operations += peer.size;
    } while (peer_goes_on(&time));
    peer_check_live(before);
    peer_report_time(time, "ns/node");
}

/* ---- pauses ---- */

static struct {
    histogram rounds;
    uint64_t lost_ns, all_ns;
} probe;

static atomic_bool is_over;

/* The time between two readings of the clock is a sample, so all of the thread's time is in them. */
static void *run_probe(void *unused)
{
    uint64_t begin = peer_now_ns(), last = begin;
    (void)unused;
    while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
        heap_drop_ring(ring_make(RING));
        uint64_t now = peer_now_ns(), took = now - last;
        histogram_add(&probe.rounds, took);
        if (took > GAP_NS)
            probe.lost_ns += took;
        last = now;
    }
    probe.all_ns = last - begin;
    heap_thread_end();
    return NULL;
}

void work_pause(void)
{
    pthread_t thread;
    uint64_t collections = 0;
    bool is_collecting = peer.threads == 2;
    if (is_collecting && !HEAP_COLLECTS) {
        peer_skip("no collector");
        return;
    }
    uint64_t before = heap_live();
    graph_make();
    heap_collect();
    if (pthread_create(&thread, NULL, run_probe, NULL) != 0)
        abort();
    double begin = peer_now();
    while (peer_now() - begin < peer.seconds) {
        struct timespec nap = {.tv_nsec = 10000000};
        if (is_collecting) {
            heap_collect();
            collections++;
        } else {
            heap_wait_begin();
            nanosleep(&nap, NULL);
            heap_wait_end();
        }
    }
    atomic_store_explicit(&is_over, true, memory_order_relaxed);
    heap_wait_begin();
    pthread_join(thread, NULL);
    heap_wait_end();
    double took = peer_now() - begin, resident = peer_resident("VmRSS");
    graph_check();
    graph_drop();
    heap_collect();
    peer_check_live(before);
    uint64_t rounds = probe.rounds.samples;
    peer_report_percentiles(&probe.rounds, "a ring of four made and dropped");
    peer_report("lost", 100 * (double)probe.lost_ns / (double)probe.all_ns, "%", rounds);
    peer_report("resident", resident * 1e-6, "MB", rounds);
    if (is_collecting)
        peer_report("collections", (double)collections / took, "/s", collections);
}
