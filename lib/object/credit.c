/* SPDX-License-Identifier: MIT */
#include "object/credit.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "object/count.h"
#include "object/destroy.h"
#include "object/misuse.h"
#include "port/os.h"

/* So many changes of one object's `shared` in succession have met another's: it is counted by several threads at once. */
#define FAILURES 8u
/* Who takes back what is in use lets others run so often: until it is not. */
#define TURNS 100
/* Once in so many times that there is no place for an object, another has to go. */
#define CROWDED 64u

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the credit lock: docs/design/lock-order.md */
static LIST_HEAD(, oi_credits) all = LIST_HEAD_INITIALIZER(all); /* under it */
static uint32_t out; /* atomic; written under it: entries of all threads */
static bool attended; /* under it: the background thread comes again while there are entries */
static pthread_key_t exit_key; /* its destructor returns a thread's credit */
static bool has_key;           /* under the lock */

struct oi_credits oi_no_credits;
OI_TLS struct oi_counting oi_counting = {.credits = &oi_no_credits};
uint32_t oi_credit_patience_ms = 10;

/* ---- under the lock ---- */

/* What is to be done when it has been let go. */
struct aftermath {
    struct oi_act *act;
    ouro_object *over; /* released more often than retained, or NULL */
    bool narrowed;     /* what is given back is not wide any more: nobody need look */
};

static void unlock(void)
{
    bool wake = oi_load_relaxed(&out) && !attended;
    pthread_mutex_unlock(&lock);
    if (OI_UNLIKELY(wake))
        oi_upcalls.wake(); /* which looks from now on whether credit is used; if there can be no thread now, the next one asks again */
}

/* K1, and there is room for more. */
static bool may_have_credit(uint32_t shared)
{
    return (shared & OI_MERGED) && !(shared & OI_STUCK) && shared != OI_DEAD && oi_count(shared) < OI_CREDIT_COUNT_MAX;
}

/* Creates n references. False: there can be no credit, or the object is dead. */
static bool create(ouro_object *o, uint32_t n)
{
    uint32_t s = oi_shared(o);
    do {
        if (!may_have_credit(s))
            return false;
        /* Acquire: as in oi_try_retain [MO-revive]. */
    } while (!oi_cas_weak_acquire(&o->ouro_private_shared, &s, s + n * OI_ONE));
    return true;
}

void oi_credit_narrow(ouro_object *o)
{
    if (oi_flags(o) & OI_WIDE)
        oi_fetch_and_acqrel(&o->ouro_private_flags, (uint16_t)~OI_WIDE); /* relaxed would do: a hint */
}

/* Any thread has credit of o. */
static bool is_credited(const ouro_object *o)
{
    struct oi_credits *credits;
    LIST_FOREACH(credits, &all, link) {
        if (credits->entries && oi_credit_find_in(credits, o))
            return true;
    }
    return false;
}

/* Disposes of n references that were credit. */
static void dispose(struct aftermath *after, ouro_object *o, uint32_t n)
{
    uint32_t s = oi_shared(o);
    if (!after->narrowed && !is_credited(o))
        oi_credit_narrow(o); /* the last to give back makes it ordinary again */
    oi_check(o);
    bool over;
    do {
        if (s & OI_STUCK)
            return;
        over = (uint32_t)oi_count(s) < n;
        /* acq_rel: as any drop [MO-count]. */
    } while (!oi_cas_weak_acqrel(&o->ouro_private_shared, &s, over ? OI_STUCK_WORD : s - n * OI_ONE));
    if (over)
        after->over = o;
    else if (s - n * OI_ONE == OI_DEAD)
        oi_destroy_later(after->act, o);
}

static void enter(struct oi_credits *credits, struct oi_credit *credit, ouro_object *o, uint32_t n)
{
    credit->seen = credit->seen_outside = credit->uses - 2; /* used since */
    oi_store_relaxed(&credit->count, n);
    oi_store_relaxed(&credit->object, o);
    oi_store_relaxed(&credits->entries, credits->entries + 1);
    oi_store_relaxed(&out, out + 1);
}

/* The entry goes; its references are the caller's. */
static uint32_t leave(struct oi_credits *credits, struct oi_credit *credit)
{
    uint32_t n = credit->count;
    oi_store_relaxed(&credit->object, NULL);
    oi_store_relaxed(&credit->count, 0);
    oi_store_relaxed(&credits->entries, credits->entries - 1);
    oi_store_relaxed(&out, out - 1);
    return n;
}

static void return_entry(struct aftermath *after, struct oi_credits *credits, struct oi_credit *credit)
{
    ouro_object *o = credit->object;
    uint32_t n = leave(credits, credit);
    dispose(after, o, n);
}

/* A free place for o, or NULL. after: one is made free. */
static struct oi_credit *place_for(struct oi_credits *credits, const ouro_object *o, struct aftermath *after)
{
    struct oi_credit *one = &credits->at[oi_credit_place(o)], *two = &credits->at[oi_credit_place(o) ^ 1];
    if (!one->count)
        return one;
    if (!two->count)
        return two;
    if (!after)
        return NULL;
    return_entry(after, credits, one);
    return one;
}

static void let_go(struct aftermath *after)
{
    unlock();
    if (OI_UNLIKELY(after->over != NULL))
        oi_misuse(OURO_MISUSE_OVER_RELEASE, "ouro_release", after->over,
                  "more references were released than there were; the object is kept for ever");
    if (after->act->dead)
        oi_destroy_run(after->act);
}

/* ---- the thread's own ---- */

/* Thread exit. Other destructors may take credit again; then this runs again. */
static void thread_exits(void *arg)
{
    struct oi_credits *credits = arg;
    if (!oi_act.home)
        oi_destroy_unwound(&oi_act); /* what dies now does not wait for a section or for user code that never ends */
    oi_credit_return_all(&oi_act);
    pthread_mutex_lock(&lock);
    LIST_REMOVE(credits, link);
    pthread_mutex_unlock(&lock);
    oi_counting.credits = &oi_no_credits;
    free(credits);
}

static bool may_take(const struct oi_act *act)
{
    /* Who is parked may sleep for long; who is in haste may not wait for the lock. */
    return !act->home && !oi_counting.never && !oi_counting.haste;
}

/* NULL: no memory. */
static struct oi_credits *credits_new(void)
{
    has_key = has_key || pthread_key_create(&exit_key, thread_exits) == 0;
    struct oi_credits *credits = has_key ? aligned_alloc(64, oi_round_up(sizeof *credits, 64)) : NULL;
    if (!credits)
        return NULL;
    memset(credits, 0, sizeof *credits);
    if (pthread_setspecific(exit_key, credits) != 0) {
        free(credits);
        return NULL;
    }
    LIST_INSERT_HEAD(&all, credits, link);
    return credits;
}

/* Under the lock. NULL: there was no memory, and it is not asked for again. */
static struct oi_credits *credits_of_mine(void)
{
    if (oi_counting.credits == &oi_no_credits) {
        struct oi_credits *credits = credits_new();
        oi_counting.never = !credits;
        oi_counting.credits = credits ? credits : &oi_no_credits;
    }
    return oi_counting.never ? NULL : oi_counting.credits;
}

/* Without the lock, for what has no entry. Another thread may take credit back at this moment: then the answer is a bit out of date. */
static bool has_room_for(const ouro_object *o)
{
    const struct oi_credits *credits = oi_counting.credits;
    uint32_t i = oi_credit_place(o);
    return !oi_load_relaxed(&credits->at[i].count) || !oi_load_relaxed(&credits->at[i ^ 1].count);
}

/* True: as it was before the call. */
static bool set_rival(const ouro_object *o)
{
    bool again = oi_counting.rival == o;
    if (!again)
        oi_counting.failures = 0;
    oi_counting.rival = o;
    return again;
}

static bool retain(ouro_object *o)
{
    struct oi_credit *credit = oi_credit_find(o);
    if (credit) {
        credit->uses += 2;
        if (credit->count == 1 && create(o, OI_CREDIT))
            oi_store_relaxed(&credit->count, OI_CREDIT + 1);
        if (credit->count == 1)
            return false;
        oi_store_relaxed(&credit->count, credit->count - 1);
        return true;
    }
    struct oi_credits *credits = oi_flags(o) & OI_WIDE ? credits_of_mine() : NULL; /* not any more: all has just been taken back */
    credit = credits ? place_for(credits, o, NULL) : NULL; /* who retains expects no user code to run */
    if (!credit || !create(o, OI_CREDIT + 1))
        return false;
    enter(credits, credit, o, OI_CREDIT);
    return true;
}

bool oi_credit_retain_slow(struct oi_act *act, ouro_object *o)
{
    if (!may_take(act) || !may_have_credit(oi_shared(o)) || !(oi_credit_find(o) || has_room_for(o)))
        return false;
    pthread_mutex_lock(&lock);
    bool done = retain(o);
    unlock();
    return done;
}

/* Whether to make an entry by a release. If others seem to have credit, for then the object does not die now in any case, and else it might;
 * if the thread drops it again, for one drop is no reason to keep it alive any longer; and if there is a place, or it is time to make one. Without
 * the lock, so that the many for which the answer is no do not meet there. */
static bool is_worth_an_entry(const ouro_object *o)
{
    uint32_t s = oi_shared(o);
    return set_rival(o) && may_have_credit(s) && oi_count(s) > (int32_t)OI_CREDIT &&
           (has_room_for(o) || ++oi_counting.crowded % CROWDED == 0);
}

/* The caller's reference is one more of the entry's. */
static bool release(ouro_object *o, struct aftermath *after)
{
    struct oi_credit *credit = oi_credit_find(o);
    uint32_t s = oi_shared(o);
    if (!credit) {
        struct oi_credits *credits = may_have_credit(s) ? credits_of_mine() : NULL;
        credit = credits ? place_for(credits, o, after) : NULL;
        if (credit)
            enter(credits, credit, o, 1);
        return credit;
    }
    credit->uses += 2;
    if ((uint32_t)oi_count(s) == credit->count + 1) {
        uint32_t n = leave(oi_counting.credits, credit) + 1;
        dispose(after, o, n); /* all references that there are: it dies at once */
        return true;
    }
    oi_store_relaxed(&credit->count, credit->count + 1);
    if (credit->count >= 2 * OI_CREDIT) {
        oi_store_relaxed(&credit->count, credit->count - OI_CREDIT);
        dispose(after, o, OI_CREDIT);
    }
    return true;
}

bool oi_credit_release_slow(struct oi_act *act, ouro_object *o)
{
    struct aftermath after = {.act = act};
    if (!may_take(act) || !(oi_credit_find(o) || is_worth_an_entry(o)))
        return false;
    pthread_mutex_lock(&lock);
    bool done = release(o, &after);
    let_go(&after);
    return done;
}

void oi_credit_return_all(struct oi_act *act)
{
    struct aftermath after = {.act = act};
    while (oi_credit_is_mine_out()) { /* again if user code that runs here has taken some */
        struct oi_credits *credits = oi_counting.credits;
        pthread_mutex_lock(&lock);
        for (uint32_t i = 0; i < OI_CREDIT_PLACES; i++) {
            if (credits->at[i].count)
                return_entry(&after, credits, &credits->at[i]);
        }
        let_go(&after);
    }
}

void oi_credit_return_unused(struct oi_act *act)
{
    struct aftermath after = {.act = act};
    struct oi_credits *credits = oi_counting.credits;
    uint32_t unused = 0; /* a bit per place */
    for (uint32_t i = 0; i < OI_CREDIT_PLACES; i++) {
        struct oi_credit *credit = &credits->at[i];
        unused |= (uint32_t)(credit->seen == credit->uses && oi_load_relaxed(&credit->count)) << i;
        credit->seen = credit->uses;
    }
    if (!unused)
        return; /* the rule, and then without the lock */
    pthread_mutex_lock(&lock);
    for (; unused; unused &= unused - 1) {
        struct oi_credit *credit = &credits->at[__builtin_ctz(unused)];
        if (credit->count)
            return_entry(&after, credits, credit);
    }
    let_go(&after);
}

/* ---- other threads' ---- */

/* Closes entries: those that are not in use can be taken after a barrier. True: there are some. Not idle, but all: then their objects are ordinary
 * until threads contend for them again, and die if for a moment nobody uses them. */
static bool close_entries(struct oi_credits *credits, bool idle)
{
    bool some = false;
    for (uint32_t i = 0; i < OI_CREDIT_PLACES; i++) {
        struct oi_credit *credit = &credits->at[i];
        uint32_t uses = oi_load_relaxed(&credit->uses);
        if (oi_load_relaxed(&credit->object) && (!idle || credit->seen_outside == uses)) {
            credit->closed = credit->object;
            oi_store_relaxed(&credit->object, NULL);
            if (!idle)
                oi_credit_narrow(credit->closed);
            some = true;
        }
        credit->seen_outside = uses;
    }
    return some;
}

/* A moment's use ends, unless its thread is stopped in the middle, or has vanished: then `count` is from before or after its last change.
 * *turns: what is left of the caller's. */
static bool is_unused(const struct oi_credits *credits, const struct oi_credit *credit, int *turns)
{
    /* Acquire: pairs with oi_credit_end [MO-credit]. */
    while (oi_load_acquire(&credit->uses) % 2 != 0 && !credits->vanished) {
        if (!*turns)
            return false;
        --*turns;
        sched_yield();
    }
    return true;
}

static void take_closed(struct aftermath *after, struct oi_credits *credits, int *turns)
{
    for (uint32_t i = 0; i < OI_CREDIT_PLACES; i++) {
        struct oi_credit *credit = &credits->at[i];
        ouro_object *o = credit->closed;
        if (!o)
            continue;
        credit->closed = NULL;
        oi_perturb();
        if (is_unused(credits, credit, turns))
            dispose(after, o, leave(credits, credit));
        else
            oi_store_relaxed(&credit->object, o);
    }
}

void oi_credit_recall(struct oi_act *act, bool idle)
{
    struct aftermath after = {.act = act, .narrowed = !idle};
    struct oi_credits *credits;
    bool some = false;
    int turns = idle ? 0 : TURNS;
    if (!oi_credit_is_out())
        return;
    pthread_mutex_lock(&lock);
    LIST_FOREACH(credits, &all, link)
        some |= credits->entries && close_entries(credits, idle);
    if (some)
        oi_os_membarrier(); /* K3: who has begun to use an entry shows it; who begins from now on finds it closed */
    LIST_FOREACH(credits, &all, link) {
        if (some && credits->entries)
            take_closed(&after, credits, &turns);
    }
    let_go(&after);
}

/* ---- who gets credit ---- */

/* The caller has a reference. */
static bool widen(ouro_object *o)
{
    return !(oi_fetch_or_acqrel(&o->ouro_private_flags, OI_WIDE) & OI_WIDE);
}

bool oi_credit_contended(struct oi_act *act, ouro_object *o)
{
    struct oi_counting *counting = &oi_counting;
    if (!may_take(act))
        return false;
    (void)set_rival(o);
    if (++counting->failures < FAILURES)
        return false;
    counting->failures = 0;
    return widen(o);
}

/* ---- the rest ---- */

bool oi_credit_is_out(void)
{
    return oi_load_relaxed(&out);
}

bool oi_credit_attend(bool comes_again)
{
    pthread_mutex_lock(&lock);
    attended = comes_again && oi_load_relaxed(&out);
    bool answer = attended;
    pthread_mutex_unlock(&lock);
    return answer;
}

/* The closed entry of o, or NULL. */
static struct oi_credit *find_closed(struct oi_credits *credits, const ouro_object *o)
{
    struct oi_credit *one = &credits->at[oi_credit_place(o)], *two = &credits->at[oi_credit_place(o) ^ 1];
    return one->closed == o ? one : two->closed == o ? two : NULL;
}

uint32_t oi_credit_count(ouro_object *o, uint32_t *shared)
{
    uint32_t sum = 0;
    bool some = false;
    int turns = TURNS;
    struct oi_credits *credits;
    struct oi_credit *credit;
    pthread_mutex_lock(&lock);
    LIST_FOREACH(credits, &all, link) {
        if (!(credit = oi_credit_find_in(credits, o)))
            continue;
        credit->closed = o;
        oi_store_relaxed(&credit->object, NULL);
        some = true;
    }
    if (some)
        oi_os_membarrier(); /* K3 */
    LIST_FOREACH(credits, &all, link) {
        if (!(credit = find_closed(credits, o)))
            continue;
        bool unused = is_unused(credits, credit, &turns);
        sum += oi_load_relaxed(&credit->count) - !unused; /* in doubt there are more references */
    }
    *shared = oi_load_acquire(&o->ouro_private_shared);
    LIST_FOREACH(credits, &all, link) {
        if (!(credit = find_closed(credits, o)))
            continue;
        oi_store_relaxed(&credit->object, o);
        credit->closed = NULL;
    }
    unlock();
    return sum;
}

void oi_credit_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void oi_credit_after_fork(bool child)
{
    struct oi_credits *credits;
    LIST_FOREACH(credits, &all, link)
        credits->vanished = credits->vanished || (child && credits != oi_counting.credits);
    attended = attended && !child; /* the background thread has vanished */
    pthread_mutex_unlock(&lock);
}
