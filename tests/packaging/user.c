/* SPDX-License-Identifier: MIT
 *
 * A program that uses the installed library: makes a cycle, drops it, and sees it collected. */
#include <ouro/ouro.h>

#include <stdio.h>
#include <string.h>

struct node {
    ouro_object object;
    ouro_slot next;
    long key;
};

static ouro_type node_type = OURO_TYPE(struct node, .name = "node", .slots = OURO_SLOTS(struct node, next));

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], ouro_version()) != 0) {
        fprintf(stderr, "version %s, not %s\n", ouro_version(), argv[1]);
        return 1;
    }
    struct node *a = ouro_new(&node_type);
    struct node *b = ouro_new(&node_type);
    if (!a || !b)
        return 2;
    ouro_set(a, &a->next, b);
    ouro_set(b, &b->next, a);
    if (ouro_refcount(a) != 2 || ouro_peek(&a->next) != b)
        return 3;
    ouro_release(b);
    ouro_release(ouro_retain(a));
    ouro_release(a);
    if (ouro_gc_collect(0) != 2)
        return 4;
    return ouro_shutdown(NULL) == OURO_OK ? 0 : 5;
}
