/* SPDX-License-Identifier: MIT
 *
 * Trees: those of the benchmark game, GCBench, and one whose memory is looked at. */
#include "peer.h"

enum { DEPTH_MIN = 4 };

static node *keep; /* where a collector that looks for roots finds it */

node *tree_make(unsigned depth)
{
    node *left = depth ? tree_make(depth - 1) : NULL;
    node *right = depth ? tree_make(depth - 1) : NULL;
    node *n = heap_new();
    n->key = depth;
    if (depth) {
        heap_give(n, &n->left, left);
        heap_give(n, &n->right, right);
    }
    return n;
}

uint64_t tree_count(const node *n)
{
    const node *left = heap_peek(&n->left), *right = heap_peek(&n->right);
    return 1 + (left ? tree_count(left) : 0) + (right ? tree_count(right) : 0);
}

uint64_t tree_nodes(unsigned depth)
{
    return (UINT64_C(2) << depth) - 1;
}

/* Made, counted, dropped; returns the nodes. */
static uint64_t one_tree(unsigned depth)
{
    node *root = tree_make(depth);
    uint64_t nodes = tree_count(root);
    heap_drop_tree(root);
    return nodes;
}

/* ---- the benchmark game's ---- */

static uint64_t round_trees(void *state, unsigned index)
{
    unsigned most = (unsigned)peer.size;
    uint64_t nodes = 0, expected = 0;
    (void)state;
    if (index == 0) {
        nodes += one_tree(most + 1);
        keep = tree_make(most);
        expected += tree_nodes(most + 1) + tree_nodes(most);
    }
    for (unsigned depth = DEPTH_MIN; depth <= most; depth += 2) {
        uint64_t trees = (UINT64_C(1) << (most - depth + DEPTH_MIN)) / peer.threads;
        expected += trees * tree_nodes(depth);
        for (; trees; trees--)
            nodes += one_tree(depth);
    }
    if (index == 0) {
        nodes += tree_count(keep);
        node *root = keep;
        keep = NULL;
        heap_drop_tree(root);
    }
    peer_check(nodes == expected, "not as many nodes as were made");
    return nodes;
}

void work_trees(void)
{
    uint64_t before = heap_live();
    peer_time time = peer_repeat(round_trees, NULL);
    peer_check_live(before);
    peer_report_time(time, "ns/node");
}

/* ---- GCBench ---- */

/* SIZE is the depth of the first tree, 18 in the original; the one that stays and the last of the others are two less. */
enum { ARRAY = 500000, LEAST = 4 };

/* From the top: a node is there before its children are. */
static void populate(node *n, unsigned depth)
{
    if (depth == 0)
        return;
    heap_give(n, &n->left, heap_new());
    heap_give(n, &n->right, heap_new());
    populate(heap_peek(&n->left), depth - 1);
    populate(heap_peek(&n->right), depth - 1);
}

static node *populated(unsigned depth)
{
    node *root = heap_new();
    populate(root, depth);
    return root;
}

static uint64_t round_gcbench(void *state, unsigned index)
{
    unsigned stretch = (unsigned)peer.size, most = stretch - 2;
    (void)state;
    (void)index;
    bool ok = one_tree(stretch) == tree_nodes(stretch);
    keep = populated(most);
    double *array = malloc(ARRAY * sizeof *array);
    if (!array)
        abort();
    for (unsigned i = 0; i < ARRAY; i++)
        array[i] = 1.0 / (i + 1);
    for (unsigned depth = LEAST; depth <= most; depth += 2) {
        uint64_t trees = 2 * tree_nodes(stretch) / tree_nodes(depth);
        for (uint64_t i = 0; i < trees; i++) {
            node *root = populated(depth);
            ok &= i != 0 || tree_count(root) == tree_nodes(depth);
            heap_drop_tree(root);
        }
        for (uint64_t i = 0; i < trees; i++) {
            node *root = tree_make(depth);
            ok &= i != 0 || tree_count(root) == tree_nodes(depth);
            heap_drop_tree(root);
        }
    }
    ok &= tree_count(keep) == tree_nodes(most) && array[1000] == 1.0 / 1001;
    free(array);
    node *root = keep;
    keep = NULL;
    heap_drop_tree(root);
    peer_check(ok, "a tree is not what was made");
    return 1;
}

void work_gcbench(void)
{
    uint64_t before = heap_live();
    peer_time time = peer_repeat(round_gcbench, NULL);
    peer_check_live(before);
    peer_report("time", time.seconds / (double)time.operations, "s", time.operations);
}

/* ---- memory ---- */

static node *balanced(uint64_t nodes)
{
    if (nodes == 0)
        return NULL;
    node *n = heap_new();
    uint64_t left = (nodes - 1) / 2;
    n->key = nodes;
    if (left)
        heap_give(n, &n->left, balanced(left));
    if (nodes - 1 - left)
        heap_give(n, &n->right, balanced(nodes - 1 - left));
    return n;
}

void work_memory(void)
{
    heap_drop(heap_new()); /* starts what starts with the first node */
    double resident = peer_resident("VmRSS");
    keep = balanced(peer.size);
    heap_collect();
    resident = peer_resident("VmRSS") - resident;
    peer_check(tree_count(keep) == peer.size, "not as many nodes as were made");
    peer_report("resident", resident / (double)peer.size, "bytes/node", peer.size);
}
