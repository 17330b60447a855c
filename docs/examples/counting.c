/* SPDX-License-Identifier: MIT
 *
 * Reference counting, step by step. What stands behind an arrow is what the line prints. */
#include <stdio.h>

#include <ouro/ouro.h>

struct node {
    ouro_object object;
    ouro_slot other;
};
static ouro_type node_type = OURO_TYPE(struct node, .name = "node", .slots = OURO_SLOTS(struct node, other));

static void show(const char *what, const void *object)
{
    printf("%s: %zu\n", what, ouro_refcount(object));
}

int main(void)
{
    struct node *a = ouro_new(&node_type), *b = ouro_new(&node_type);
    if (!a || !b)
        return 1;
    show("made: new references are the caller's", a);  /* --> made: new references are the caller's: 1 */
    ouro_set(b, &b->other, a);
    show("b refers to it, too", a);                    /* --> b refers to it, too: 2 */
    ouro_retain(a);
    show("retained", a);                               /* --> retained: 3 */
    ouro_release(a);
    show("released", a);                               /* --> released: 2 */

    struct node *again = ouro_get(b, &b->other);
    show("got out of b, new", a);                      /* --> got out of b, new: 3 */
    ouro_release(again);
    show("looked at, borrowed", ouro_peek(&b->other)); /* --> looked at, borrowed: 2 */

    ouro_weak *weak = ouro_weak_new(a, NULL, NULL);
    if (!weak)
        return 1;
    show("weak references do not count", a);           /* --> weak references do not count: 2 */

    ouro_give(b, &b->other, a);
    show("given away: the caller has none left", a);   /* --> given away: the caller has none left: 1 */
    ouro_release(b);
    printf("b is dead, and has let go: %s\n", ouro_weak_get(weak) ? "alive" : "dead"); /* --> b is dead, and has let go: dead */
    ouro_release(weak);

    ouro_leak_report left;
    if (ouro_shutdown(&left) != OURO_OK)
        return 1;
    printf("left: %zu\n", (size_t)left.objects);       /* --> left: 0 */
    return 0;
}
