/* SPDX-License-Identifier: MIT
 *
 * Who is in a read section, and for how long. While a reader is in its section no block of a shared object that has died is used again; a thread
 * that falls asleep there makes the process grow. Nothing can be done about it but to say who it is. */
#pragma once

#include "object/act.h"

/* One per thread that has been in a read section; liburcu has such a list, too, but shows it to nobody. */
struct oi_reader {
    LIST_ENTRY(oi_reader) link;
    uint32_t sections; /* atomic: odd while the thread is in a section; its own */
    uint32_t seen;     /* under the reader lock: `sections` when a look at it came first */
    bool told;         /* likewise: that section was reported */
    int tid;
};

/* Makes an entry for the calling thread, whose outermost section has begun. Without memory for it there is none. */
OI_COLD void oi_reader_enroll(struct oi_act *act);

/* The outermost section begins or ends. Relaxed: read for a report only. */
static inline void oi_reader_step(struct oi_act *act)
{
    if (OI_LIKELY(act->reader != NULL))
        oi_store_relaxed(&act->reader->sections, act->reader->sections + 1);
}

/* Reports threads that have been in one section all the time that some thread has been waiting for readers, if that is long enough: once each
 * section. Called when there is more to wait for; any thread, with locks held, in a read section or not. */
void oi_reader_look(void);

extern uint64_t oi_reader_patience_ns; /* atomic */

void oi_reader_before_fork(void);
void oi_reader_after_fork(bool child);
