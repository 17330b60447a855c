/* SPDX-License-Identifier: MIT
 *
 * The OURO_... variables of the environment and the configuration: any bytes in them, against a second reading by other means (regular
 * expressions and arithmetic of 128 bits). */
#include <ctype.h>
#include <regex.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "runtime/runtime.h"

enum { VALUE_MAX = 48, MOST_THREADS = 32766, MOST_FRAMES = 32 };
#define KNOWN 0x7fu /* flags */

static const char *const names[] = {"OURO_SOFT_LIMIT", "OURO_HARD_LIMIT", "OURO_THRESHOLD", "OURO_MAX_THREADS", "OURO_PURGE_DELAY",
                                    "OURO_GC",         "OURO_FINALIZE",   "OURO_LEAKS",     "OURO_MISUSE",      "OURO_DEVMODE",
                                    "OURO_MALLOC",     "OURO_QUARANTINE", "OURO_TRACE"};
enum { SOFT, HARD, THRESHOLD, THREADS, DELAY, GC, FINALIZE, LEAKS, MISUSE, DEVMODE, MALLOC, QUARANTINE, TRACE, NAMES };

static bool matches(const char *pattern, const char *text)
{
    regex_t regex;
    FUZZ_CHECK(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) == 0, 0);
    bool yes = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return yes;
}

/* The number that the text begins with and its unit, as text matches [0-9]+[KMG]?; false: 2^64 or more. */
static bool number_of(const char *text, size_t *number)
{
    unsigned __int128 n = 0;
    for (; isdigit((unsigned char)*text); text++)
        if ((n = n * 10 + (unsigned)(*text - '0')) > UINT64_MAX)
            return false;
    n *= *text == 'K' ? 1u << 10 : *text == 'M' ? 1u << 20 : *text == 'G' ? 1u << 30 : 1;
    *number = (size_t)n;
    return n <= UINT64_MAX;
}

/* A number of that kind, or what was there. */
static void size_or(const char *text, size_t most, size_t least, size_t *number)
{
    size_t n;
    if (matches("^[0-9]+[KMG]?$", text) && number_of(text, &n) && n >= least && n <= most)
        *number = n;
}

static void read_thresholds(const char *text, size_t threshold[3])
{
    size_t n[3];
    if (!matches("^[0-9]+[KMG]?(,[0-9]+[KMG]?){0,2}$", text))
        return;
    int count = 0;
    for (const char *at = text; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (!number_of(at, &n[count++]))
            return;
    memcpy(threshold, n, (size_t)count * sizeof *n);
}

static void read_flag(const char *text, const char *on, const char *off, unsigned bit, unsigned *flags)
{
    if (!strcmp(text, on))
        *flags |= bit;
    else if (!strcmp(text, off))
        *flags &= ~bit;
}

/* The signal that the variable asks for; -1: none said. */
static int signal_for(const char *text, bool *print)
{
    if (!matches("^(print|trap|abort|silent)$", text))
        return -1;
    *print = strcmp(text, "silent") != 0;
    return !strcmp(text, "trap") ? SIGTRAP : !strcmp(text, "abort") ? SIGABRT : 0;
}

static void read_variable(int which, const char *text, struct oi_options *expected)
{
    size_t number;
    switch (which) {
    case SOFT:
        size_or(text, SIZE_MAX, 0, &expected->soft_limit);
        break;
    case HARD:
        size_or(text, SIZE_MAX, 0, &expected->hard_limit);
        break;
    case THRESHOLD:
        read_thresholds(text, expected->threshold);
        break;
    case THREADS:
        number = expected->max_threads;
        size_or(text, MOST_THREADS, 1, &number);
        expected->max_threads = (uint32_t)number;
        break;
    case DELAY:
        number = (size_t)expected->purge_delay_ms;
        size_or(text, INT32_MAX, 0, &number);
        expected->purge_delay_ms = !strcmp(text, "never") ? -1 : (long)number;
        break;
    case GC:
        read_flag(text, "off", "on", OURO_GC_DISABLED, &expected->flags);
        break;
    case FINALIZE:
        read_flag(text, "manual", "auto", OURO_FINALIZE_MANUAL, &expected->flags);
        break;
    case LEAKS:
        read_flag(text, "1", "0", OURO_REPORT_LEAKS, &expected->flags);
        break;
    case DEVMODE:
        read_flag(text, "1", "0", OURO_DEVMODE, &expected->flags);
        break;
    case MALLOC:
        read_flag(text, "malloc", "pools", OURO_USE_MALLOC, &expected->flags);
        break;
    case QUARANTINE:
        size_or(text, SIZE_MAX, 0, &expected->quarantine);
        break;
    case TRACE:
        number = expected->trace_frames;
        size_or(text, MOST_FRAMES, 1, &number);
        expected->trace_frames = (unsigned)number;
        break;
    default:
        expected->signal = signal_for(text, &expected->print);
    }
}

/* A value for a variable: bytes as they come, or, mostly, what is nearly right. */
static void make_text(struct fuzz_input *input, char text[VALUE_MAX])
{
    static const char *const words[] = {"on", "off", "auto", "manual", "0", "1", "print", "trap", "silent", "never", "18446744073709551615",
                                        "17179869184G", "17179869183G", "32766", "32767", "2147483647", "2147483648", "", "1,2,3", "4K",
                                        "abort", "malloc", "pools", "32", "33"};
    static const char digits[] = "0123456789KMG,, -+x";
    unsigned how = fuzz_byte(input), length = fuzz_byte(input) % 24;
    size_t at = 0;
    if (how % 3 == 0)
        at = (size_t)snprintf(text, VALUE_MAX, "%s", words[how / 3 % (sizeof words / sizeof *words)]);
    for (unsigned i = 0; i < length && (how % 3 || length < 4); i++) {
        unsigned byte = fuzz_byte(input);
        text[at++] = how % 3 == 1 ? digits[byte % (sizeof digits - 1)] : (char)byte;
    }
    text[at] = 0; /* there may have been a zero before */
}

static ouro_config make_config(struct fuzz_input *input)
{
    return (ouro_config){.size = fuzz_byte(input) % 8 ? sizeof(ouro_config) : (size_t)fuzz_number(input, 2),
                         .flags = (unsigned)fuzz_number(input, 1) & (fuzz_byte(input) % 4 ? KNOWN : 0xffu),
                         .max_threads = (unsigned)fuzz_number(input, 2),
                         .soft_limit = (size_t)fuzz_number(input, 2),
                         .hard_limit = (size_t)fuzz_number(input, 2),
                         .threshold = {fuzz_byte(input), fuzz_byte(input), fuzz_byte(input)},
                         .purge_delay_ms = (long)(int16_t)fuzz_number(input, 2)};
}

static void check(const ouro_config *config, char texts[NAMES][VALUE_MAX], const bool *set)
{
    ouro_config c = {0}; /* what lies within its size */
    memcpy(&c, config, config->size < sizeof c ? config->size : sizeof c);
    struct oi_options got, expected = {.flags = c.flags,
                                       .max_threads = c.max_threads ? c.max_threads : MOST_THREADS,
                                       .soft_limit = c.soft_limit,
                                       .hard_limit = c.hard_limit,
                                       .threshold = {c.threshold[0], c.threshold[1], c.threshold[2]},
                                       .purge_delay_ms = c.purge_delay_ms ? c.purge_delay_ms : 100,
                                       .print = true,
                                       .signal = -1,
                                       .quarantine = c.quarantine ? c.quarantine : 16 << 20,
                                       .trace_frames = c.trace_frames ? c.trace_frames : 16};
    for (int i = 0; i < NAMES; i++)
        if (set[i] && !(c.flags & OURO_IGNORE_ENVIRONMENT))
            read_variable(i, texts[i], &expected);
    bool dev = expected.flags & OURO_DEVMODE, leaks_said = set[LEAKS] && !(c.flags & OURO_IGNORE_ENVIRONMENT);
    if (expected.signal < 0)
        expected.signal = c.flags & OURO_MISUSE_TRAP ? SIGTRAP : dev ? SIGABRT : OURO_DEBUG ? SIGTRAP : 0;
    if (dev && !leaks_said)
        expected.flags |= OURO_REPORT_LEAKS;
    ouro_status status = oi_options_read(config, &got);
    bool refused = config->size < sizeof(size_t) + sizeof(unsigned) || config->size > 4096 || c.flags > KNOWN || c.max_threads > MOST_THREADS || c.trace_frames > MOST_FRAMES ||
                   (expected.hard_limit && expected.soft_limit > expected.hard_limit);
    FUZZ_CHECK(status == (refused ? OURO_E_INVALID : OURO_OK), status);
    if (refused)
        return;
    FUZZ_CHECK(got.flags == expected.flags, got.flags);
    FUZZ_CHECK(got.max_threads == expected.max_threads, got.max_threads);
    FUZZ_CHECK(got.soft_limit == expected.soft_limit, got.soft_limit);
    FUZZ_CHECK(got.hard_limit == expected.hard_limit, got.hard_limit);
    FUZZ_CHECK(memcmp(got.threshold, expected.threshold, sizeof got.threshold) == 0, got.threshold[0]);
    FUZZ_CHECK(got.purge_delay_ms == expected.purge_delay_ms, got.purge_delay_ms);
    FUZZ_CHECK(got.print == expected.print && got.signal == expected.signal, got.signal);
    FUZZ_CHECK(got.quarantine == expected.quarantine, got.quarantine);
    FUZZ_CHECK(got.trace_frames == expected.trace_frames, got.trace_frames);
}

const long fuzz_runs = 40000;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ouro_config plain = {.size = sizeof plain, .flags = OURO_IGNORE_ENVIRONMENT};
    struct fuzz_input input = {data, size};
    FUZZ_CHECK(ouro_init(&plain) == OURO_OK, 0); /* once; what is read here is not what it runs with */
    char texts[NAMES][VALUE_MAX];
    bool set[NAMES];
    ouro_config config = make_config(&input);
    unsigned which = (unsigned)fuzz_number(&input, 2);
    for (int i = 0; i < NAMES; i++) {
        set[i] = which >> i & 1;
        if (set[i])
            make_text(&input, texts[i]);
        if (set[i])
            FUZZ_CHECK(setenv(names[i], texts[i], 1) == 0, i);
        else
            FUZZ_CHECK(unsetenv(names[i]) == 0, i);
    }
    config.quarantine = (size_t)fuzz_number(&input, 2); /* last: older inputs keep their meaning */
    config.trace_frames = fuzz_byte(&input) % (MOST_FRAMES + 2);
    check(&config, texts, set);
    return 0;
}
