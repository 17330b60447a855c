/* SPDX-License-Identifier: MIT
 *
 * Options from the configuration and from the environment: every variable, good and bad. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "object/misuse.h"
#include "runtime/runtime.h"
#include "support/check.h"

/* What oi_options_report said. */
static char reported[16][200];
static unsigned reports;

static void hook(const ouro_misuse *misuse, void *arg)
{
    CHECK_PTR(arg, reported);
    CHECK_EQ(misuse->kind, OURO_MISUSE_OPTION);
    CHECK_STR(misuse->call, "ouro_init");
    CHECK_PTR(misuse->object, NULL);
    if (reports < 16)
        strncpy(reported[reports++], misuse->message, sizeof *reported - 1);
}

static struct oi_options read_with(const ouro_config *config)
{
    struct oi_options o;
    memset(&o, 0xee, sizeof o);
    CHECK_EQ(oi_options_read(config, &o), OURO_OK);
    reports = 0;
    memset(reported, 0, sizeof reported);
    oi_options_report();
    return o;
}

/* With one variable set. */
static struct oi_options read_env(const char *name, const char *value)
{
    setenv(name, value, 1);
    struct oi_options o = read_with(NULL);
    unsetenv(name);
    return o;
}

static void check_good(void)
{
    CHECK_EQ(reports, 0);
}

/* Exactly this variable was reported, and once. */
static void check_bad(const char *name)
{
    CHECK_EQ(reports, 1);
    CHECK_HAS(reported[0], name);
    CHECK_HAS(reported[0], "ignored");
    reports = 0;
    oi_options_report();
    CHECK_EQ(reports, 0);
}

static bool same_options(const struct oi_options *a, const struct oi_options *b)
{
    return a->flags == b->flags && a->max_threads == b->max_threads && a->soft_limit == b->soft_limit &&
           a->hard_limit == b->hard_limit && !memcmp(a->threshold, b->threshold, sizeof a->threshold) &&
           a->purge_delay_ms == b->purge_delay_ms && a->misuse == b->misuse && a->misuse_arg == b->misuse_arg &&
           a->print == b->print && a->signal == b->signal;
}

static void test_defaults(void)
{
    struct oi_options o = read_with(NULL);
    check_good();
    CHECK_EQ(o.flags, 0);
    CHECK_EQ(o.max_threads, OI_TSLOT_MAX);
    CHECK_EQ(o.soft_limit, 0);
    CHECK_EQ(o.hard_limit, 0);
    CHECK(!o.threshold[0] && !o.threshold[1] && !o.threshold[2]);
    CHECK_EQ(o.purge_delay_ms, 100);
    CHECK(!o.misuse);
    CHECK(o.print);
    CHECK_EQ(o.signal, OURO_DEBUG ? SIGTRAP : 0);
    struct oi_options same = read_with(&(ouro_config){.size = sizeof(ouro_config)});
    CHECK(same_options(&o, &same));
}

static void test_config(void)
{
    struct oi_options o = read_with(&(ouro_config){
        .size = sizeof(ouro_config),
        .flags = OURO_FINALIZE_MANUAL | OURO_GC_DISABLED | OURO_REPORT_LEAKS | OURO_MISUSE_TRAP,
        .max_threads = 17,
        .soft_limit = 1000,
        .hard_limit = 2000,
        .threshold = {7, 8, 9},
        .purge_delay_ms = -1,
        .misuse = hook,
        .misuse_arg = &reports,
    });
    CHECK_EQ(o.flags, OURO_FINALIZE_MANUAL | OURO_GC_DISABLED | OURO_REPORT_LEAKS | OURO_MISUSE_TRAP);
    CHECK_EQ(o.max_threads, 17);
    CHECK_EQ(o.soft_limit, 1000);
    CHECK_EQ(o.hard_limit, 2000);
    CHECK(o.threshold[0] == 7 && o.threshold[1] == 8 && o.threshold[2] == 9);
    CHECK_LT(o.purge_delay_ms, 0);
    CHECK(o.misuse == hook);
    CHECK_PTR(o.misuse_arg, &reports);
    CHECK(o.signal == SIGTRAP && o.print);
}

/* A caller that was compiled with a smaller struct: what it does not have is default. */
static void test_smaller_config(void)
{
    ouro_config c = {.max_threads = 5, .soft_limit = 77, .purge_delay_ms = 33};
    c.size = offsetof(ouro_config, soft_limit);
    struct oi_options o = read_with(&c);
    CHECK_EQ(o.max_threads, 5);
    CHECK_EQ(o.soft_limit, 0);
    CHECK_EQ(o.purge_delay_ms, 100);
    c.size = offsetof(ouro_config, max_threads);
    o = read_with(&c);
    CHECK_EQ(o.max_threads, OI_TSLOT_MAX);
}

static void test_invalid_config(void)
{
    const ouro_config good = {.size = sizeof good};
    struct oi_options o;
    ouro_config c;
#define INVALID(change) (c = good, (change), CHECK_EQ(oi_options_read(&c, &o), OURO_E_INVALID))
    INVALID(c.size = 0);
    INVALID(c.size = offsetof(ouro_config, max_threads) - 1);
    INVALID(c.size = SIZE_MAX);
    INVALID(c.flags = 0x80);
    INVALID(c.flags = 0x80000000u);
    INVALID(c.max_threads = OI_TSLOT_MAX + 1);
    INVALID(c.trace_frames = 33);
    INVALID((c.soft_limit = 2, c.hard_limit = 1));
#undef INVALID
    c = good;
    CHECK_EQ(oi_options_read(&c, &o), OURO_OK);
    c.max_threads = OI_TSLOT_MAX;
    CHECK_EQ(oi_options_read(&c, &o), OURO_OK);
    c.soft_limit = c.hard_limit = 5;
    CHECK_EQ(oi_options_read(&c, &o), OURO_OK);
}

static const struct {
    const char *text;
    size_t value;
} good_sizes[] = {
    {"0", 0}, {"1", 1}, {"1000000", 1000000}, {"3K", 3 << 10}, {"64M", 64 << 20}, {"2G", (size_t)2 << 30}, {"007", 7},
    {"18446744073709551615", SIZE_MAX}, {"17179869183G", (size_t)17179869183u << 30},
};

static const char *const bad_sizes[] = {
    "",
    "x",
    "-1",
    "+1",
    " 1",
    "1 ",
    "1k",
    "1KB",
    "1T",
    "0x10",
    "1.5M",
    "K",
    "18446744073709551616",
    "99999999999999999999999",
    "17179869184G",
    "1,2",
};

enum { BAD_SIZES = sizeof bad_sizes / sizeof *bad_sizes };

static void test_limits(void)
{
    for (unsigned i = 0; i < sizeof good_sizes / sizeof *good_sizes; i++) {
        CHECK_EQ(read_env("OURO_SOFT_LIMIT", good_sizes[i].text).soft_limit, good_sizes[i].value);
        check_good();
        CHECK_EQ(read_env("OURO_HARD_LIMIT", good_sizes[i].text).hard_limit, good_sizes[i].value);
        check_good();
    }
    for (unsigned i = 0; i < BAD_SIZES; i++) {
        CHECK_EQ(read_env("OURO_SOFT_LIMIT", bad_sizes[i]).soft_limit, 0);
        check_bad("OURO_SOFT_LIMIT");
        CHECK_EQ(read_env("OURO_HARD_LIMIT", bad_sizes[i]).hard_limit, 0);
        check_bad("OURO_HARD_LIMIT");
    }
}

/* Soft above hard is refused, wherever they come from. */
static void test_limits_disagree(void)
{
    struct oi_options o;
    ouro_config c = {.size = sizeof c, .hard_limit = 1000};
    setenv("OURO_SOFT_LIMIT", "1001", 1);
    CHECK_EQ(oi_options_read(&c, &o), OURO_E_INVALID);
    setenv("OURO_HARD_LIMIT", "2K", 1);
    CHECK_EQ(oi_options_read(&c, &o), OURO_OK);
    CHECK_EQ(o.soft_limit, 1001);
    CHECK_EQ(o.hard_limit, 2048);
    unsetenv("OURO_SOFT_LIMIT");
    unsetenv("OURO_HARD_LIMIT");
}

static void test_threshold(void)
{
    struct oi_options o = read_env("OURO_THRESHOLD", "5");
    check_good();
    CHECK(o.threshold[0] == 5 && o.threshold[1] == 0 && o.threshold[2] == 0);
    o = read_env("OURO_THRESHOLD", "5,6");
    check_good();
    CHECK(o.threshold[0] == 5 && o.threshold[1] == 6 && o.threshold[2] == 0);
    o = read_env("OURO_THRESHOLD", "5K,6,7");
    check_good();
    CHECK(o.threshold[0] == 5120 && o.threshold[1] == 6 && o.threshold[2] == 7);
    o = read_env("OURO_THRESHOLD", "0");
    check_good();
    static const char *const bad[] = {"",        ",",   "5,",   ",5", "5,,6", "5,6,7,",
                                      "5,6,7,8", "5;6", "5 ,6", "-5", "5,x",  "5,6,99999999999999999999"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        o = read_env("OURO_THRESHOLD", bad[i]);
        check_bad("OURO_THRESHOLD");
        CHECK(!o.threshold[0] && !o.threshold[1] && !o.threshold[2]); /* none of it, not half */
    }
}

static void test_max_threads(void)
{
    CHECK_EQ(read_env("OURO_MAX_THREADS", "1").max_threads, 1);
    check_good();
    CHECK_EQ(read_env("OURO_MAX_THREADS", "32766").max_threads, 32766);
    check_good();
    static const char *const bad[] = {"0", "32767", "-1", "many", "", "1 "};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_EQ(read_env("OURO_MAX_THREADS", bad[i]).max_threads, OI_TSLOT_MAX);
        check_bad("OURO_MAX_THREADS");
    }
}

static void test_purge_delay(void)
{
    CHECK_EQ(read_env("OURO_PURGE_DELAY", "0").purge_delay_ms, 0);
    check_good();
    CHECK_EQ(read_env("OURO_PURGE_DELAY", "2500").purge_delay_ms, 2500);
    check_good();
    CHECK_EQ(read_env("OURO_PURGE_DELAY", "2147483647").purge_delay_ms, 2147483647);
    check_good();
    CHECK_LT(read_env("OURO_PURGE_DELAY", "never").purge_delay_ms, 0);
    check_good();
    static const char *const bad[] = {"", "-1", "2147483648", "Never", "nevermore", "1s"};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        CHECK_EQ(read_env("OURO_PURGE_DELAY", bad[i]).purge_delay_ms, 100);
        check_bad("OURO_PURGE_DELAY");
    }
}

/* Words out of two: the environment sets what the configuration did not, and clears what it did. */
static void check_flag(const char *name, const char *on, const char *off, unsigned bit)
{
    const ouro_config set = {.size = sizeof set, .flags = bit};
    CHECK_EQ(read_env(name, on).flags, bit);
    check_good();
    CHECK_EQ(read_env(name, off).flags, 0);
    check_good();
    setenv(name, off, 1);
    CHECK_EQ(read_with(&set).flags, 0);
    check_good();
    setenv(name, on, 1);
    CHECK_EQ(read_with(&set).flags, bit);
    check_good();
    setenv(name, "perhaps", 1);
    CHECK_EQ(read_with(&set).flags, bit);
    check_bad(name);
    unsetenv(name);
    read_env(name, "");
    check_bad(name);
}

static void test_flags(void)
{
    check_flag("OURO_GC", "off", "on", OURO_GC_DISABLED);
    check_flag("OURO_FINALIZE", "manual", "auto", OURO_FINALIZE_MANUAL);
    check_flag("OURO_LEAKS", "1", "0", OURO_REPORT_LEAKS);
    check_flag("OURO_MALLOC", "malloc", "pools", OURO_USE_MALLOC);
    setenv("OURO_LEAKS", "0", 1);
    check_flag("OURO_DEVMODE", "1", "0", OURO_DEVMODE);
    unsetenv("OURO_LEAKS");
}

static void test_misuse(void)
{
    struct oi_options o = read_env("OURO_MISUSE", "print");
    check_good();
    CHECK(o.print && !o.signal);
    o = read_env("OURO_MISUSE", "trap");
    check_good();
    CHECK(o.print && o.signal == SIGTRAP);
    o = read_env("OURO_MISUSE", "silent");
    check_good();
    CHECK(!o.print && !o.signal);
    o = read_env("OURO_MISUSE", "abort");
    check_good();
    CHECK(o.print && o.signal == SIGABRT);
    o = read_env("OURO_MISUSE", "loud");
    check_bad("OURO_MISUSE");
    CHECK(o.print);
    CHECK_EQ(o.signal, OURO_DEBUG ? SIGTRAP : 0);
}

/* What it brings with it, unless something else is asked for. */
static void test_devmode(void)
{
    struct oi_options o = read_env("OURO_DEVMODE", "1");
    check_good();
    CHECK_EQ(o.flags, OURO_DEVMODE | OURO_REPORT_LEAKS);
    CHECK(o.print && o.signal == SIGABRT);
    CHECK_EQ(o.quarantine, (size_t)16 << 20);
    CHECK_EQ(o.trace_frames, 16);
    setenv("OURO_MISUSE", "print", 1);
    setenv("OURO_QUARANTINE", "3K", 1);
    setenv("OURO_TRACE", "32", 1);
    o = read_env("OURO_DEVMODE", "1");
    check_good();
    CHECK(o.print && !o.signal);
    CHECK_EQ(o.quarantine, 3072);
    CHECK_EQ(o.trace_frames, 32);
    unsetenv("OURO_MISUSE");
    o = read_with(&(ouro_config){.size = sizeof(ouro_config), .flags = OURO_DEVMODE | OURO_MISUSE_TRAP, .quarantine = 5, .trace_frames = 7});
    CHECK_EQ(o.signal, SIGTRAP);
    CHECK_EQ(o.quarantine, 3072); /* the environment overrides */
    unsetenv("OURO_QUARANTINE");
    unsetenv("OURO_TRACE");
    o = read_with(&(ouro_config){.size = sizeof(ouro_config), .flags = OURO_DEVMODE | OURO_IGNORE_ENVIRONMENT, .quarantine = 5, .trace_frames = 7});
    CHECK_EQ(o.flags, OURO_DEVMODE | OURO_IGNORE_ENVIRONMENT | OURO_REPORT_LEAKS);
    CHECK_EQ(o.quarantine, 5);
    CHECK_EQ(o.trace_frames, 7);
    CHECK_EQ(read_env("OURO_QUARANTINE", "0").quarantine, 0);
    read_env("OURO_TRACE", "0");
    check_bad("OURO_TRACE");
    read_env("OURO_TRACE", "33");
    check_bad("OURO_TRACE");
}

static const char *const names[] = {
    "OURO_SOFT_LIMIT", "OURO_HARD_LIMIT", "OURO_THRESHOLD", "OURO_MAX_THREADS", "OURO_PURGE_DELAY",
    "OURO_GC", "OURO_FINALIZE", "OURO_LEAKS", "OURO_MISUSE", "OURO_DEVMODE", "OURO_MALLOC", "OURO_QUARANTINE", "OURO_TRACE",
};
enum { NAMES = sizeof names / sizeof *names };

/* Asked not to, it does not look; and each variable that is bad is reported by itself. */
static void test_all_bad(void)
{
    for (int i = 0; i < NAMES; i++)
        setenv(names[i], "?", 1);
    struct oi_options o = read_with(NULL);
    CHECK_EQ(reports, NAMES);
    for (int i = 0; i < NAMES; i++)
        CHECK_HAS(reported[i], names[i]);
    o = read_with(&(ouro_config){.size = sizeof(ouro_config), .flags = OURO_IGNORE_ENVIRONMENT});
    CHECK_EQ(reports, 0);
    for (int i = 0; i < NAMES; i++)
        setenv(names[i], i < 2 ? "12345" : "1", 1);
    o = read_with(&(ouro_config){.size = sizeof(ouro_config), .flags = OURO_IGNORE_ENVIRONMENT});
    CHECK_EQ(o.flags, OURO_IGNORE_ENVIRONMENT);
    CHECK_EQ(o.soft_limit, 0);
    CHECK_EQ(o.max_threads, OI_TSLOT_MAX);
    CHECK_EQ(o.purge_delay_ms, 100);
    for (int i = 0; i < NAMES; i++)
        unsetenv(names[i]);
}

/* What is read is what the runtime starts with. */
static void test_start(void)
{
    setenv("OURO_MAX_THREADS", "77", 1);
    CHECK_EQ(ouro_init(NULL), OURO_OK);
    CHECK_EQ(oi_options.max_threads, 77);
    unsetenv("OURO_MAX_THREADS");
    CHECK_EQ(ouro_shutdown(NULL), OURO_OK);
}

int main(void)
{
    check_start("options_test");
    for (int i = 0; i < NAMES; i++)
        unsetenv(names[i]);
    oi_misuse_set_hook(hook, reported);
    CHECK_RUN(test_defaults);
    CHECK_RUN(test_config);
    CHECK_RUN(test_smaller_config);
    CHECK_RUN(test_invalid_config);
    CHECK_RUN(test_limits);
    CHECK_RUN(test_limits_disagree);
    CHECK_RUN(test_threshold);
    CHECK_RUN(test_max_threads);
    CHECK_RUN(test_purge_delay);
    CHECK_RUN(test_flags);
    CHECK_RUN(test_misuse);
    CHECK_RUN(test_devmode);
    CHECK_RUN(test_all_bad);
    CHECK_RUN(test_start);
    return check_finish();
}
