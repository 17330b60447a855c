/* SPDX-License-Identifier: MIT
 *
 * Containers whose writer vanishes in a fork, at each of its steps in turn (in debug builds): the child reads, changes and empties them. What it
 * frees then leaves the address space, so that a collection that followed a word of the vanished writer's would fail. */
#include <string.h>

#include "support/actor.h"
#include "support/child.h"
#include "support/values.h"

enum { STEPS_MAX = 300, HUGE = 4 << 20, ITEMS = 2 };

static ouro_value board;
static int how;
static const ouro_value more[] = {1, 5, 9, 13, 17, 21, 25, 29, 33, 37, 41, 45, 49, 53, 57, 61, 65, 69, 73, 77}; /* integers */
enum { MORE = sizeof more / sizeof *more };

static void write(void *unused)
{
    (void)unused;
    switch (how) {
    case 0:
        CHECK_OK(ouro_list_append_all(board, more, MORE));
        break;
    case 1:
        CHECK_OK(ouro_list_reverse(board));
        break;
    case 2:
        CHECK_OK(ouro_list_delete(board, 0));
        break;
    case 3:
        CHECK_OK(ouro_dict_set_all(board, more, more, MORE));
        break;
    case 4:
        for (int i = 0; i < MORE; i++)
            CHECK_OK(ouro_dict_set(board, more[i], INT(i)));
        break;
    case 5:
        CHECK_OK(ouro_dict_delete(board, INT(1000)));
        break;
    }
}

enum { LISTS = 3, WAYS = 6 };

static void use_in_child(void *unused)
{
    size_t length;
    ouro_value key, value;
    (void)unused;
    __atomic_store_n(&oi_perturb_hook, NULL, __ATOMIC_RELAXED);
    ouro_gc_collect(2);
    ouro_gc_freeze();
    ouro_gc_unfreeze();
    ouro_gc_collect(2);
    if (how < LISTS) {
        CHECK_OK(ouro_list_length(board, &length));
        CHECK_LE(length, ITEMS + MORE);
        for (; length; length--) {
            CHECK_OK(ouro_list_pop(board, 0, &value));
            ouro_value_release(value);
        }
        CHECK_EQ(ouro_list_pop(board, 0, &value), OURO_E_INDEX);
        CHECK_OK(ouro_list_append(board, INT(1)));
    } else {
        CHECK_OK(ouro_dict_length(board, &length));
        for (; length; length--) {
            CHECK_OK(ouro_dict_pop_item(board, length % 2, &key, &value));
            ouro_value_release(key);
            ouro_value_release(value);
        }
        CHECK_EQ(ouro_dict_pop_item(board, true, &key, &value), OURO_E_KEY);
        CHECK_OK(ouro_dict_set(board, INT(1), INT(1)));
    }
    for (int i = 0; i < 3; i++)
        ouro_mem_trim();
    ouro_gc_collect(2);
    ouro_gc_freeze();
    ouro_gc_unfreeze();
    ouro_gc_collect(2);
    ouro_value_release(board);
    ouro_gc_collect(2);
}

static bool try(int stop_at)
{
    struct actor writer;
    ouro_value items[ITEMS];
    for (int i = 0; i < ITEMS; i++)
        items[i] = ouro_value_of(ouro_new_array(&bytes_type, HUGE));
    board = how < LISTS ? ouro_list_new() : ouro_dict_new();
    ouro_share(ouro_value_object(board));
    for (int i = 0; i < ITEMS; i++)
        CHECK_OK(how < LISTS ? ouro_list_append(board, items[i]) : ouro_dict_set(board, INT(1000 + i), items[i]));
    ouro_value_release_all(items, ITEMS);
    bool stopped = actor_start(&writer, write, NULL, stop_at);
    if (stopped && !CHECK_EQ(child_run(use_in_child, NULL), 0))
        printf("       way %d, step %d\n", how, stop_at);
    actor_end(&writer);
    ouro_value_release(board);
    return stopped;
}

static void test_vanished_writer(void)
{
    if (!actor_supported())
        return;
    for (how = 0; how < WAYS; how++) {
        int stop_at = 1;
        while (try(stop_at) && stop_at < STEPS_MAX)
            stop_at += stop_at < 30 ? 1 : 13;
        CHECK_LT(stop_at, STEPS_MAX);
    }
    __atomic_store_n(&oi_perturb_hook, NULL, __ATOMIC_RELAXED);
}

int main(void)
{
    check_start("fork_test");
    fixture_start();
    FIXTURE_RUN(test_vanished_writer);
    return check_finish();
}
