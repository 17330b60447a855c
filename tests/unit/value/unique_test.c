/* SPDX-License-Identifier: MIT
 *
 * Unique objects, at the moments that races are made of: what is found dies before it is retained, another is entered first, and dies as well. The
 * steps are chosen by the hook at which the code can be perturbed, so in debug builds only; what is to be seen from outside is in
 * api/value_scalar_test. */
#include "value/unique.h"

#include "port/perturb.h"
#include "support/values.h"

enum { STEPS_MAX = 100 };

static ouro_value held;
static _Thread_local bool stepping; /* the test's own steps; threads of the library may be running */
static int steps, when;

static void set_hook(void (*hook)(void))
{
    stepping = hook;
    __atomic_store_n(&oi_perturb_hook, hook, __ATOMIC_RELAXED);
}

/* At step `when`: the only reference goes. */
static void drop_held(void)
{
    if (!stepping || ++steps != when)
        return;
    ouro_value_release(held);
    held = OURO_NIL;
}

static int perturbed(void (*hook)(void), int at, ouro_value *out)
{
    steps = 0;
    when = at;
    set_hook(hook);
    CHECK_OK(ouro_intern_bytes("name", 4, out));
    set_hook(NULL);
    return steps;
}

/* Every step at which it can go. Whatever happens, the result is alive, and is what everybody finds from then on. */
static void test_found_and_lost(void)
{
    int all = 1;
    for (int at = 1; OURO_DEBUG && at <= all && at <= STEPS_MAX; at++) {
        ouro_value v, again;
        held = interned("name");
        int taken = perturbed(drop_held, at, &v);
        all = taken > all ? taken : all;
        CHECK_EQ(ouro_refcount(ouro_value_object(v)), 1 + (held == v)); /* held: there were not so many steps this time */
        ouro_value_release(held);
        CHECK_REPR(v, "\"name\"");
        CHECK_OK(ouro_intern_bytes("name", 4, &again));
        CHECK_EQ(again, v);
        ouro_value_release(v);
        ouro_value_release(again);
    }
    CHECK_LT(all, STEPS_MAX);
    CHECK_LIVE(0);
}

/* At a step, another thread (this one) has been quicker. */
static void enter_another(void)
{
    if (!stepping || ++steps != when)
        return;
    set_hook(NULL);
    CHECK_OK(ouro_intern_bytes("name", 4, &held));
}

/* The same, and later on what it entered dies. */
static void enter_and_drop(void)
{
    if (!stepping)
        return;
    if (++steps == when) {
        set_hook(NULL);
        CHECK_OK(ouro_intern_bytes("name", 4, &held));
        set_hook(enter_and_drop);
    } else if (steps > when && held) {
        ouro_value was = held;
        held = OURO_NIL;
        ouro_value_release(was);
    }
}

static void test_entered_meanwhile(void)
{
    int all = 1;
    for (int at = 1; OURO_DEBUG && at <= all && at <= STEPS_MAX; at++) {
        ouro_value v;
        held = OURO_NIL;
        perturbed(enter_another, at, &v);
        if (held)
            CHECK_EQ(held, v);
        ouro_value_release(held);
        ouro_value_release(v);
        held = OURO_NIL;
        int taken = perturbed(enter_and_drop, at, &v);
        all = taken > all ? taken : all;
        CHECK_EQ(ouro_refcount(ouro_value_object(v)), 1 + (held == v));
        ouro_value_release(held);
        ouro_value_release(v);
        CHECK_LIVE(0);
    }
}

int main(void)
{
    check_start("unique_test");
    fixture_start();
    FIXTURE_RUN(test_found_and_lost);
    FIXTURE_RUN(test_entered_meanwhile);
    return check_finish();
}
