/* SPDX-License-Identifier: MIT
 *
 * Scenario: thousands of small random published graphs, changed by several threads while others collect
 * (support/world.h, which says what is asserted).
 * Seed: OURO_TEST_SEED; a failure prints the graph's number, and OURO_TEST_GRAPH=number runs only that one, many times
 * over, for the interleaving is the machine's. */
#include "support/fixture.h"
#include "support/rng.h"
#include "support/world.h"

static uint64_t seed;

static void test_random_graphs(void)
{
    CHECK(world_run(seed, (struct world_size){.graphs = SCALED(2000), .repeats = 500}));
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    CHECK_GT(stats.generation[1].collected, 0);
    CHECK_GT(stats.generation[2].collected, 0);
    world_print();
}

int main(void)
{
    check_start("cycle_oracle_test");
    seed = rng_seed();
    fixture_start();
    fixture_owners_may_sleep();
    FIXTURE_RUN(test_random_graphs);
    return check_finish();
}
