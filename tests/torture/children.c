/* SPDX-License-Identifier: MIT */
#include "torture/children.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/fork_gate.h"
#include "support/scale.h"
#include "torture/history.h"
#include "torture/report.h"

enum { STEPS_OF_CHILD = 200 };

#ifdef TEST_TSAN
enum { SUPPORTED = false }; /* ThreadSanitizer does not survive a fork under load */
#else
enum { SUPPORTED = true };
#endif

static atomic_bool allowed;

void children_allow(void)
{
    atomic_store(&allowed, true);
}

/* What was shared is there, and may be changed; what the worker held is its own. What other threads were in the middle of is not done, or not
 * entered, so that nobody goes by the ledger here. */
static _Noreturn void be_child(struct worker *w)
{
    report_forked();
    w->in_child = true;
    step_check_held(w);
    for (uint32_t i = rng_below(&w->rng, STEPS_OF_CHILD); i > 0; i--)
        step_once(w);
    ledger_collect(2);
    step_check_held(w);
    step_drop_all(w);
    if (rng_one_in(&w->rng, 3))
        expect(ouro_shutdown(NULL) == OURO_OK, "ouro_shutdown", 0);
    _exit(0);
}

void children_fork(struct worker *w)
{
    if (!SUPPORTED || !atomic_load(&allowed) || !fork_gate_close())
        return;
    pid_t pid = fork();
    fork_gate_open(pid == 0);
    if (pid == 0)
        be_child(w);
    expect(pid > 0, "fork", 0);
    history_note(EVENT_FORK, 0, 0, 0, (uint32_t)pid);
    int status = 0;
    ouro_blocking_begin();
    while (waitpid(pid, &status, 0) != pid)
        expect(errno == EINTR, "waitpid", 0);
    ouro_blocking_end();
    expect_equal((uint64_t)status, 0, "status of a child of fork", 0);
    w->forks++;
}
