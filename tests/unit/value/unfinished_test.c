/* SPDX-License-Identifier: MIT
 *
 * What an unbiased thread makes can be met by visitors from birth on: here, at each step of its making (in debug builds), while a visitor asks
 * what all can be asked for. */
#include "support/actor.h"
#include "support/values.h"

enum { STEPS_MAX = 100 };

static ouro_value shape, made;
static const ouro_host_class class = {.size = sizeof class, .name = "x"};
static int what;

static void make(void *unused)
{
    ouro_value one = INT(1), leaf;
    (void)unused;
    CHECK_EQ(ouro_thread_attach(OURO_THREAD_UNBIASED), OURO_OK);
    leaf = text("leaf");
    switch (what) {
    case 0:
        CHECK_OK(ouro_record_new(shape, &one, &made));
        break;
    case 1:
        CHECK_OK(ouro_host_new(&class, 1, 1, &made));
        CHECK_OK(ouro_host_set(made, 0, leaf));
        break;
    case 2:
        CHECK_OK(ouro_list_from(&leaf, 1, &made));
        break;
    case 3:
        CHECK_OK(ouro_dict_from(&leaf, &one, 1, &made));
        break;
    }
    ouro_value_release(leaf);
}

static int ask(void *object, void *count)
{
    ouro_value value = ouro_value_of(object), string, copy;
    size_t length;
    bool equal;
    CHECK(ouro_value_type_name(value) != NULL);
    CHECK_OK(ouro_repr(value, &string));
    ouro_value_release(string);
    if (ouro_copy(value, &copy) == OURO_OK) {
        CHECK_OK(ouro_equal(value, copy, &equal));
        ouro_value_release(copy);
    }
    if (ouro_length(value, &length) == OURO_OK)
        CHECK_LT(length, 100);
    (void)ouro_truth(value);
    ++*(long *)count;
    return 0;
}

static void test_visited_while_made(void)
{
    ouro_value name = text("record"), field = text("field");
    long met = 0;
    if (!actor_supported()) {
        ouro_value_release(name);
        ouro_value_release(field);
        return;
    }
    CHECK_OK(ouro_shape_new(name, &field, 1, &shape));
    ouro_value_share(shape);
    for (what = 0; what < 4; what++) {
        bool stopped = true;
        for (int at = 1; stopped && CHECK_LT(at, STEPS_MAX); at++) {
            struct actor maker;
            stopped = actor_start(&maker, make, NULL, at);
            ouro_gc_visit_objects(-1, ask, &met);
            actor_end(&maker);
            ouro_value_release(made);
        }
    }
    CHECK_LT(0, met);
    __atomic_store_n(&oi_perturb_hook, NULL, __ATOMIC_RELAXED);
    ouro_value_release(shape);
    ouro_value_release(name);
    ouro_value_release(field);
    CHECK_LIVE(0);
}

int main(void)
{
    check_start("unfinished_test");
    fixture_start();
    FIXTURE_RUN(test_visited_while_made);
    return check_finish();
}
