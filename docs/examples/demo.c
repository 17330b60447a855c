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

/* All phases but the last: the caller drops the graph, however far this came. */
static bool run(struct graph *graph, const struct input *input)
{
    struct parsed parsed;
    if (!graph_init(graph, input->length) || !parse(graph, input, &parsed))
        return complain(OURO_E_NOMEM);
    struct census before = graph_census(graph);
    report_phase("parse");
    printf("%zu packages with %zu dependencies; %zu more are only named\n", before.installed, before.dependencies,
           before.packages - before.installed);
    bool ok = check(parsed.stanzas == input->stanzas && parsed.installed == input->installed,
                    "the workers find the stanzas that one thread counted");
    ok &= check(before.installed == parsed.installed - parsed.superseded, "the graph holds the packages of the file");
    ok &= check(before.backlinks == before.dependencies && before.backlinks_sum == before.dependencies_sum,
                "each dependency has its backlink");

    struct traffic seen;
    if (!traffic(graph, &seen))
        return complain(OURO_E_NOMEM);
    struct census after = graph_census(graph);
    report_phase("read and write");
    printf("\nwhy is it installed?\n"
           "  %u readers asked %zu times and found %zu chains, without touching a count\n"
           "  %zu hops checked: %zu overtaken by a writer, %zu wrong\n",
           seen.readers, seen.questions, seen.answers, seen.hops, seen.overtaken, seen.wrong);
    if (seen.longest > 0)
        printf("  the longest: %s\n", seen.chain);
    printf("  meanwhile %u writers replaced %zu versions, reinstalled %zu, and rewired %zu dependencies\n",
           seen.writers, seen.updates, seen.reinstalls, seen.rewirings);
    ok &= check(seen.wrong == 0, "each hop of a chain is a dependency");
    ok &= check(memcmp(&after, &before, sizeof after) == 0, "the writers leave the graph as it was");

    struct what_if found;
    if (!what_if(graph, &found))
        return complain(OURO_E_NOMEM);
    report_phase("what if");
    struct package *package = ouro_get(graph->packages, &graph->packages->items[found.package]);
    struct text *name = ouro_get(package, &package->name);
    printf("\nwhat if it went?\n"
           "  %zu private graphs with %zu nodes, full of cycles; most would go with %s: %zu packages\n",
           found.questions, found.nodes, name->bytes, found.largest);
    ouro_release(name);
    ouro_release(package);
    ok &= check(found.wrong == 0, "what is removed is all that depends on it");
    return ok;
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

    printf("ouro %s, %u threads: %s, %zu KiB\n", ouro_version(), team_size(), path, input.length / 1024);
    struct graph graph;
    report_start();
    bool ok = run(&graph, &input);
    graph_drop(&graph);
    ouro_gc_collect(2); /* packages and those that depend on them refer to each other: cycles, which no count sees */
    report_phase("drop");
    if (ok)
        ok = check(report_print(), "no object is alive");

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
