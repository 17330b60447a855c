/* SPDX-License-Identifier: MIT
 *
 * A generator against a list: values when they are asked for, or all at once. What stands behind an arrow is what the line prints. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <ouro/ouro.h>

#define COUNT 100000

static void check(ouro_status status)
{
    if (status != OURO_OK) {
        fprintf(stderr, "%s\n", ouro_status_message(status));
        exit(EXIT_FAILURE);
    }
}

static size_t bytes(void)
{
    ouro_mem_stats stats;
    ouro_mem_get_stats(&stats, sizeof stats);
    return stats.live_bytes;
}

/* A generator of the program's own: Fibonacci's numbers up to a limit. The handle is its state. */
struct fibonacci {
    int64_t now, next;
};

static ouro_status fibonacci_next(uint64_t handle, ouro_value source, ouro_value *value)
{
    struct fibonacci *state = (struct fibonacci *)(uintptr_t)handle; /* one thread at a time is in here */
    int64_t number = state->now;
    if (number > ouro_int_value(source))
        return OURO_E_END;
    state->now = state->next;
    state->next += number;
    *value = ouro_int_new(number);
    return OURO_OK;
}

static void fibonacci_dispose(uint64_t handle)
{
    free((void *)(uintptr_t)handle);
}

static const ouro_generator fibonacci = {.size = sizeof fibonacci, .name = "fibonacci", .next = fibonacci_next, .dispose = fibonacci_dispose};

static ouro_value fibonacci_below(int64_t limit)
{
    ouro_value iterator;
    struct fibonacci *state = calloc(1, sizeof *state);
    if (!state)
        check(OURO_E_NOMEM);
    state->next = 1;
    check(ouro_generate(&fibonacci, (uint64_t)(uintptr_t)state, ouro_int_new(limit), &iterator));
    return iterator;
}

/* Of anything that can be iterated. */
static int64_t sum(ouro_value values)
{
    int64_t total = 0;
    ouro_value iterator, value;
    ouro_status status;
    check(ouro_iterate(values, &iterator));
    while ((status = ouro_iterator_next(iterator, &value)) == OURO_OK)
        total += ouro_int_value(value);
    if (status != OURO_E_END)
        check(status);
    ouro_value_release(iterator);
    return total;
}

int main(void)
{
    ouro_value range, list = ouro_list_new();
    size_t before = bytes();
    check(ouro_iterate_range(1, COUNT + 1, 1, &range));
    check(ouro_list_extend(list, range)); /* takes all there are */
    ouro_value_release(range);
    size_t of_list = bytes() - before;
    printf("list: %" PRId64 "\n", sum(list));                        /* --> list: 5000050000 */

    before = bytes();
    check(ouro_iterate_range(1, COUNT + 1, 1, &range));
    size_t of_range = bytes() - before;
    printf("generator: %" PRId64 "\n", sum(range));                  /* --> generator: 5000050000 */
    printf("8 bytes for each element: %d\n", of_list >= 8 * COUNT);  /* --> 8 bytes for each element: 1 */
    printf("next to nothing: %d\n", of_range < 1000);                /* --> next to nothing: 1 */
    printf("again: %" PRId64 " %" PRId64 "\n", sum(range), sum(list)); /* --> again: 0 5000050000 */

    ouro_value numbers = fibonacci_below(50), some = ouro_list_new(), shown;
    check(ouro_list_extend(some, numbers));
    check(ouro_repr(some, &shown));
    printf("%s\n", ouro_string_data(shown, NULL));                   /* --> [0, 1, 1, 2, 3, 5, 8, 13, 21, 34] */

    ouro_value_release_all((ouro_value[]){list, range, numbers, some, shown}, 5);
    ouro_leak_report left;
    check(ouro_shutdown(&left));
    printf("left: %zu\n", (size_t)left.objects);                     /* --> left: 0 */
    return EXIT_SUCCESS;
}
