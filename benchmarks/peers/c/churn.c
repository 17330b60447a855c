/* SPDX-License-Identifier: MIT
 *
 * Counting, and nodes that come and go: one at a time, in a row, from thread to thread, in rings, as a long list. */
#include <sched.h>
#include <stdatomic.h>

#include "peer.h"

enum { PAIRS = 1000000, NODES = 100000, HANDED = 100000, RINGS_NODES = 100000, LINE = 128 };

/* ---- retain and release ---- */

static node *held[PEER_THREADS_MAX];

static void pairs(node *n)
{
    for (unsigned i = 0; i < PAIRS; i++) {
        __asm__ volatile("" : "+r"(n)); /* an object of which the compiler knows nothing */
        heap_retain(n);
        __asm__ volatile("" : "+r"(n));
        heap_release(n);
    }
}

static uint64_t round_own(void *state, unsigned index)
{
    (void)state;
    if (!held[index]) {
        held[index] = heap_new();
        heap_share(held[index]);
    }
    pairs(held[index]);
    return PAIRS;
}

static uint64_t round_shared(void *state, unsigned index)
{
    (void)state;
    (void)index;
    pairs(held[0]);
    return PAIRS;
}

static void retain(peer_round *round)
{
    if (!HEAP_COUNTS) {
        peer_skip("no reference counts");
        return;
    }
    uint64_t before = heap_live();
    if (round == round_shared) {
        held[0] = heap_new();
        heap_share(held[0]);
    }
    peer_time time = peer_repeat(round, NULL);
    for (unsigned i = 0; i < PEER_THREADS_MAX; i++) {
        if (!held[i])
            continue;
        peer_check(heap_count(held[i]) == 1, "an object is left with more or less than one reference");
        heap_drop(held[i]);
    }
    peer_check_live(before);
    peer_report_time(time, "ns/pair");
}

void work_retain_own(void)
{
    retain(round_own);
}

void work_retain_shared(void)
{
    retain(round_shared);
}

/* ---- one at a time, and in a row ---- */

static const uint64_t sum_of_nodes = (uint64_t)NODES * (NODES - 1) / 2;

static uint64_t round_lifo(void *state, unsigned index)
{
    uint64_t sum = 0;
    (void)state;
    (void)index;
    for (uint64_t i = 0; i < NODES; i++) {
        node *n = heap_new();
        n->key = i;
        __asm__ volatile("" : "+r"(n) : : "memory");
        sum += n->key;
        heap_drop(n);
    }
    peer_check(sum == sum_of_nodes, "the payloads do not add up");
    return NODES;
}

void work_lifo(void)
{
    uint64_t before = heap_live();
    peer_time time = peer_repeat(round_lifo, NULL);
    peer_check_live(before);
    peer_report_time(time, "ns/node");
}

static node **rows[PEER_THREADS_MAX];

static uint64_t round_fifo(void *state, unsigned index)
{
    uint64_t sum = 0, at = 0;
    node **row = rows[index];
    (void)state;
    for (uint64_t i = 0; i < NODES + peer.size; i++) {
        if (row[at]) {
            sum += row[at]->key;
            heap_drop(row[at]);
            row[at] = NULL;
        }
        if (i < NODES) {
            row[at] = heap_new();
            row[at]->key = i;
        }
        at = at + 1 == peer.size ? 0 : at + 1;
    }
    peer_check(sum == sum_of_nodes, "the payloads do not add up");
    return NODES;
}

void work_fifo(void)
{
    uint64_t before = heap_live();
    for (unsigned i = 0; i < peer.threads; i++)
        rows[i] = heap_array(peer.size);
    peer_time time = peer_repeat(round_fifo, NULL);
    for (unsigned i = 0; i < peer.threads; i++) {
        heap_array_free(rows[i]);
        rows[i] = NULL;
    }
    peer_check_live(before);
    peer_report_time(time, "ns/node");
}

/* ---- from one thread to another ---- */

static struct {
    _Alignas(LINE) _Atomic uint64_t made; /* by thread 0, ever */
    _Alignas(LINE) _Atomic uint64_t taken; /* by thread 1, ever */
    _Alignas(LINE) _Atomic int is_over;
    node **places;
} handed;

/* Both sides wait politely: there may be fewer processors than threads. */
static uint64_t make_for_the_other(void)
{
    uint64_t made = atomic_load_explicit(&handed.made, memory_order_relaxed);
    for (uint64_t i = 0; i < HANDED; i++, made++) {
        /* Acquire, with the store of taken: the place has been read. */
        while (made - atomic_load_explicit(&handed.taken, memory_order_acquire) == peer.size)
            sched_yield();
        node *n = heap_new();
        n->key = made;
        heap_share(n);
        handed.places[made % peer.size] = n;
        atomic_store_explicit(&handed.made, made + 1, memory_order_release); /* with the load of made */
    }
    return HANDED;
}

static uint64_t drop_of_the_other(void)
{
    uint64_t taken = atomic_load_explicit(&handed.taken, memory_order_relaxed);
    bool in_order = true;
    for (uint64_t i = 0; i < HANDED; i++, taken++) {
        while (atomic_load_explicit(&handed.made, memory_order_acquire) == taken)
            sched_yield();
        node *n = handed.places[taken % peer.size];
        handed.places[taken % peer.size] = NULL;
        in_order &= n->key == taken;
        heap_drop(n);
        atomic_store_explicit(&handed.taken, taken + 1, memory_order_release);
    }
    peer_check(in_order, "a node has come with a wrong payload");
    return 0;
}

/* The first thread decides when it is over, and has the second take as many rounds as it has made itself. */
static uint64_t round_handover(void *state, unsigned index)
{
    double begin = peer_now();
    uint64_t operations = 0;
    (void)state;
    if (index == 0) {
        do
            operations += make_for_the_other();
        while (peer_now() - begin < peer.seconds);
        atomic_store_explicit(&handed.is_over, 1, memory_order_release); /* after the last of made */
        return operations;
    }
    for (;;) {
        if (atomic_load_explicit(&handed.made, memory_order_acquire) !=
            atomic_load_explicit(&handed.taken, memory_order_relaxed))
            drop_of_the_other();
        else if (atomic_load_explicit(&handed.is_over, memory_order_acquire) &&
                 atomic_load_explicit(&handed.made, memory_order_acquire) ==
                     atomic_load_explicit(&handed.taken, memory_order_relaxed))
            return 0;
        else
            sched_yield();
    }
}

void work_handover(void)
{
    uint64_t before = heap_live();
    handed.places = heap_array(peer.size);
    /* A round lasts until the time is up, so there is one. */
    peer_time time = peer_repeat(round_handover, NULL);
    peer_check(handed.made == handed.taken, "nodes have been lost");
    heap_array_free(handed.places);
    handed.places = NULL;
    peer_check_live(before);
    peer_report_time(time, "ns/node");
}

/* ---- rings ---- */

node *ring_make(uint64_t size)
{
    node *first = heap_new(), *at = first;
    for (uint64_t i = 1; i < size; i++) {
        node *n = heap_new();
        n->key = i;
        heap_give(at, &at->left, n);
        at = n;
    }
    heap_link(at, &at->left, first);
    return first;
}

uint64_t ring_sum(const node *first, uint64_t size)
{
    uint64_t sum = 0, nodes = 0;
    const node *at = first;
    do {
        sum += at->key;
        at = heap_peek(&at->left);
    } while (++nodes < size && at != first);
    return nodes == size && at == first ? sum : UINT64_MAX;
}

static uint64_t round_rings(void *state, unsigned index)
{
    uint64_t rings = RINGS_NODES / peer.size + 1;
    (void)state;
    (void)index;
    for (uint64_t i = 0; i < rings; i++) {
        node *ring = ring_make(peer.size);
        if (i == 0)
            peer_check(ring_sum(ring, peer.size) == peer.size * (peer.size - 1) / 2, "a ring is not what was made");
        heap_drop_ring(ring);
    }
    return rings * peer.size;
}

void work_rings(void)
{
    uint64_t before = heap_live();
    peer_time time = peer_repeat(round_rings, NULL);
    peer_begin(&time);
    heap_collect();
    peer_end(&time);
    peer_check_live(before);
    peer_report_time(time, "ns/node");
}

/* ---- a long list ---- */

static node *head;

void work_deep(void)
{
    peer_time time = {0};
    uint64_t before = heap_live();
    do {
        for (uint64_t i = 0; i < peer.size; i++) {
            node *n = heap_new();
            n->key = i;
            if (head)
                heap_give(n, &n->left, head);
            head = n;
        }
        uint64_t nodes = 0, sum = 0;
        for (const node *n = head; n; n = heap_peek(&n->left), nodes++)
            sum += n->key;
        peer_check(nodes == peer.size && sum == peer.size * (peer.size - 1) / 2, "the list is not what was made");
        peer_begin(&time);
        node *list = head;
        head = NULL;
        heap_drop_list(list);
        if (!HEAP_COUNTS)
            heap_collect(); /* nothing else finds it */
        peer_end(&time);
        time.operations += peer.size;
    } while (peer_goes_on(&time));
    peer_check_live(before);
    peer_report_time(time, "ns/node");
}
