//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Options: from ouro_init's argument and from the environment. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib_object_misuse.h"
#include "lib_port_backtrace.h"
#include "lib_runtime_runtime.h"

#define PURGE_DELAY_MS 100
#define QUARANTINE ((size_t)16 << 20)
#define TRACE_FRAMES 16

#define UNDECIDED (-1) /* as a signal */

static uint32_t bad; /* bit i: variables[i] could not be read; under the start lock */

/* An unsigned number with an optional K, M or G; *end is set behind it. False: none, or too large. */
static bool read_number(const char *text, const char **end, size_t *value)
{
    char *rest;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    unsigned long long n = strtoull(text, &rest, 10);
    unsigned shift = *rest == 'K' ? 10 : *rest == 'M' ? 20 : *rest == 'G' ? 30 : 0;
    if (errno || n > SIZE_MAX >> shift)
        return false;
    *end = rest + (shift != 0);
    *value = (size_t)n << shift;
    return true;
}

static bool read_size(const char *text, size_t *value)
{
    const char *end;
    size_t n;
    if (!read_number(text, &end, &n) || *end)
        return false;
    *value = n;
    return true;
}

static bool soft_limit(struct oi_options *o, const char *text)
{
    return read_size(text, &o->soft_limit);
}

static bool hard_limit(struct oi_options *o, const char *text)
{
    return read_size(text, &o->hard_limit);
}

static bool thresholds(struct oi_options *o, const char *text)
{
    size_t n[3] = {o->threshold[0], o->threshold[1], o->threshold[2]};
    for (int i = 0; i < 3; i++) {
        if (!read_number(text, &text, &n[i]))
            return false;
        if (!*text) {
            memcpy(o->threshold, n, sizeof n);
            return true;
        }
        if (*text++ != ',')
            return false;
    }
    return false;
}

static bool max_threads(struct oi_options *o, const char *text)
{
    size_t n;
    if (!read_size(text, &n) || !n || n > OI_TSLOT_MAX)
        return false;
    o->max_threads = (uint32_t)n;
    return true;
}

static bool purge_delay(struct oi_options *o, const char *text)
{
    size_t n;
    bool never = !strcmp(text, "never");
    if (!never && (!read_size(text, &n) || n > INT32_MAX))
        return false;
    o->purge_delay_ms = never ? -1 : (long)n;
    return true;
}

/* A word out of two; sets or clears a flag. */
static bool flag(struct oi_options *o, const char *text, unsigned bit, const char *on, const char *off)
{
    if (strcmp(text, on) && strcmp(text, off))
        return false;
    o->flags = !strcmp(text, on) ? o->flags | bit : o->flags & ~bit;
    return true;
}

static bool gc(struct oi_options *o, const char *text)
{
    return flag(o, text, OURO_GC_DISABLED, "off", "on");
}

static bool finalize(struct oi_options *o, const char *text)
{
    return flag(o, text, OURO_FINALIZE_MANUAL, "manual", "auto");
}

static bool leaks(struct oi_options *o, const char *text)
{
    return flag(o, text, OURO_REPORT_LEAKS, "1", "0");
}

static bool misuse(struct oi_options *o, const char *text)
{
    bool silent = !strcmp(text, "silent"), trap = !strcmp(text, "trap"), stop = !strcmp(text, "abort");
    if (!silent && !trap && !stop && strcmp(text, "print"))
        return false;
    o->print = !silent;
    o->signal = trap ? SIGTRAP : stop ? SIGABRT : 0;
    return true;
}

static bool devmode(struct oi_options *o, const char *text)
{
    return flag(o, text, OURO_DEVMODE, "1", "0");
}

static bool use_malloc(struct oi_options *o, const char *text)
{
    return flag(o, text, OURO_USE_MALLOC, "malloc", "pools");
}

static bool quarantine(struct oi_options *o, const char *text)
{
    return read_size(text, &o->quarantine);
}

static bool trace(struct oi_options *o, const char *text)
{
    size_t n;
    if (!read_size(text, &n) || !n || n > OI_FRAMES_MAX)
        return false;
    o->trace_frames = (unsigned)n;
    return true;
}

static const struct variable {
    const char *name;
    bool (*read)(struct oi_options *options, const char *text);
    const char *expected;
} variables[] = {
    {"OURO_SOFT_LIMIT", soft_limit, "OURO_SOFT_LIMIT is not a number of bytes (as 1000000, 64M, 2G); ignored"},
    {"OURO_HARD_LIMIT", hard_limit, "OURO_HARD_LIMIT is not a number of bytes (as 1000000, 64M, 2G); ignored"},
    {"OURO_THRESHOLD", thresholds, "OURO_THRESHOLD is not one to three numbers with commas between; ignored"},
    {"OURO_MAX_THREADS", max_threads, "OURO_MAX_THREADS is not a number from 1 to 32766; ignored"},
    {"OURO_PURGE_DELAY", purge_delay, "OURO_PURGE_DELAY is not a number of milliseconds or never; ignored"},
    {"OURO_GC", gc, "OURO_GC is neither on nor off; ignored"},
    {"OURO_FINALIZE", finalize, "OURO_FINALIZE is neither auto nor manual; ignored"},
    {"OURO_LEAKS", leaks, "OURO_LEAKS is neither 0 nor 1; ignored"},
    {"OURO_MISUSE", misuse, "OURO_MISUSE is not print, trap, abort or silent; ignored"},
    {"OURO_DEVMODE", devmode, "OURO_DEVMODE is neither 0 nor 1; ignored"},
    {"OURO_MALLOC", use_malloc, "OURO_MALLOC is neither pools nor malloc; ignored"},
    {"OURO_QUARANTINE", quarantine, "OURO_QUARANTINE is not a number of bytes (as 1000000, 64M, 2G); ignored"},
    {"OURO_TRACE", trace, "OURO_TRACE is not a number from 1 to 32; ignored"},
};
#define VARIABLES (sizeof variables / sizeof *variables)

static void read_environment(struct oi_options *options)
{
    for (unsigned i = 0; i < VARIABLES; i++) {
        const char *text = getenv(variables[i].name);
        if (text && !variables[i].read(options, text))
            bad |= 1u << i;
    }
}

ouro_status oi_options_read(const ouro_config *config, struct oi_options *options)
{
    ouro_config c = {0};
    if (config) {
        if (config->size < offsetof(ouro_config, max_threads) || config->size > 4096)
            return OURO_E_INVALID;
        memcpy(&c, config, config->size < sizeof c ? config->size : sizeof c);
    }
    unsigned known = OURO_IGNORE_ENVIRONMENT | OURO_FINALIZE_MANUAL | OURO_GC_DISABLED | OURO_REPORT_LEAKS | OURO_MISUSE_TRAP |
                     OURO_DEVMODE | OURO_USE_MALLOC;
    if ((c.flags & ~known) || c.max_threads > OI_TSLOT_MAX || c.trace_frames > OI_FRAMES_MAX)
        return OURO_E_INVALID;
    *options = (struct oi_options){
        .flags = c.flags,
        .max_threads = c.max_threads ? c.max_threads : OI_TSLOT_MAX,
        .soft_limit = c.soft_limit,
        .hard_limit = c.hard_limit,
        .threshold = {c.threshold[0], c.threshold[1], c.threshold[2]},
        .purge_delay_ms = c.purge_delay_ms ? c.purge_delay_ms : PURGE_DELAY_MS,
        .misuse = c.misuse,
        .misuse_arg = c.misuse_arg,
        .print = true,
        .signal = UNDECIDED,
        .quarantine = c.quarantine ? c.quarantine : QUARANTINE,
        .trace_frames = c.trace_frames ? c.trace_frames : TRACE_FRAMES,
    };
    bad = 0;
    bool ignored = c.flags & OURO_IGNORE_ENVIRONMENT;
    if (!ignored)
        read_environment(options);
    bool dev = options->flags & OURO_DEVMODE;
    if (options->signal == UNDECIDED)
        options->signal = c.flags & OURO_MISUSE_TRAP ? SIGTRAP : dev ? SIGABRT : OURO_DEBUG ? SIGTRAP : 0;
    if (dev && (ignored || !getenv("OURO_LEAKS")))
        options->flags |= OURO_REPORT_LEAKS;
    return options->soft_limit && options->hard_limit && options->soft_limit > options->hard_limit ? OURO_E_INVALID : OURO_OK;
}

void oi_options_report(void)
{
    uint32_t left = bad;
    bad = 0;
    for (; left; left &= left - 1)
        oi_misuse(OURO_MISUSE_OPTION, "ouro_init", NULL, variables[__builtin_ctz(left)].expected);
}
