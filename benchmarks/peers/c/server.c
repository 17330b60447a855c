/* SPDX-License-Identifier: MIT
 *
 * A server with sessions, under a load that does not wait for it: requests arrive when they are due, and a request's latency counts
 * from then, also while the one before it is still being served. */
#include <sched.h>

#include "peer.h"

enum { SESSIONS = 16384, SESSION = 10, DEPTH = 5, LOCKS = 64, LINE = 128 };

static node **sessions; /* rings */
static pthread_mutex_t locks[LOCKS];

static struct {
    _Alignas(LINE) histogram latencies;
    uint64_t random, due, served;
} workers[PEER_THREADS_MAX];

/* Reads a session, puts a new one in its place, and builds an answer that is dropped. */
static bool serve(uint64_t key)
{
    node *fresh = ring_make(SESSION);
    heap_share(fresh);
    pthread_mutex_t *lock = &locks[key % LOCKS];
    pthread_mutex_lock(lock);
    node *old = sessions[key];
    uint64_t sum = ring_sum(old, SESSION);
    sessions[key] = fresh;
    pthread_mutex_unlock(lock);
    heap_drop_ring(old);
    node *answer = tree_make(DEPTH);
    uint64_t nodes = tree_count(answer);
    heap_drop_tree(answer);
    return sum == SESSION * (SESSION - 1) / 2 && nodes == tree_nodes(DEPTH);
}

static void wait_until(uint64_t due)
{
    heap_wait_begin();
    while (peer_now_ns() < due)
        sched_yield();
    heap_wait_end();
}

/* All requests that are due within the time; those that could not be served within twice that time are left. */
static uint64_t round_server(void *state, unsigned index)
{
    uint64_t mean = peer.threads * UINT64_C(1000000000) / peer.size, end = (uint64_t)(peer.seconds * 1e9), arrival = 0;
    uint64_t begin = peer_now_ns();
    bool ok = true;
    (void)state;
    for (;;) {
        arrival += peer_random_below(&workers[index].random, 2 * mean);
        if (arrival >= end)
            break;
        workers[index].due++;
        if (peer_now_ns() - begin >= 2 * end)
            continue;
        wait_until(begin + arrival);
        ok &= serve(peer_random_below(&workers[index].random, SESSIONS));
        histogram_add(&workers[index].latencies, peer_now_ns() - begin - arrival);
        workers[index].served++;
    }
    wait_until(begin + end); /* or there would be a second round */
    peer_check(ok, "a session or an answer is not what was made");
    return workers[index].served;
}

static void merge(histogram *all, const histogram *more)
{
    all->samples += more->samples;
    all->sum += more->sum;
    all->max = more->max > all->max ? more->max : all->max;
    for (unsigned i = 0; i < HISTOGRAM_RANGES; i++)
        all->counts[i] += more->counts[i];
}

void work_server(void)
{
    static histogram all;
    uint64_t before = heap_live(), due = 0, served = 0;
    sessions = heap_array(SESSIONS);
    for (unsigned i = 0; i < LOCKS; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (uint64_t i = 0; i < SESSIONS; i++) {
        sessions[i] = ring_make(SESSION);
        heap_share(sessions[i]);
    }
    for (unsigned i = 0; i < peer.threads; i++)
        workers[i].random = PEER_SEED + i;
    peer_repeat(round_server, NULL);
    for (unsigned i = 0; i < peer.threads; i++) {
        merge(&all, &workers[i].latencies);
        due += workers[i].due;
        served += workers[i].served;
    }
    for (uint64_t i = 0; i < SESSIONS; i++) {
        peer_check(ring_sum(sessions[i], SESSION) == SESSION * (SESSION - 1) / 2, "a session is not what was made");
        heap_drop_ring(sessions[i]);
    }
    heap_array_free(sessions);
    sessions = NULL;
    heap_collect();
    peer_check_live(before);
    peer_report_percentiles(&all, "from when a request was due to its answer");
    peer_report("served", 100 * (double)served / (double)due, "%", due);
}
