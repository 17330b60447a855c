/* SPDX-License-Identifier: MIT
 *
 * Interning: one string for one text. What stands behind an arrow is what the line prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ouro/ouro.h>

#define TEXT "a text that comes again and again"

static void check(ouro_status status)
{
    if (status != OURO_OK) {
        fprintf(stderr, "%s\n", ouro_status_message(status));
        exit(EXIT_FAILURE);
    }
}

static size_t live(void)
{
    ouro_mem_stats stats;
    ouro_mem_get_stats(&stats, sizeof stats);
    return stats.live_objects;
}

int main(void)
{
    ouro_value a, b, rows = ouro_list_new();
    check(ouro_string_from(TEXT, &a));
    check(ouro_string_from(TEXT, &b));
    bool equal;
    check(ouro_equal(a, b, &equal));
    printf("equal %d, the same %d\n", equal, ouro_same(a, b));       /* --> equal 1, the same 0 */

    ouro_value c, d;
    check(ouro_intern(a, &c));
    check(ouro_intern_bytes(TEXT, strlen(TEXT), &d));
    printf("interned: the same %d\n", ouro_same(c, d));              /* --> interned: the same 1 */

    /* What that saves. */
    size_t before = live();
    for (int i = 0; i < 1000; i++) {
        ouro_value text;
        check(ouro_string_from(TEXT, &text));
        check(ouro_list_append(rows, text));
        ouro_value_release(text);
    }
    printf("1000 strings: %d\n", live() - before >= 1000);           /* --> 1000 strings: 1 */
    check(ouro_list_clear(rows));
    before = live();
    for (int i = 0; i < 1000; i++) {
        ouro_value text;
        check(ouro_intern_bytes(TEXT, strlen(TEXT), &text));
        check(ouro_list_append(rows, text));
        ouro_value_release(text);
    }
    printf("one string: %d\n", live() - before < 10);                /* --> one string: 1 */

    /* It is found as long as somebody holds it, and goes with the last one who does. */
    ouro_weak *weak = ouro_weak_new(ouro_value_object(c), NULL, NULL);
    ouro_value_release_all((ouro_value[]){a, b, c, d, rows}, 5);
    printf("%s\n", ouro_weak_get(weak) ? "alive" : "dead");          /* --> dead */
    ouro_release(weak);

    ouro_leak_report left;
    check(ouro_shutdown(&left));
    printf("left: %zu\n", (size_t)left.objects);                     /* --> left: 0 */
    return EXIT_SUCCESS;
}
