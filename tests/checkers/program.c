/* SPDX-License-Identifier: MIT
 *
 * A program that makes the mistake that its argument names, for valgrind_test.sh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ouro/ouro.h>

struct node {
    ouro_object object;
    ouro_slot left, right;
    long key;
    char *text; /* malloc's */
};

static ouro_type node_type = OURO_TYPE(struct node, .name = "node", .slots = OURO_SLOTS(struct node, left, right));
static struct node *root;

static __attribute__((noinline)) struct node *make_node(long key)
{
    struct node *n = ouro_new(&node_type);
    if (!n)
        exit(3);
    n->key = key;
    n->text = malloc(10);
    return n;
}

static __attribute__((noinline)) void drop_node(struct node *n)
{
    free(n->text);
    ouro_release(n);
    __asm__ volatile("");
}

static __attribute__((noinline)) void read_private(void)
{
    struct node *n = make_node(2);
    drop_node(n);
    printf("%ld\n", n->key);
}

static __attribute__((noinline)) void write_shared(void)
{
    struct node *n = make_node(2);
    ouro_share(n);
    drop_node(n);
    ouro_mem_trim();
    n->key = 7;
}

static __attribute__((noinline)) void read_beyond(void)
{
    struct node *n = make_node(2);
    printf("%ld\n", *(&n->key + 2));
    drop_node(n);
}

static __attribute__((noinline)) void lose(void)
{
    struct node *outer = make_node(2);
    ouro_give(outer, &outer->left, make_node(3));
}

static void use(int i)
{
    struct node *a = make_node(i), *b = make_node(i);
    free(b->text);
    ouro_give(a, &a->left, b);
    ouro_value list = ouro_list_new();
    for (int k = 0; k < i; k++) {
        if (ouro_list_append(list, ouro_value_of(a)) != OURO_OK)
            exit(3);
    }
    if (i % 2)
        ouro_share(a);
    ouro_value_release(list);
    drop_node(a);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    root = make_node(1);
    ouro_share(root);
    ouro_give(root, &root->left, make_node(2));
    for (int i = 0; i < 40; i++)
        use(i);
    if (!strcmp(what, "read_private"))
        read_private();
    else if (!strcmp(what, "write_shared"))
        write_shared();
    else if (!strcmp(what, "read_beyond"))
        read_beyond();
    else if (!strcmp(what, "lose"))
        lose();
    else if (!strcmp(what, "shut_down"))
        ouro_shutdown(NULL); /* its threads, and what the system holds for them, go too */
    for (int i = 0; i < 40; i++)
        use(i);
    return 0;
}
