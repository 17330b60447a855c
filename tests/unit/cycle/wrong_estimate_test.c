/* SPDX-License-Identifier: MIT
 *
 * Nothing in the estimate is trusted (docs/design/cycle-collector.md): a wrong one costs time, never an object. So here the collector has
 * the worst there can be: every object is a suspect, the living and the dead, those under construction and those in use, or
 * half of them at random. It stands in the place of lib/cycle/estimate.c, which is not linked. Validation has to sort it all
 * out while threads go on changing the graphs, and the oracle says whether it has (support/world.h).
 * Seed: OURO_TEST_SEED; OURO_TEST_GRAPH. */
#include "cycle/candidates.h"
#include "cycle/estimate.h"
#include "cycle/presume.h"

#include <ouro/ouro.h>

#include "support/fixture.h"
#include "support/rng.h"
#include "support/world.h"

static uint64_t seed;
static struct rng guesses; /* the collecting thread's, one at a time */
static size_t called;

enum { SECTION = 64 };

static bool suspect(struct oi_scope_page *page, uint32_t index, bool all)
{
    if (!oi_scope_may_look(oi_scope_at(page, index)) || (!all && rng_one_in(&guesses, 2)))
        return false;
    page->estimate[index] = (int32_t)rng_below(&guesses, 1000) - 500;
    page->bits[index / 64].member |= (uint64_t)1 << index % 64;
    return true;
}

size_t oi_estimate(struct oi_scope *scope, size_t *members)
{
    bool all = called++ % 4 != 0;
    for (uint32_t number = 1; number <= scope->count; number++) {
        struct oi_scope_extent *extent = &scope->extents[number];
        for (uint32_t index = 0; index < extent->carved;) {
            oi_rcu_read_lock();
            do
                extent->has_members |= suspect(&scope->pages[number], index, all);
            while (++index % SECTION && index < extent->carved);
            oi_rcu_read_unlock();
        }
    }
    *members = oi_scope_count_members(scope);
    return *members;
}

static void test_every_object_is_a_suspect(void)
{
    CHECK(world_run(seed, (struct world_size){.graphs = SCALED(1000), .repeats = 500}));
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    CHECK_GT(called, 0);
    CHECK_GT(stats.generation[1].collected, 0);
    CHECK_GT(stats.generation[2].collected, 0);
    CHECK_GT(stats.generation[2].suspects, stats.generation[2].collected);
    world_print();
}

int main(void)
{
    check_start("wrong_estimate_test");
    seed = rng_seed();
    guesses = rng_stream(seed, 1);
    fixture_start();
    oi_candidates_share = oi_presume_share = 0; /* the estimate above, always */
    FIXTURE_RUN(test_every_object_is_a_suspect);
    return check_finish();
}
