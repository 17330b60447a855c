/* SPDX-License-Identifier: MIT
 *
 * "What would go with X?" All that depends on it, directly or not. Each question is answered on a private graph made
 * for it: a node for each package concerned, and for each dependency among them an arc in either direction.
 *
 * Such a graph is made of cycles, and the program does nothing about that: it drops the first node and asks the next
 * question. What stands in no cycle goes by counting, at once; the rest is found by this thread's young collections.
 * ouro_new starts them by itself now and then. They look at nobody else's objects, and nobody waits for them. */
#include <stdlib.h>

#include "demo.h"

#define WHAT_IF_NS UINT64_C(300000000)

struct node {
    ouro_object object;
    ouro_slot package;    /* in the shared graph: private objects may refer to shared ones */
    ouro_slot next;       /* all nodes of one graph, in the order in which they were found */
    ouro_slot dependants; /* first arc */
    ouro_slot depends;    /* first arc */
    bool gone;
};

struct arc {
    ouro_object object;
    ouro_slot node, next;
};

static ouro_type node_type =
    OURO_TYPE(struct node, .name = "node", .slots = OURO_SLOTS(struct node, package, next, dependants, depends));
static ouro_type arc_type = OURO_TYPE(struct arc, .name = "arc", .slots = OURO_SLOTS(struct arc, node, next));

struct job {
    struct graph *graph;
    uint64_t end;
    atomic_size_t next; /* question that nobody has asked yet */
    atomic_bool failed; /* no memory */
    pthread_mutex_t adding;
    struct what_if *total;
};

/* The private graph in the making. */
struct copy {
    struct node *last;
    struct node **by_id; /* the node of each package, or NULL */
    size_t nodes;
};

/* The package's node, made if need be and put behind the last one, which holds it. NULL: no memory. */
static struct node *copy_node(struct copy *copy, struct package *package)
{
    struct node *node = copy->by_id[package->id];
    if (node || !(node = make(&node_type)))
        return node;
    ouro_set(node, &node->package, package);
    if (copy->last)
        ouro_give(copy->last, &copy->last->next, node);
    copy->nodes++;
    return copy->last = copy->by_id[package->id] = node;
}

static bool add_arc(struct node *node, ouro_slot *first, struct node *to)
{
    struct arc *arc = make(&arc_type);
    if (!arc)
        return false;
    ouro_set(arc, &arc->node, to);
    ouro_give(arc, &arc->next, ouro_take(node, first));
    ouro_give(node, first, arc);
    return true;
}

/* Copies the backlinks of the node's package, and the packages that they name. Objects are made on the way, so
 * this is no read section: it holds what it stands on. Of private objects, which nobody else can change, it may
 * borrow. */
static bool copy_dependants(struct copy *copy, struct node *node)
{
    bool ok = true;
    struct package *package = ouro_peek(&node->package);
    for (struct backlink *link = ouro_get(package, &package->dependants), *next; link; link = next) {
        struct package *dependant = ouro_get(link, &link->package);
        struct node *other = copy_node(copy, dependant);
        ok = ok && other && add_arc(node, &node->dependants, other) && add_arc(other, &other->depends, node);
        ouro_release(dependant);
        next = ouro_get(link, &link->next);
        ouro_release(link);
    }
    return ok;
}

/* Takes out the node and all that depends on it; how many that are. stack has room for all. */
static size_t remove_node(struct node *start, struct node **stack)
{
    size_t removed = 0, depth = 0;
    start->gone = true;
    stack[depth++] = start;
    while (depth > 0) {
        struct node *node = stack[--depth];
        removed++;
        for (struct arc *arc = ouro_peek(&node->dependants); arc; arc = ouro_peek(&arc->next)) {
            struct node *dependant = ouro_peek(&arc->node);
            if (!dependant->gone)
                stack[depth++] = dependant;
            dependant->gone = true;
        }
    }
    return removed;
}

static size_t count_arcs(const ouro_slot *first)
{
    size_t count = 0;
    for (struct arc *arc = ouro_peek(first); arc; arc = ouro_peek(&arc->next))
        count++;
    return count;
}

static bool ask(struct package *package, struct copy *copy, struct node **stack, struct what_if *mine)
{
    copy->last = NULL;
    copy->nodes = 0;
    struct node *first = copy_node(copy, package);
    bool ok = first;
    for (struct node *node = first; ok && node; node = ouro_peek(&node->next))
        ok = copy_dependants(copy, node);
    if (ok) {
        size_t removed = remove_node(first, stack);
        mine->questions++;
        mine->nodes += removed;
        mine->wrong += removed != copy->nodes;
        if (removed > mine->largest) {
            mine->largest = removed;
            mine->package = package->id;
        }
    }
    size_t up = 0, down = 0;
    for (struct node *node = first; node; node = ouro_peek(&node->next)) {
        struct package *copied = ouro_peek(&node->package);
        copy->by_id[copied->id] = NULL;
        up += count_arcs(&node->dependants);
        down += count_arcs(&node->depends);
    }
    mine->wrong += ok && up != down;
    mine->lonely += ok && up == 0; /* else first can be reached from the last node and, by arcs, from itself */
    ouro_release(first);           /* the last reference from outside */
    return ok;
}

static void work(unsigned member, void *arg)
{
    (void)member;
    struct job *job = arg;
    struct what_if mine = {0}, *total = job->total;
    struct list *packages = job->graph->packages;
    size_t count = packages->array.length;
    struct copy copy = {.by_id = calloc(count, sizeof *copy.by_id)};
    struct node **stack = calloc(count, sizeof *stack);
    bool ok = copy.by_id && stack;
    while (ok && !atomic_load(&job->failed) && now_ns() < job->end) {
        size_t i = atomic_fetch_add(&job->next, 1);
        if (i >= count)
            break;
        /* Every package once, mixed: this prime has no common divisor with any count. */
        i = (size_t)(i * UINT64_C(4294967291) % count);
        struct package *package = ouro_get(packages, &packages->items[i]);
        ok = ask(package, &copy, stack, &mine);
        ouro_release(package);
    }
    free(copy.by_id);
    free(stack);

    /* The cycles since the last automatic collection. A thread's exit collects them just as well, but one of these
     * is the main thread. */
    if (ouro_gc_collect(0) < 0 || !ok)
        atomic_store(&job->failed, true);

    pthread_mutex_lock(&job->adding);
    total->questions += mine.questions;
    total->nodes += mine.nodes;
    total->wrong += mine.wrong;
    total->lonely += mine.lonely;
    if (mine.largest > total->largest) {
        total->largest = mine.largest;
        total->package = mine.package;
    }
    pthread_mutex_unlock(&job->adding);
}

bool what_if(struct graph *graph, struct what_if *what_if)
{
    *what_if = (struct what_if){0};
    struct job job = {.graph = graph, .total = what_if, .adding = PTHREAD_MUTEX_INITIALIZER};
    job.end = now_ns() + WHAT_IF_NS;
    team_run(team_size(), work, &job);
    return !atomic_load(&job.failed);
}
