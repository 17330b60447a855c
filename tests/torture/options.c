/* SPDX-License-Identifier: MIT */
#include "torture/options.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ouro/version.h>

enum { THREADS_MAX = 1024, SECONDS = 10, OBJECTS_PER_THREAD_MIN = 512, COLLECTING_ONE_IN = 64 };

#define MIX_NAME(constant, name, share) name,
const char *const mix_names[MIX_COUNT] = {MIXES(MIX_NAME) "base"};
#undef MIX_NAME

#define MIX_SHARE(constant, name, share) share,
static const unsigned shares[MIX_COUNT] = {MIXES(MIX_SHARE) BASE_SHARE};
#undef MIX_SHARE

static const char *const sabotages[SABOTAGES] = {"none", "over-release", "forget-link", "leak", "scribble", "hang", "crash"};

struct options options = {.threads = 4, .objects = 65536, .round = 4000, .patience = 60, .perturb = true};
static const char *mix_text = "all";
static char command[1024];

static const char usage[] =
    "ouro-stress: threads do everything at once to one heap, by a seed, and what comes of it is checked against a ledger.\n"
    "\n"
    "  --threads N      workers (4)\n"
    "  --seconds N      how long (10)\n"
    "  --ops N          so many steps in all, instead of so many seconds; with --threads 1 each time the same\n"
    "  --seed N         of all random choices (from the clock; it is printed)\n"
    "  --mix LIST       what the steps are about: names, with a comma between, each with :N for N times its share, which\n"
    "                   may be a fraction; -NAME for all but this; all (the default)\n"
    "  --objects N      how many there may be between two verifications of the whole heap (65536)\n"
    "  --round N        so many steps of each worker between two verifications, at most (4000)\n"
    "  --cores N        processors to use: a number, one, or all (the default)\n"
    "  --perturb on|off priorities and processors of threads changed at random; in debug builds of the library also\n"
    "                   delays within its operations (on)\n"
    "  --patience N     so many seconds without progress are a failure (60)\n"
    "  --json FILE      write the result there, too; - is the standard output\n"
    "  --quiet          no line each second\n"
    "  --help, --version\n"
    "\n"
    "Exit status: 0, nothing was wrong; 1, something was; 2, wrong usage. See docs/stress.md.\n"
    "Mixes:";

static void refuse(const char *what, const char *word)
{
    fprintf(stderr, "ouro-stress: %s: %s (try --help)\n", what, word);
    exit(2);
}

static uint64_t number(const char *word, uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    uint64_t value = strtoull(word, &end, 0);
    if (errno || end == word || *end || strchr(word, '-') || value < least || value > most)
        refuse("not a number that makes sense here", word);
    return value;
}

static double factor(const char *word)
{
    char *end;
    double value = strtod(word, &end);
    if (end == word || *end || !(value >= 0 && value <= 100000))
        refuse("not a number that makes sense here", word);
    return value;
}

static unsigned choice(const char *const *names, unsigned count, const char *word, size_t length)
{
    for (unsigned i = 0; i < count; i++) {
        if (strlen(names[i]) == length && !strncmp(names[i], word, length))
            return i;
    }
    refuse("there is no such thing", word);
    return 0;
}

static void add_mix(const char *word, size_t length)
{
    const char *colon = memchr(word, ':', length);
    size_t name = colon ? (size_t)(colon - word) : length;
    char times[16] = "1";
    if (colon)
        snprintf(times, sizeof times, "%.*s", (int)(length - name - 1), colon + 1);
    if (length == 3 && !strncmp(word, "all", 3)) {
        memcpy(options.shares, shares, sizeof shares);
    } else if (*word == '-') {
        if (!options.shares[MIX_BASE])
            memcpy(options.shares, shares, sizeof shares);
        options.shares[choice(mix_names, MIX_COUNT, word + 1, name - 1)] = 0;
    } else {
        enum mix mix = (enum mix)choice(mix_names, MIX_COUNT, word, name);
        double share = shares[mix] * factor(times);
        options.shares[mix] = share > 0 && share < 1 ? 1 : (unsigned)(share + 0.5);
    }
    options.shares[MIX_BASE] = BASE_SHARE;
}

static void set_mix(const char *list)
{
    mix_text = list;
    memset(options.shares, 0, sizeof options.shares);
    for (const char *word = list; *word;) {
        size_t length = strcspn(word, ",");
        add_mix(word, length);
        word += length + (word[length] == ',');
    }
}

static _Noreturn void help(void)
{
    fputs(usage, stdout);
    for (int i = 0; i < MIX_BASE; i++)
        printf("%s%s", i ? "," : " ", mix_names[i]);
    puts("");
    exit(0);
}

static uint64_t some_seed(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return ((uint64_t)t.tv_sec * 1000003 + (uint64_t)t.tv_nsec + (uint64_t)getpid()) % 1000000000;
}

static void write_command(void)
{
    int n = snprintf(command, sizeof command, "ouro-stress --threads %u --seed %" PRIu64 " --mix %s --objects %u --round %u --perturb %s", options.threads,
                     options.seed, mix_text, options.objects, options.round, options.perturb ? "on" : "off");
    if (options.steps)
        n += snprintf(command + n, sizeof command - (size_t)n, " --ops %" PRIu64, options.steps);
    if (options.seconds)
        n += snprintf(command + n, sizeof command - (size_t)n, " --seconds %u", options.seconds);
    if (options.cores)
        n += snprintf(command + n, sizeof command - (size_t)n, " --cores %u", options.cores);
    if (options.sabotage)
        snprintf(command + n, sizeof command - (size_t)n, " --sabotage %s", sabotages[options.sabotage]);
}

static void set(int option, const char *word)
{
    switch (option) {
    case 't':
        options.threads = (unsigned)number(word, 1, THREADS_MAX);
        break;
    case 's':
        options.seconds = (unsigned)number(word, 1, 100000000);
        break;
    case 'o':
        options.steps = number(word, 1, UINT64_MAX / 2);
        break;
    case 'r':
        options.seed = number(word, 0, UINT64_MAX);
        break;
    case 'm':
        set_mix(word);
        break;
    case 'n':
        options.objects = (uint32_t)number(word, 1000, 100000000);
        break;
    case 'e':
        options.round = (uint32_t)number(word, 1, 100000000);
        break;
    case 'c':
        options.cores = !strcmp(word, "all") ? 0 : !strcmp(word, "one") ? 1 : (unsigned)number(word, 1, 1024);
        break;
    case 'p':
        options.perturb = choice((const char *const[]){"off", "on"}, 2, word, strlen(word));
        break;
    case 'w':
        options.patience = (unsigned)number(word, 1, 1000000);
        break;
    case 'j':
        options.json = word;
        break;
    case 'q':
        options.quiet = true;
        break;
    case 'x':
        options.sabotage = (enum sabotage)choice(sabotages, SABOTAGES, word, strlen(word));
        break;
    case 'v':
        printf("ouro-stress %s, library %s\n", OURO_VERSION_STRING, ouro_version());
        exit(0);
    case 'h':
        help();
    default:
        exit(2);
    }
}

void options_parse(int count, char **words)
{
    static const struct option table[] = {
        {"threads", 1, NULL, 't'}, {"seconds", 1, NULL, 's'},  {"ops", 1, NULL, 'o'},   {"seed", 1, NULL, 'r'},
        {"mix", 1, NULL, 'm'},     {"objects", 1, NULL, 'n'},  {"round", 1, NULL, 'e'},   {"cores", 1, NULL, 'c'}, {"perturb", 1, NULL, 'p'},
        {"json", 1, NULL, 'j'},    {"patience", 1, NULL, 'w'}, {"quiet", 0, NULL, 'q'}, {"sabotage", 1, NULL, 'x'}, /* for its test */
        {"help", 0, NULL, 'h'},    {"version", 0, NULL, 'v'},  {NULL, 0, NULL, 0},
    };
    options.seed = some_seed();
    set_mix("all");
    for (int option; (option = getopt_long(count, words, "", table, NULL)) != -1;)
        set(option, optarg);
    if (optind < count)
        refuse("not an option", words[optind]);
    if (!options.seconds && !options.steps)
        options.seconds = SECONDS;
    if (options.objects / options.threads < OBJECTS_PER_THREAD_MIN)
        options.objects = options.threads * OBJECTS_PER_THREAD_MIN;
    unsigned share = options.shares[MIX_COLLECTIONS], usual = COLLECTING_ONE_IN * shares[MIX_COLLECTIONS];
    if (share)
        options.collecting_one_in = share < usual ? usual / share : 1;
    write_command();
}

const char *options_command(void)
{
    return command;
}
