/* SPDX-License-Identifier: MIT
 *
 * Scenario 1, mailboxes: threads send each other messages (small trees with weak references) through bounded queues
 * that know nothing of the library. Receivers drop messages, keep parts of them, pass them on in a new envelope.
 * Threads wait parked or unparked, end while their messages are under way, and are replaced. So the last reference of
 * nearly every object is dropped by a thread that did not make it, in every state of the maker.
 * Scenario 2, sleepers: owners make objects and sleep parked or are gone, while others drop them: when these are done,
 * all finalizers have run, though no owner has moved.
 * Seed: OURO_TEST_SEED. Asserted at the end: each object was finalized exactly once, none is alive, no misuse. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>

#include "support/fixture.h"
#include "support/rng.h"
#include "support/threads.h"

enum {
    BOXES = 4,
    CAPACITY = 32,
    PATIENT = 32, /* one time in so many a thread waits at a full or empty box */
    THREADS = 4,
    LIVES = SCALED(100) > 12 ? SCALED(100) : 12,
    STEPS = SCALED(20000),
    IDS = LIVES * STEPS * 2
};

struct message {
    ouro_object object;
    ouro_slot content, weak_self, previous;
    uint32_t id, age;
    uint64_t check;
};

static atomic_uchar finalizations[IDS];
static atomic_uint ids;
static atomic_long wrong, forwarded, upgraded;

static void expect(bool ok)
{
    if (!ok)
        atomic_fetch_add(&wrong, 1);
}

static bool intact(const struct message *m)
{
    return m->id < IDS && m->check == m->id * 0x9e3779b97f4a7c15u + 7;
}

static void finalize_message(void *object)
{
    struct message *m = object;
    expect(intact(m));
    if (m->id < IDS)
        expect(atomic_fetch_add(&finalizations[m->id], 1) == 0);
}

static ouro_type message_type =
    OURO_TYPE(struct message, .name = "message", .slots = OURO_SLOTS(struct message, content, weak_self, previous),
              .finalize = finalize_message);

static struct message *message_new(void)
{
    struct message *m = ouro_new(&message_type);
    REQUIRE(m);
    m->id = atomic_fetch_add(&ids, 1) % IDS;
    m->check = m->id * 0x9e3779b97f4a7c15u + 7;
    return m;
}

struct box {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct message *items[CAPACITY];
    unsigned first, used;
};

static struct box boxes[BOXES];

/* Waits at most a millisecond, so that no pattern of senders and receivers comes to a standstill. */
static void wait_a_moment(struct box *box)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    pthread_cond_timedwait(&box->changed, &box->mutex, &until);
}

/* False: the box is full, and the message still the caller's. */
static bool put(struct box *box, struct message *m, bool parked, bool patient)
{
    if (parked)
        ouro_blocking_begin();
    pthread_mutex_lock(&box->mutex);
    if (box->used == CAPACITY && patient)
        wait_a_moment(box);
    bool room = box->used < CAPACITY;
    if (room)
        box->items[(box->first + box->used++) % CAPACITY] = m;
    pthread_cond_signal(&box->changed);
    pthread_mutex_unlock(&box->mutex);
    if (parked)
        ouro_blocking_end();
    return room;
}

static struct message *get(struct box *box, bool parked, bool patient)
{
    struct message *m = NULL;
    if (parked)
        ouro_blocking_begin();
    pthread_mutex_lock(&box->mutex);
    if (box->used == 0 && patient)
        wait_a_moment(box);
    if (box->used) {
        m = box->items[box->first];
        box->first = (box->first + 1) % CAPACITY;
        box->used--;
    }
    pthread_cond_signal(&box->changed);
    pthread_mutex_unlock(&box->mutex);
    if (parked)
        ouro_blocking_end();
    return m;
}

static void send(struct message *m, struct rng *rng)
{
    ouro_share(m);
    if (!put(&boxes[rng_below(rng, BOXES)], m, rng_one_in(rng, 2), rng_one_in(rng, PATIENT)))
        ouro_release(m);
}

static struct message *compose(struct rng *rng)
{
    struct message *m = message_new();
    if (rng_one_in(rng, 2))
        ouro_give(m, &m->content, message_new());
    if (rng_one_in(rng, 3))
        ouro_give(m, &m->weak_self, ouro_weak_new(m, NULL, NULL));
    return m;
}

/* A new envelope around a message, unless it has travelled far enough. */
static void pass_on(struct message *m, struct rng *rng)
{
    if (m->age >= 5) {
        ouro_release(m);
        return;
    }
    struct message *envelope = message_new();
    envelope->age = m->age + 1;
    ouro_give(envelope, &envelope->previous, m);
    atomic_fetch_add(&forwarded, 1);
    send(envelope, rng);
}

static void receive(struct message **kept, struct rng *rng)
{
    struct message *m = get(&boxes[rng_below(rng, BOXES)], rng_one_in(rng, 2), rng_one_in(rng, PATIENT));
    if (!m)
        return;
    expect(intact(m));
    ouro_weak *weak = ouro_get(m, &m->weak_self);
    struct message *self = ouro_weak_get(weak);
    expect(!weak || self == m); /* it is held */
    if (self)
        atomic_fetch_add(&upgraded, 1);
    ouro_release(self);
    ouro_release(weak);
    switch (rng_below(rng, 4)) {
    case 0: /* keep the content, drop the rest */
        ouro_release(*kept);
        *kept = ouro_take(m, &m->content);
        expect(!*kept || intact(*kept));
        ouro_release(m);
        break;
    case 1:
        pass_on(m, rng);
        break;
    default:
        ouro_release(m);
    }
}

static uint64_t seed;

static void *live(void *arg)
{
    struct rng rng = rng_stream(seed, (uintptr_t)arg);
    struct message *kept = NULL;
    if ((uintptr_t)arg % 7 == 6)
        expect(ouro_thread_attach(OURO_THREAD_UNBIASED) == OURO_OK);
    for (int i = 0; i < STEPS; i++) {
        if (rng_one_in(&rng, 2))
            send(compose(&rng), &rng);
        else
            receive(&kept, &rng);
        if (rng_one_in(&rng, 1000))
            ouro_thread_detach();
        if (rng_one_in(&rng, 64))
            yield_sometimes(&rng);
    }
    ouro_release(kept);
    return NULL;
}

static long not_once(unsigned made)
{
    long count = 0;
    for (unsigned i = 0; i < made; i++)
        count += atomic_load(&finalizations[i]) != 1;
    return count;
}

static bool all_finalized(void *made)
{
    return not_once(*(unsigned *)made) == 0;
}

static bool none_lives(void *unused)
{
    (void)unused;
    return live_objects() == 0;
}

static void test_mailboxes(void)
{
    pthread_t running[THREADS];
    for (int i = 0; i < BOXES; i++) {
        pthread_mutex_init(&boxes[i].mutex, NULL);
        pthread_cond_init(&boxes[i].changed, NULL);
    }
    for (unsigned i = 0; i < LIVES + THREADS; i++) {
        if (i >= THREADS)
            thread_join_parked(running[i % THREADS]);
        if (i < LIVES)
            running[i % THREADS] = thread_start(live, (void *)(uintptr_t)i, 0);
    }
    for (int i = 0; i < BOXES; i++)
        for (struct message *m; boxes[i].used && (m = get(&boxes[i], false, false));)
            ouro_release(m);
    ouro_safepoint();
    unsigned made = atomic_load(&ids);
    REQUIRE(made <= IDS);
    (void)wait_until(all_finalized, &made); /* the last ones by the library's thread, perhaps */
    CHECK_EQ(not_once(made), 0);
    CHECK_EQ(atomic_load(&wrong), 0);
    CHECK_GT(atomic_load(&forwarded), 0);
    CHECK_GT(atomic_load(&upgraded), 0);
    CHECK(wait_until(none_lives, NULL));
    printf("       %u messages, %ld passed on, %ld upgrades\n", made, atomic_load(&forwarded), atomic_load(&upgraded));
}

/* ---- Sleepers ---- */

enum { OWNERS = 6, OWNED = SCALED(20000), DROPPERS = 3, ROUNDS = 4 };

static struct node *owned[OWNERS * OWNED];
static struct step over;
static atomic_int next_owned, asleep;

static void *sleeper(void *arg)
{
    uintptr_t number = (uintptr_t)arg;
    for (int i = 0; i < OWNED; i++) {
        struct node *n = node_new_with(i, i % 4 ? NULL : leaf_new(i), NULL);
        ouro_share(n);
        owned[number * OWNED + (uintptr_t)i] = n;
    }
    if (number % 3 == 2) { /* gone, not asleep */
        ouro_thread_detach();
        atomic_fetch_add(&asleep, 1);
        return NULL;
    }
    ouro_blocking_begin();
    atomic_fetch_add(&asleep, 1);
    CHECK(step_wait(&over, 1));
    ouro_blocking_end();
    return NULL;
}

static void drop_owned(struct member *self)
{
    for (int i; (i = atomic_fetch_add(&next_owned, 64)) < OWNERS * OWNED;)
        for (int k = i; k < i + 64 && k < OWNERS * OWNED; k++) {
            int at = (int)((k * 7919LL + 13) % (OWNERS * OWNED)); /* every owner's, mixed */
            ouro_release(owned[at]);
            if (rng_one_in(&self->rng, 4096))
                yield_sometimes(&self->rng);
        }
}

static bool all_asleep(void *arg)
{
    (void)arg;
    return atomic_load(&asleep) == OWNERS;
}

static void test_sleepers(void)
{
    CHECK_NE(OWNERS * OWNED % 7919, 0); /* else the mixture would not be one */
    for (int round = 0; round < ROUNDS; round++) {
        long before = finalized();
        pthread_t owners[OWNERS];
        over = (struct step)STEP_INITIALIZER;
        atomic_store(&asleep, 0);
        atomic_store(&next_owned, 0);
        for (uintptr_t i = 0; i < OWNERS; i++)
            owners[i] = thread_start(sleeper, (void *)i, 0);
        REQUIRE(wait_until(all_asleep, NULL));
        team_run(DROPPERS, seed + (uint64_t)round, drop_owned, NULL);
        CHECK_EQ(finalized() - before, OWNERS * (OWNED + (OWNED + 3) / 4));
        step_set(&over, 1);
        for (int i = 0; i < OWNERS; i++)
            thread_join_parked(owners[i]);
    }
}

int main(void)
{
    check_start("handoff_stress_test");
    seed = rng_seed();
    fixture_start();
    FIXTURE_RUN(test_mailboxes);
    FIXTURE_RUN(test_sleepers);
    return check_finish();
}
