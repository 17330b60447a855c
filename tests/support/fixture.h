/* SPDX-License-Identifier: MIT
 *
 * The objects that most tests are made of, and the check around each test: whatever it made is gone when it ends, and
 * no misuse was reported that it did not ask for. */
#ifndef TESTS_SUPPORT_FIXTURE_H
#define TESTS_SUPPORT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ouro/ouro.h>

#include "support/check.h"
#include "support/misuse.h"
#include "support/scale.h"

struct node {
    ouro_object object;
    ouro_slot a, b;
    long id;
};

struct leaf {
    ouro_object object;
    long id;
};

struct table {
    ouro_array array;
    ouro_slot items[];
};

struct bytes {
    ouro_array array;
    unsigned char data[];
};

extern ouro_type node_type;  /* struct node; its finalizer counts */
extern ouro_type plain_type; /* struct node without a finalizer */
extern ouro_type leaf_type;  /* struct leaf; its finalizer counts */
extern ouro_type table_type; /* struct table, no finalizer */
extern ouro_type bytes_type; /* struct bytes, no finalizer */

/* New objects; the test ends if there is no memory. Children may be NULL; they are given (the reference is taken
 * over). */
struct node *node_new(long id);
struct node *node_new_with(long id, void *a, void *b);
struct node *plain_new(long id);
struct leaf *leaf_new(long id);
struct table *table_new(size_t length);

/* How often finalizers of nodes and leaves have run since the test began. */
long finalized(void);
/* Called, besides counting, by each of those finalizers until the test ends. */
void on_finalize(void (*fn)(void *object));

/* Starts the runtime with misuse_hook, without the environment. Extra flags and settings: fixture_start_with. OURO_TEST_FLAGS=0x20 in the environment
 * adds flags to all (this is OURO_DEVMODE): most tests hold whatever the mode. */
void fixture_start(void);
void fixture_start_with(ouro_config config);

/* How long a running thread may leave what waits in its inbox, until collections see to it. At first so long that none ever does: most tests expect a
 * thread to carry out itself what it was handed, and a busy machine may hold it up. False: this library cannot be told. */
bool fixture_set_patience(uint64_t ns);
/* As long as it would be by itself: for tests whose owners sleep, or might. At once after the start, for the background thread looks when it was told to. */
void fixture_owners_may_sleep(void);

/* Runs a test between checks that it leaves nothing behind. */
#define FIXTURE_RUN(test) (check_around(fixture_before, fixture_after), CHECK_RUN(test))
void fixture_before(void);
void fixture_after(void);
/* The running test leaves count objects behind on purpose (immortal ones). */
void fixture_leaves(size_t count);

/* Objects alive once everything that other threads handed over is carried out and limbo is empty. */
size_t live_objects(void);
#define CHECK_LIVE(count) CHECK_EQ(live_objects(), (count))

/* Objects alive at this moment, nothing waited for. */
size_t live_objects_now(void);
ouro_mem_stats mem_stats(void);

#endif
