/* SPDX-License-Identifier: MIT
 *
 * Containers and what is being finalized. A finalizer may put its object into a container, where all who read it find it, the finalizer
 * itself too. But an object that was taken out of a container before its finalizer began is not found there any more, wherever a reader
 * was at that moment: here it stops at each of its steps in turn (in debug builds), and goes on while the finalizer runs. */
#include <string.h>

#include "support/actor.h"
#include "support/values.h"

enum { STEPS_MAX = 200 };

/* ---- put there by the finalizer ---- */

static ouro_value board; /* shared: a dict, a set or a list */

static void put_in_dict(void *object)
{
    ouro_value iterator, key, value, self = ouro_value_of(object), copy;
    size_t pairs = 0;
    CHECK_OK(ouro_dict_set(board, self, self));
    CHECK_OK(ouro_dict_get(board, self, &value));
    CHECK_EQ(value, self);
    ouro_value_release(value);
    CHECK_OK(ouro_iterate_part(board, OURO_ITEMS, &iterator));
    while (ouro_iterator_next_pair(iterator, &key, &value) == OURO_OK) {
        CHECK_EQ(key, self);
        CHECK_EQ(value, self);
        ouro_value_release(key);
        ouro_value_release(value);
        pairs++;
    }
    CHECK_EQ(pairs, 1);
    ouro_value_release(iterator);
    CHECK_OK(ouro_copy(board, &copy));
    ouro_value_release(copy);
}

static void put_in_list(void *object)
{
    ouro_value value, self = ouro_value_of(object), copy;
    CHECK_OK(ouro_list_append(board, self));
    for (int at = -1; at <= 0; at++) {
        CHECK_OK(ouro_list_get(board, at, &value));
        CHECK_EQ(value, self);
        ouro_value_release(value);
    }
    CHECK_OK(ouro_copy(board, &copy));
    ouro_value_release(copy);
}

static void test_put_by_finalizer(void)
{
    for (int list = 0; list < 2; list++) {
        struct node *node = node_new(1);
        board = list ? ouro_list_new() : ouro_dict_new();
        ouro_share(ouro_value_object(board));
        ouro_share(node);
        on_finalize(list ? put_in_list : put_in_dict);
        ouro_release(node);
        CHECK_EQ(finalized(), list + 1);
        on_finalize(NULL);
        ouro_value_release(board);
    }
    CHECK_LIVE(0);
}

/* ---- taken out before it ---- */

static ouro_value found;      /* by the reader: what is finalized, or nil */
static struct actor reader;
static bool goes_on, reading; /* reading: the container itself may die */
static int how;

static ouro_value keep(ouro_value value, ouro_value other)
{
    ouro_value_release(other);
    return value;
}

static void read_dict(void *unused)
{
    ouro_value iterator, all[4], key, value = OURO_NIL;
    size_t n = 0;
    (void)unused;
    found = OURO_NIL;
    if (reading)
        ouro_read_begin();
    switch (how) {
    case 0:
        if (ouro_dict_get(board, INT(1), &found) != OURO_OK)
            found = OURO_NIL;
        break;
    case 1:
        if (ouro_copy(board, &value) == OURO_OK && ouro_dict_get(value, INT(1), &found) != OURO_OK)
            found = OURO_NIL;
        ouro_value_release(value);
        break;
    case 2:
        CHECK_OK(ouro_iterate_part(board, OURO_ITEMS, &iterator));
        if (ouro_iterator_next_pair(iterator, &key, &value) == OURO_OK)
            found = keep(value, key);
        ouro_value_release(iterator);
        break;
    case 3:
        CHECK_OK(ouro_iterate_part(board, OURO_VALUES, &iterator));
        if (ouro_iterator_next_all(iterator, all, 4, &n) == OURO_OK)
            found = all[0]; /* the others are integers */
        ouro_value_release(iterator);
        break;
    }
    if (reading)
        ouro_read_end();
}

static void read_list(void *unused)
{
    ouro_value iterator, all[4], value = OURO_NIL;
    size_t n = 0;
    (void)unused;
    found = OURO_NIL;
    if (reading)
        ouro_read_begin();
    switch (how) {
    case 0:
    case 1:
        if (ouro_list_get(board, -how, &found) != OURO_OK)
            found = OURO_NIL;
        break;
    case 2:
        if (ouro_list_get_range(board, 0, all, 4, &n) == OURO_OK && n)
            found = all[0]; /* the others are integers */
        break;
    case 3:
        CHECK_OK(ouro_iterate(board, &iterator));
        if (ouro_iterator_next(iterator, &value) == OURO_OK)
            found = value;
        ouro_value_release(iterator);
        break;
    }
    if (reading)
        ouro_read_end();
}

/* It has died: is it found? */
static void go_on(void *object)
{
    if (!goes_on)
        return;
    goes_on = false;
    CHECK(!actor_go_on(&reader, 0));
    CHECK_NE(found, ouro_value_of(object));
}

static void clear_dict(void)
{
    CHECK_OK(ouro_dict_clear(board));
}

static void delete_key(void)
{
    CHECK_OK(ouro_dict_delete(board, INT(1)));
}

static void grow_and_delete_key(void)
{
    for (int i = 100; i < 120; i++)
        CHECK_OK(ouro_dict_set(board, INT(i), INT(i)));
    delete_key();
}

static void clear_list(void)
{
    CHECK_OK(ouro_list_clear(board));
}

static void delete_item(void)
{
    CHECK_OK(ouro_list_delete(board, 0));
}

static void grow_and_delete_item(void)
{
    for (int i = 100; i < 120; i++)
        CHECK_OK(ouro_list_append(board, INT(i)));
    delete_item();
}

static void drop(void)
{
    ouro_value was = board;
    ouro_value_release(was);
}

/* Returns false if the reader does not have so many steps. */
static bool try(bool list, void (*take_out)(void), int stop_at)
{
    struct node *node = node_new(1);
    board = list ? ouro_list_new() : ouro_dict_new();
    ouro_share(ouro_value_object(board));
    CHECK_OK(list ? ouro_list_append(board, ouro_value_of(node)) : ouro_dict_set(board, INT(1), ouro_value_of(node)));
    ouro_release(node);
    reading = take_out == drop;
    bool stopped = goes_on = actor_start(&reader, list ? read_list : read_dict, NULL, stop_at);
    on_finalize(go_on);
    take_out();
    if (goes_on) { /* the reader holds it */
        goes_on = false;
        CHECK(!actor_go_on(&reader, 0));
    }
    actor_end(&reader);
    ouro_value_release(found);
    if (!reading)
        ouro_value_release(board);
    on_finalize(NULL);
    return stopped;
}

static void test_taken_out_before(void)
{
    void (*const ways[2][4])(void) = {{clear_dict, delete_key, grow_and_delete_key, drop}, {clear_list, delete_item, grow_and_delete_item, drop}};
    if (!actor_supported())
        return;
    for (int list = 0; list < 2; list++) {
        for (how = 0; how < 4; how++) {
            for (int way = 0; way < 4; way++) {
                if (ways[list][way] == drop && how > 1 + list)
                    continue; /* an iterator would hold it */
                int stop_at = 1;
                while (try(list, ways[list][way], stop_at) && stop_at < STEPS_MAX)
                    stop_at++;
                CHECK_LT(stop_at, STEPS_MAX);
            }
        }
    }
    __atomic_store_n(&oi_perturb_hook, NULL, __ATOMIC_RELAXED);
    CHECK_LIVE(0);
}

int main(void)
{
    check_start("finalizing_test");
    fixture_start();
    FIXTURE_RUN(test_put_by_finalizer);
    FIXTURE_RUN(test_taken_out_before);
    return check_finish();
}
