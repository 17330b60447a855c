/* SPDX-License-Identifier: MIT
 *
 * What "read and write" has shown. */
#include <stdio.h>
#include <string.h>

#include "demo.h"

#define WIDTH 96 /* characters a line, at most */

/* Broken at blanks. */
static void print_wrapped(const char *indent, const char *text)
{
    size_t room = WIDTH - strlen(indent);
    while (*text) {
        size_t length = strlen(text);
        if (length > room)
            for (length = room; length > 1 && text[length] != ' ';)
                length--;
        printf("%s%.*s\n", indent, (int)length, text);
        text += length;
        text += strspn(text, " ");
    }
}

static double us(uint64_t ns)
{
    return (double)ns / 1e3;
}

static void print_timing(const char *question, const char *when, const struct timing *took)
{
    const struct histogram *all = &took->all;
    printf("  %-22s %-13s %10s %7.2f %7.2f %9.1f %10.1f %9.1f\n", question, when, number(all->count),
           us(histogram_share(all, 0.5)), us(histogram_share(all, 0.99)), us(histogram_share(all, 0.9999)),
           us(all->max), us(took->longest_undisturbed));
}

static void print_timings(const char *question, const struct timing took[2])
{
    print_timing(question, "no collection", &took[0]);
    print_timing("", "collections", &took[1]);
}

static void print_readers(const struct traffic *seen)
{
    printf("  readers    checked %s hops of %s chains: %s overtaken by a writer, %s wrong;\n", number(seen->hops),
           number(seen->answers), number(seen->overtaken), number(seen->wrong));
    printf("             checked %s replaced versions: %s wrong; the longest of all chains:\n", number(seen->replaced),
           number(seen->misplaced));
    print_wrapped("             ", seen->chain);
}

static void print_collector(const struct traffic *seen)
{
    printf("  collector  ran %s full collections, back to back in every other turn", number(seen->collections));
    if (seen->collections > 0)
        printf(": %.1f ms each\n             for %s objects, on average; freed %s objects beside the others' work",
               (double)seen->collecting_ns / 1e6 / (double)seen->collections,
               number(seen->looked_at / seen->collections), number(seen->collected));
    printf("\n");
}

void traffic_print(const struct traffic *seen)
{
    printf("\nread and write: %u readers, %u writers and a collecting thread, all on that graph at once\n",
           seen->readers, seen->writers);
    print_readers(seen);
    printf("  writers    replaced %s versions, reinstalled %s, rewired %s dependencies,\n", number(seen->updates),
           number(seen->reinstalls), number(seen->rewirings));
    printf("             and left %s garbage cycles of %d versions behind\n", number(seen->histories), HISTORY);
    print_collector(seen);
    printf("\n  how long a question takes, in µs       asked    50 %%    99 %%   99.99 %%    longest  longest*\n");
    print_timings("why is it installed?", seen->took[ASK_WHY]);
    print_timings("what did it replace?", seen->took[ASK_HISTORY]);
    printf("  * but for those during which the system took away the reader's processor, which it did %s\n"
           "    times. Readers gave it up to wait for something %s times.\n",
           number(seen->preempted), number(seen->waited));
}
