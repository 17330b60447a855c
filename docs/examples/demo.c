/* SPDX-License-Identifier: MIT
 *
 * demo [FILE]: the packages of a Debian index as one shared graph, read and rewritten by many threads at once, until
 * nothing of it is left.
 *
 * FILE is a dpkg status file or a Packages file, unpacked; by default, what is installed here. README.md says more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "demo.h"

#define DEFAULT_FILE "/var/lib/dpkg/status"

static bool check(bool holds, const char *what)
{
    if (!holds)
        fprintf(stderr, "demo: check failed: %s\n", what);
    return holds;
}

static bool complain(ouro_status status)
{
    fprintf(stderr, "demo: %s\n", ouro_status_message(status));
    return false;
}

/* What the program itself knows of a phase, without the library's help. */
static bool check_gone(struct objects seen, size_t by_counting, size_t by_young, size_t by_concurrent)
{
    /* What was dropped for a thread that is busy with something else may be found by a collection before that thread looks. */
    bool ok = check(seen.by_counting + seen.by_concurrent == by_counting + by_concurrent, "all that is dropped goes");
    ok &= check(seen.by_young == by_young, "young collections find the private cycles, and nothing else");
    ok &= check(seen.by_concurrent >= by_concurrent, "concurrent collections find the shared cycles");
    return ok;
}

static bool run_parse(struct graph *graph, const struct input *input, struct census *before)
{
    struct parsed parsed;
    if (!graph_init(graph, input->length) || !parse(graph, input, &parsed))
        return complain(OURO_E_NOMEM);
    *before = graph_census(graph);
    struct objects seen = report_phase("parse");
    printf("\nparse: %s packages with %s dependencies; %s more are only named\n", number(before->installed),
           number(before->dependencies), number(before->packages - before->installed));
    bool ok = check(parsed.stanzas == input->stanzas && parsed.installed == input->installed,
                    "the workers find the stanzas that one thread counted");
    ok &= check(before->installed == parsed.installed - parsed.superseded, "the graph holds the packages of the file");
    ok &= check(before->backlinks == before->dependencies && before->backlinks_sum == before->dependencies_sum,
                "each dependency has its backlink");
    /* A package and its name; a version, its number and its list. */
    return ok & check_gone(seen, 2 * atomic_load(&graph->outrun) + 3 * parsed.superseded, 0, 0);
}

static bool run_traffic(struct graph *graph, const struct census *before)
{
    struct traffic seen;
    if (!traffic(graph, &seen))
        return complain(OURO_E_NOMEM);
    struct census after = graph_census(graph);
    struct objects objects = report_phase("read and write");
    traffic_print(&seen);
    bool ok = check(seen.wrong == 0, "each hop of a chain is a dependency");
    ok &= check(seen.misplaced == 0, "each version is the one that the next has replaced");
    ok &= check(memcmp(&after, before, sizeof after) == 0, "the writers leave the graph as it was");
    /* A backlink each time; what was made for nothing; the histories. */
    return ok & check_gone(objects, seen.rewirings + seen.outrun, 0, seen.histories * HISTORY);
}

static bool run_what_if(struct graph *graph)
{
    struct what_if found;
    if (!what_if(graph, &found))
        return complain(OURO_E_NOMEM);
    struct objects seen = report_phase("what if");
    struct package *package = ouro_get(graph->packages, &graph->packages->items[found.package]);
    struct text *name = ouro_get(package, &package->name);
    printf("\nwhat if it went? %s private graphs with %s nodes, most of them cyclic;\n"
           "  most would go with %s: %s packages\n",
           number(found.questions), number(found.nodes), name->bytes, number(found.largest));
    ouro_release(name);
    ouro_release(package);
    bool ok = check(found.wrong == 0, "what is removed is all that depends on it");
    return ok & check_gone(seen, found.lonely, seen.made - found.lonely, 0);
}

/* All phases but the last: the caller drops the graph, however far this came. */
static bool run(struct graph *graph, const struct input *input)
{
    struct census census;
    bool ok = run_parse(graph, input, &census);
    ok = ok && run_traffic(graph, &census);
    return ok && run_what_if(graph);
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        fprintf(stderr, "usage: demo [FILE]\n");
        return EXIT_FAILURE;
    }
    const char *path = argc == 2 ? argv[1] : DEFAULT_FILE;
    struct input input;
    if (!input_read(&input, path))
        return EXIT_FAILURE;
    ouro_status status = ouro_init(NULL);
    if (status != OURO_OK) {
        complain(status);
        input_free(&input);
        return EXIT_FAILURE;
    }

    printf("ouro %s, %u processors: %s, %s KiB, as a graph of shared objects\n", ouro_version(), team_size(), path,
           number(input.length / 1024));
    struct graph graph = {0};
    report_start();
    bool ok = run(&graph, &input);
    graph_drop(&graph);
    ouro_gc_collect(2); /* packages and those that depend on them refer to each other: cycles, which no count sees */
    report_phase("drop");
    if (ok)
        ok = check(report_print(), "all objects that were made are gone, by counting or a collection");

    /* The last word is the library's own. */
    ouro_leak_report left;
    status = ouro_shutdown(&left);
    ok &= status == OURO_OK || complain(status);
    ok &= check(left.objects == 0, "nothing is left");
    if (ok)
        printf("\nleft: nothing\n");
    input_free(&input);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
