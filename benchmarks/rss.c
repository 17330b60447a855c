/* SPDX-License-Identifier: MIT
 *
 * What five million two-slot nodes take, seen from outside: the growth of the resident set of a fresh process. The bar
 * is 16 bytes of header plus what the program asked for, and a tenth. The nodes hang on each other, so there is no
 * array of references that would count as well. */
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "node.h"
#include "peer.h"

enum { NODES = 5000000, NODES_QUICK = 500000, HEADER = 16, ROUNDS = 3 };

extern char **environ;

typedef struct node8 {
    ouro_object object;
    ouro_slot left, right;
    char payload[8];
} node8;

typedef struct node16 {
    ouro_object object;
    ouro_slot left, right;
    char payload[16];
} node16;

static ouro_type node8_type = OURO_TYPE(node8, .name = "node8", .slots = OURO_SLOTS(node8, left, right));
static ouro_type node16_type = OURO_TYPE(node16, .name = "node16", .slots = OURO_SLOTS(node16, left, right));

typedef struct layout {
    const char *name;
    size_t size;
    ouro_type *type;
} layout;

static const layout layouts[] = {
    {"no payload (32 bytes)", sizeof(node), &node_type},
    {"8 bytes of payload (40 bytes)", sizeof(node8), &node8_type},
    {"16 bytes of payload (48 bytes)", sizeof(node16), &node16_type},
};

enum { LAYOUTS = sizeof layouts / sizeof layouts[0] };

/* ---- the child ---- */

static long resident_bytes(void)
{
    long total, resident = -1;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return -1;
    if (fscanf(file, "%ld %ld", &total, &resident) != 2)
        resident = -1;
    fclose(file);
    return resident * sysconf(_SC_PAGESIZE);
}

/* Every layout begins like node. */
static void *make_managed(ouro_type *type, long count)
{
    node *list = NULL;
    for (; count; count--) {
        node *n = node_new_of(type);
        ouro_give(n, &n->left, list);
        list = n;
    }
    return list;
}

/* Touches what a program would write: the whole block but for the payload that nobody has filled. */
static void *make_plain(size_t size, long count)
{
    plain_node *list = NULL;
    for (; count; count--) {
        plain_node *n = peer_malloc(size);
        if (!n)
            abort();
        *n = (plain_node){.left = list};
        list = n;
    }
    return list;
}

/* what: "<o|p> <layout> <count>". Prints the bytes by which the resident set grew. */
int bench_rss_child(const char *what)
{
    char kind;
    unsigned index;
    long count;
    if (sscanf(what, "%c %u %ld", &kind, &index, &count) != 3 || index >= LAYOUTS)
        return 2;
    /* One of each first: what starting up costs is not what nodes cost. */
    void *warm = kind == 'o' ? make_managed(layouts[index].type, 1) : make_plain(layouts[index].size, 1);
    long before = resident_bytes();
    void *list = kind == 'o' ? make_managed(layouts[index].type, count) : make_plain(layouts[index].size, count);
    long after = resident_bytes();
    BENCH_TOUCH(warm);
    BENCH_TOUCH(list);
    if (kind == 'o' && bench_live() != (size_t)count + 1)
        return 3;
    printf("%ld\n", after - before);
    fflush(stdout);
    _exit(0);
}

/* ---- the parent ---- */

/* Starts this program anew (no copy of it, which would inherit its heap) and reads what the child prints. */
static double child_growth(char kind, unsigned index, long count)
{
    char what[48], text[32] = "";
    int ends[2], status = -1;
    pid_t pid;
    snprintf(what, sizeof what, "%c %u %ld", kind, index, count);
    char *arguments[] = {"bench", "--rss-child", what, NULL};
    posix_spawn_file_actions_t actions;
    if (pipe(ends) != 0)
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    int error = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    ssize_t length = error ? -1 : read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    if (error || waitpid(pid, &status, 0) != pid || status != 0 || length <= 0)
        return -1;
    return atof(text);
}

/* Bytes per node, as samples; false (and a wrong result) if a child failed. */
static bool measure(char kind, unsigned index, double *samples)
{
    long count = bench_quick ? NODES_QUICK : NODES;
    for (int i = 0; i < ROUNDS; i++) {
        bench_progress("%s: %s", kind == 'o' ? "ouro" : PEER_NAME, layouts[index].name);
        double growth = child_growth(kind, index, count);
        bench_check(growth > 0, "%s: the child failed", layouts[index].name);
        if (growth <= 0)
            return false;
        samples[i] = growth / (double)count;
    }
    return true;
}

void bench_rss(void)
{
    double plain[ROUNDS], ours[ROUNDS];
    char text[112];
    for (unsigned i = 0; i < LAYOUTS; i++) {
        if (!measure('p', i, plain) || !measure('o', i, ours))
            continue;
        snprintf(text, sizeof text, "%s: " PEER_NAME ", header included by hand", layouts[i].name);
        bench_samples(text, plain, ROUNDS, "bytes", BENCH_INFORMATION);
        snprintf(text, sizeof text, "%s: ouro", layouts[i].name);
        bench_samples(text, ours, ROUNDS, "bytes", BENCH_INFORMATION);
        for (int r = 0; r < ROUNDS; r++)
            ours[r] /= (double)layouts[i].size;
        snprintf(text, sizeof text, "%s: ouro / (%d + fields)", layouts[i].name, HEADER);
        bench_samples(text, ours, ROUNDS, "ratio", BENCH_BAR_AT_MOST(1.10));
    }
}
