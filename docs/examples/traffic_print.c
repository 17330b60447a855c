/* SPDX-License-Identifier: MIT
 *
 * What "read and write" has shown. */
#include <stdio.h>
#include <string.h>

#include "demo.h"

#define WIDTH 96

/* At most so many characters a line, broken at blanks. */
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
    printf("  %-22s %-13s %11s %7.2f %7.2f %8.2f %10.2f %10.2f\n", question, when, number(all->count),
           us(histogram_share(all, 0.5)), us(histogram_share(all, 0.99)), us(histogram_share(all, 0.9999)), us(all->max),
           us(took->longest_undisturbed));
}

static void print_timings(const char *question, const struct timing took[2])
{
    print_timing(question, "no collection", &took[0]);
    print_timing("", "collections", &took[1]);
}

void traffic_print(const struct traffic *seen)
{
    printf("\nread and write: %u readers, %u writers and a collecting thread, all on that graph at once\n", seen->readers,
           seen->writers);
    printf("  readers    checked %s hops of %s chains: %s overtaken by a writer, %s wrong;\n", number(seen->hops),
           number(seen->answers), number(seen->overtaken), number(seen->wrong));
    printf("             checked %s replaced versions: %s wrong; the longest chain:\n", number(seen->replaced),
           number(seen->misplaced));
    print_wrapped("             ", seen->chain);
    printf("  writers    replaced %s versions, reinstalled %s, rewired %s dependencies\n", number(seen->updates),
           number(seen->reinstalls), number(seen->rewirings));
    printf("             and left %s garbage cycles behind\n", number(seen->histories));
    printf("  collector  ran %s full collections, back to back in every other turn", number(seen->collections));
    if (seen->collections > 0)
        printf(": %.1f ms and %s objects\n             looked at each, on average; freed %s while the others went on",
               (double)seen->collecting_ns / 1e6 / (double)seen->collections, number(seen->looked_at / seen->collections),
               number(seen->collected));
    printf("\n\n  how long a question takes, in µs        asked    50 %%    99 %%  99.99 %%    longest   longest*\n");
    print_timings("why is it installed?", seen->took[ASK_WHY]);
    print_timings("what did it replace?", seen->took[ASK_HISTORY]);
    printf("  * in which the system did not take away the reader's processor, as it did %s times.\n"
           "    By themselves, to wait for anything, readers gave it up %s times.\n",
           number(seen->preempted), number(seen->waited));
}
