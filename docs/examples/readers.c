/* SPDX-License-Identifier: MIT
 *
 * Readers ask two questions in turn, and take the time of each: why a package is installed, and what it replaced.
 *
 * They borrow: in a read section they follow references without touching a count or waiting for anybody. What they see
 * may be dead by then, or in a garbage cycle, but stays as it is until they are through. */
#include "traffic.h"
#include "why.h"

/* In a read section. Goes back in time: each version counts one less than the one that replaced it, and refers to that
 * one, unless the writer has not come to it yet; the first of a history has a round number. */
static void check_history(const struct package *package, struct traffic *mine)
{
    const struct version *version = ouro_peek(&package->version), *before;
    for (; version && (before = ouro_peek(&version->before)); version = before) {
        const struct version *after = ouro_peek(&before->after);
        mine->replaced++;
        mine->misplaced += before->revision + 1 != version->revision || (after && after != version);
    }
    mine->misplaced += version && version->revision % HISTORY != 0;
}

/* What was asked at any time while collecting counts as that. */
static struct timing *timing_of(struct shift *shift, bool collecting, enum question question, struct traffic *mine)
{
    return &mine->took[question][collecting || atomic_load(&shift->collecting)];
}

static void ask(struct shift *shift, struct search *search, struct rng *rng, struct watch *watch, struct traffic *mine)
{
    bool collecting = atomic_load(&shift->collecting);
    watch_start(watch);
    ouro_read_begin();
    size_t changes = atomic_load(&shift->graph->changes);
    search_why(search, graph_any(shift->graph, rng), changes, mine);
    ouro_read_end();
    watch_stop(watch, timing_of(shift, collecting, ASK_WHY, mine));

    collecting = atomic_load(&shift->collecting);
    watch_start(watch);
    ouro_read_begin();
    check_history(graph_any(shift->graph, rng), mine);
    ouro_read_end();
    watch_stop(watch, timing_of(shift, collecting, ASK_HISTORY, mine));
}

void read_shift(struct shift *shift, struct rng rng, struct traffic *mine)
{
    struct search search;
    struct watch watch, before;
    if (!search_init(&search, shift->graph))
        atomic_store(&shift->failed, true);
    watch_init(&watch);
    before = watch;
    while (shift_goes_on(shift))
        ask(shift, &search, &rng, &watch, mine);
    watch_look(&watch);
    mine->waited = watch.waited - before.waited;
    mine->preempted = watch.preempted - before.preempted;
    search_free(&search);
}
