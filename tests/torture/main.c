/* SPDX-License-Identifier: MIT
 *
 * ouro-stress: docs/stress.md. Uses the public headers only. */
#include "torture/history.h"
#include "torture/ledger.h"
#include "torture/options.h"
#include "torture/report.h"
#include "torture/result.h"
#include "torture/run.h"
#include "torture/schedule.h"

/* No call of this program is wrong. */
static void misuse(const ouro_misuse *misuse, void *arg)
{
    const struct node *n = misuse->object;
    (void)arg;
    bool is_node = n && n->id && n->id <= account_count && accounts[n->id].object == n;
    fail(misuse->message, is_node ? n->id : 0);
}

int main(int count, char **words)
{
    static struct run run;
    options_parse(count, words);
    schedule_start();
    ouro_config config = {.size = sizeof config, .flags = OURO_IGNORE_ENVIRONMENT, .misuse = misuse};
    if (options.threads == 1)
        config.flags |= OURO_GC_DISABLED; /* all that is collected is collected by steps: the same each time */
    if (ouro_init(&config) != OURO_OK)
        fail("ouro_init", 0);
    run_all(&run);
    result_print(&run);
    if (options.json)
        result_write(&run, options.json);
    return 0;
}
