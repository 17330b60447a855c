/* SPDX-License-Identifier: MIT
 *
 * Plays scenarios (README.md) on the C interface: each twice, with private and with shared values.
 *
 *     player FILE ...                     OURO_TEST_ONLY=text: only scenarios whose names contain the text */
#include "scenarios/player.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/fixture.h"
#include "support/threads.h"

#define VARIABLES_MAX 32

static struct {
    char name[32];
    ouro_value value; /* held */
} variables[VARIABLES_MAX];
static size_t variables_count;

/* Whether results are published at once. */
static bool sharing;

/* What is being read: a line at a time from a file's text. */
static const char *file;
static char *rest;
static int line_number;
static char *line; /* without the indentation; only what steps are made of */

/* ---- Lines ---- */

static bool line_next(void)
{
    while (*rest) {
        line = rest + strspn(rest, " ");
        rest += strcspn(rest, "\n");
        if (*rest)
            *rest++ = 0;
        line_number++;
        if (*line && *line != '#')
            return true;
    }
    line = NULL;
    return false;
}

static bool line_is_name(void)
{
    return !strncmp(line, "== ", 3);
}

static _Noreturn void bad_script(const char *why)
{
    check_give_up(file, line_number, why);
}

/* ---- Variables ---- */

static ouro_value *variable_find(const char *name)
{
    for (size_t i = 0; i < variables_count; i++)
        if (!strcmp(variables[i].name, name))
            return &variables[i].value;
    return NULL;
}

static void variable_set(const char *name, ouro_value value)
{
    ouro_value *at = variable_find(name);
    if (!at) {
        if (variables_count == VARIABLES_MAX || strlen(name) >= sizeof variables->name || !word_is_name(name))
            bad_script("a variable");
        strcpy(variables[variables_count].name, name);
        at = &variables[variables_count++].value;
        *at = OURO_NIL;
    }
    ouro_value old = *at;
    *at = value;
    ouro_value_release(old);
}

static void variables_drop(void)
{
    while (variables_count)
        ouro_value_release(variables[--variables_count].value);
}

/* ---- Steps ---- */

struct script_step {
    char *error;                        /* the word, or NULL */
    bool on_thread;
    long times;
    const struct operation *operation; /* NULL: drop */
    char *args[WORDS_MAX];
    size_t count;
    char *name, *text;                 /* where the result goes to, what it is to be; or NULL */
};

static const struct operation *operation_find(const char *name)
{
    static const struct operation *const all[] = {operations, element_operations, mapping_operations};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const struct operation *op = all[i]; op->name; op++)
            if (!strcmp(op->name, name))
                return op;
    return NULL;
}

/* Takes a word that ends in a colon off, and the colon off the word. */
static char *colon_next(char **at)
{
    char *word = word_next(at);
    size_t length = word ? strlen(word) : 0;
    if (length < 2 || word[length - 1] != ':')
        bad_script("a word with a colon");
    word[length - 1] = 0;
    return word;
}

static struct script_step step_read(char *at)
{
    struct script_step step = {.times = 1};
    char *word = word_next(&at);
    if (word && !strcmp(word, "error")) {
        step.error = colon_next(&at);
        word = word_next(&at);
    }
    if (word && !strcmp(word, "thread:")) {
        step.on_thread = true;
        word = word_next(&at);
    }
    if (word && !strcmp(word, "times")) {
        step.times = atol(colon_next(&at));
        word = word_next(&at);
    }
    if (!word || step.times < 1)
        bad_script("no operation");
    step.operation = operation_find(word);
    if (!step.operation && strcmp(word, "drop"))
        bad_script("no such operation");
    while ((word = word_next(&at)) && strcmp(word, "->") && strcmp(word, "=>")) {
        if (step.count == WORDS_MAX)
            bad_script("too many arguments");
        step.args[step.count++] = word;
    }
    if (word && *word == '-')
        step.name = word_next(&at);
    else if (word)
        step.text = at;
    if (word && !(step.name ? step.name : step.text))
        bad_script("nothing after an arrow");
    if (step.operation && (step.count < step.operation->least || step.count > step.operation->most))
        bad_script("the number of arguments");
    return step;
}

/* The status that a word of a script stands for: "index" is OURO_E_INDEX. */
static bool status_is(ouro_status status, const char *word)
{
    const char *name = ouro_status_name(status);
    return !strncmp(name, "OURO_E_", 7) && !strcasecmp(name + 7, word);
}

struct run {
    const struct operation *operation;
    struct call call;
    ouro_status status;
};

static void *run_operation(void *arg)
{
    struct run *run = arg;
    run->status = run->operation->run(&run->call);
    if (sharing)
        ouro_value_share(run->call.result);
    return NULL;
}

static ouro_status run(const struct script_step *step, ouro_value *result)
{
    ouro_value args[WORDS_MAX];
    struct run run = {step->operation, {args, step->count, OURO_NIL}, OURO_OK};
    for (size_t i = 0; i < step->count; i++) {
        ouro_value *variable = variable_find(step->args[i]);
        args[i] = variable ? ouro_value_retain(*variable) : OURO_NIL;
        if (!variable && !word_value(step->args[i], &args[i]))
            bad_script(step->args[i]);
    }
    if (step->on_thread && sharing) {
        for (size_t i = 0; i < step->count; i++)
            if (args[i] != OMITTED)
                ouro_value_share(args[i]);
        thread_do(run_operation, &run, 0);
    } else
        run_operation(&run);
    for (size_t i = 0; i < step->count; i++)
        if (args[i] != OMITTED)
            ouro_value_release(args[i]);
    *result = run.call.result;
    if (run.status != OURO_OK && !CHECK(ouro_is_nil(*result)))
        bad_script("a result beside an error");
    return run.status;
}

static void drop(const struct script_step *step)
{
    for (size_t i = 0; i < step->count; i++) {
        if (!variable_find(step->args[i]))
            bad_script(step->args[i]);
        variable_set(step->args[i], OURO_NIL);
    }
}

static bool check_text(ouro_value result, const char *text)
{
    ouro_value shown;
    REQUIRE(ouro_repr(result, &shown) == OURO_OK);
    bool ok = check_string(ouro_string_data(shown, NULL), text, file, line_number, "result", "expected");
    ouro_value_release(shown);
    return ok;
}

/* False: the scenario cannot go on. */
static bool play_step(const struct script_step *step)
{
    ouro_status status = OURO_OK;
    ouro_value result = OURO_NIL;
    bool ok = true;
    if (!step->operation)
        drop(step);
    for (long i = 0; step->operation && i < step->times && status == OURO_OK; i++) {
        status = run(step, &result);
        if (status == OURO_OK && step->name)
            variable_set(step->name, result);
        else if (status == OURO_OK && step->text)
            ok &= check_text(result, step->text);
        if (!step->name)
            ouro_value_release(result);
    }
    if (step->error)
        return check_that(status_is(status, step->error), file, line_number, ouro_status_name(status));
    return ok & (status == OURO_OK || check_that(false, file, line_number, ouro_status_name(status)));
}

/* ---- Scenarios ---- */

/* Lets go of all that the scenario made, and undoes what it set. What is left then is a leak, which fixture_after sees. */
static void clean_up(void)
{
    variables_drop();
    ouro_gc_enable();
    ouro_gc_unfreeze();
    CHECK_EQ(ouro_gc_set_threshold((size_t[3]){0, 0, 0}), OURO_OK);
    CHECK_EQ(ouro_mem_set_limit(0, 0), OURO_OK);
    CHECK_GE(ouro_gc_collect(2), 0);
    CHECK_EQ(hosts_held(), 0);
    log_end();
}

static void play_scenario(void)
{
    CHECK_GE(ouro_gc_collect(2), 0);
    bool going_on = true;
    while (line_next() && !line_is_name())
        if (going_on) {
            struct script_step step = step_read(line);
            going_on = play_step(&step);
        }
    clean_up();
}

static void play_text(char *text)
{
    rest = text;
    line_number = 0;
    if (!line_next() || !line_is_name())
        bad_script("a file begins with a scenario's name");
    while (line) {
        static char name[128];
        int started = line_number;
        snprintf(name, sizeof name, "%s: %s", sharing ? "shared" : "private", line + 3);
        unsigned long failures = check_failures();
        check_run(name, play_scenario);
        if (check_failures() != failures)
            fprintf(stderr, "  in %s: %s\n", file, name);
        if (line_number == started) /* it was not played */
            while (line_next() && !line_is_name())
                continue;
    }
}

static char *read_file(const char *path)
{
    FILE *stream = fopen(path, "rb");
    size_t size = 0, room = 1 << 20;
    char *text = calloc(1, room);
    if (!stream || !text)
        check_give_up(path, 0, "cannot be read");
    size = fread(text, 1, room - 1, stream);
    REQUIRE(size < room - 1);
    fclose(stream);
    return text;
}

int main(int argc, char **argv)
{
    check_start("scenarios");
    fixture_start();
    check_around(fixture_before, fixture_after);
    for (int i = 1; i < argc; i++) {
        file = argv[i];
        for (int pass = 0; pass < 2; pass++) {
            sharing = pass;
            char *text = read_file(file);
            play_text(text);
            free(text);
        }
    }
    if (!CHECK_GT(argc, 1))
        fprintf(stderr, "usage: player FILE ...\n");
    return check_finish();
}
