/* SPDX-License-Identifier: MIT */
#include "torture/values.h"

#include "torture/history.h"
#include "torture/hand.h"
#include "torture/report.h"

enum { KEYS = 48, LONG = 64 };

/* What is in a container: how many, and the sum of what stands for each. */
struct content {
    ouro_value container;
    atomic_long count;
    atomic_uint_least64_t sum;
};

static struct content list, dict, set;

static uint64_t standing_for(uint32_t id)
{
    struct rng rng = {id};
    return rng_next(&rng);
}

static void put(struct content *to, uint32_t id)
{
    atomic_fetch_add(&to->count, 1);
    atomic_fetch_add(&to->sum, standing_for(id));
    history_note(EVENT_CONTAINER_PUT, 0, 0, 0, id);
}

/* The node is the caller's. */
static struct node *took(struct content *from, ouro_value value)
{
    struct node *n = ouro_value_object(value);
    expect(n != NULL, "a container gives what was not put in", 0);
    node_check(n, false);
    atomic_fetch_sub(&from->count, 1);
    atomic_fetch_sub(&from->sum, standing_for(n->id));
    history_note(EVENT_CONTAINER_TOOK, 0, 0, n->id, 0);
    return n;
}

/* True: it is done. Else there was no memory, or `other`, which is no failure here. */
static bool done(ouro_status status, ouro_status other, unsigned before)
{
    if (status == OURO_E_NOMEM)
        ledger_lacked_memory(before, 0);
    else if (status != other)
        expect_equal((uint64_t)-(int64_t)status, 0, "status of an operation on a container, negative", 0);
    return status == OURO_OK;
}

static void use_list(struct worker *w, struct node *n)
{
    unsigned before = ledger_limits();
    ptrdiff_t at = (ptrdiff_t)rng_below(&w->rng, LONG) - LONG / 2;
    ouro_value value, items[8];
    size_t length;
    if (ouro_list_length(list.container, &length) != OURO_OK)
        fail("a list without a length", 0);
    uint32_t dice = rng_below(&w->rng, 8);
    if (dice < 3 && length < LONG && n) {
        if (done(ouro_list_append(list.container, ouro_value_of(n)), OURO_OK, before))
            put(&list, n->id);
    } else if (dice < 4 && length < LONG && n) {
        if (done(ouro_list_insert(list.container, at, ouro_value_of(n)), OURO_OK, before))
            put(&list, n->id);
    } else if (dice < 5 && n) {
        if (done(ouro_list_swap(list.container, at, ouro_value_of(n), &value), OURO_E_INDEX, before)) {
            put(&list, n->id);
            hand_hold(w, took(&list, value));
        }
    } else if (dice < 6) {
        if (done(ouro_list_get_range(list.container, rng_below(&w->rng, LONG), items, 8, &length), OURO_OK, before)) {
            for (size_t i = 0; i < length; i++)
                node_check(ouro_value_object(items[i]), false);
            ouro_value_release_all(items, length);
        }
    } else if (done(ouro_list_pop(list.container, at, &value), OURO_E_INDEX, before)) {
        hand_hold(w, took(&list, value));
    }
}

static void use_dict(struct worker *w, struct node *n)
{
    unsigned before = ledger_limits();
    ouro_value key = ouro_int_new(rng_below(&w->rng, KEYS)), value;
    bool was;
    switch (n ? rng_below(&w->rng, 4) : 3) {
    case 0:
        if (done(ouro_dict_swap(dict.container, key, ouro_value_of(n), &was, &value), OURO_OK, before)) {
            put(&dict, n->id);
            if (was)
                hand_hold(w, took(&dict, value));
        }
        break;
    case 1:
        if (done(ouro_dict_get(dict.container, key, &value), OURO_E_KEY, before)) {
            node_check(ouro_value_object(value), false);
            ouro_value_release(value);
        }
        break;
    case 2: /* a copy, from one moment, dropped at once */
        if (done(ouro_copy(dict.container, &value), OURO_OK, before))
            ouro_value_release(value);
        break;
    default:
        if (done(ouro_dict_pop(dict.container, key, &value), OURO_E_KEY, before))
            hand_hold(w, took(&dict, value));
    }
}

static void use_set(struct worker *w, struct node *n)
{
    unsigned before = ledger_limits();
    ouro_value item = ouro_value_of(n);
    size_t length;
    bool changed;
    if (ouro_set_length(set.container, &length) != OURO_OK)
        fail("a set without a length", 0);
    switch (n && length < LONG ? rng_below(&w->rng, 4) : 3) {
    case 0:
    case 1:
        if (done(ouro_set_add(set.container, item, &changed), OURO_OK, before) && changed)
            put(&set, n->id);
        break;
    case 2:
        if (done(ouro_set_discard(set.container, item, &changed), OURO_OK, before) && changed)
            node_release(took(&set, ouro_value_retain(item)));
        break;
    default:
        if (done(ouro_set_pop(set.container, &item), OURO_E_KEY, before))
            hand_hold(w, took(&set, item));
    }
}

void values_step(struct worker *w)
{
    struct node *n = hand_some(w);
    switch (rng_below(&w->rng, 3)) {
    case 0:
        use_list(w, n);
        break;
    case 1:
        use_dict(w, n);
        break;
    default:
        use_set(w, n);
    }
}

static void open(struct content *content, ouro_value container)
{
    expect(ouro_is_object(container), "no memory for a container", 0);
    ouro_value_share(container);
    content->container = container;
}

void values_open(void)
{
    open(&list, ouro_list_new());
    open(&dict, ouro_dict_new());
    open(&set, ouro_set_new());
}

static void close(struct content *content)
{
    expect_equal((uint64_t)atomic_load(&content->count), 0, "elements put into a container, less those taken out of it", 0);
    expect_equal(atomic_load(&content->sum), 0, "sum of the elements put into a container, less those taken out of it", 0);
    ouro_value_release(content->container);
    content->container = OURO_NIL;
}

void values_close(void)
{
    ouro_value key, value;
    while (done(ouro_list_pop(list.container, -1, &value), OURO_E_INDEX, 0))
        node_release(took(&list, value));
    while (done(ouro_dict_pop_item(dict.container, true, &key, &value), OURO_E_KEY, 0))
        node_release(took(&dict, value));
    while (done(ouro_set_pop(set.container, &value), OURO_E_KEY, 0))
        node_release(took(&set, value));
    close(&list);
    close(&dict);
    close(&set);
}
