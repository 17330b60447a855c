//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_port_backtrace.h"

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib_base_base.h"
#include "lib_port_os.h"

OI_NOINLINE unsigned oi_backtrace(void **frames, unsigned max, unsigned skip)
{
    void *all[OI_FRAMES_MAX + 8], *caller = __builtin_return_address(0);
    int wanted = (int)(max + skip) + 3; /* this function, and what a sanitizer puts in front of it */
    int found = backtrace(all, wanted < (int)(OI_FRAMES_MAX + 8) ? wanted : (int)(OI_FRAMES_MAX + 8)), first = 0;
    while (first < found && all[first] != caller)
        first++;
    first += (int)skip;
    unsigned n = found > first ? (unsigned)(found - first) : 0;
    n = n < max ? n : max;
    memcpy(frames, all + first, n * sizeof *frames);
    return n;
}

/* ---- which file an address is from ---- */

struct address {
    const char *module;   /* as the dynamic linker knows it; "" for the program */
    uintptr_t at;         /* in that file, of the call */
    const char *function; /* what the dynamic linker calls it, or NULL */
    bool own;
};

static struct address find(const void *frame)
{
    Dl_info info, here;
    struct link_map *map = NULL;
    struct address address = {.module = "", .at = (uintptr_t)frame - 1}; /* the call comes before the address that it returns to */
    if (!dladdr1(frame, &info, (void **)&map, RTLD_DL_LINKMAP) || !map)
        return address;
    address.module = map->l_name;
    address.at -= map->l_addr;
    address.function = info.dli_sname;
    address.own = *map->l_name && dladdr((void *)(uintptr_t)oi_backtrace, &here) && here.dli_fbase == info.dli_fbase;
    return address;
}

/* ---- addr2line ---- */

/* The file of a module. The program's own by its name, for in another process /proc/self is another. */
static const char *path_of(const char *module, char *room, size_t size)
{
    if (*module)
        return module;
    ssize_t n = readlink("/proc/self/exe", room, size - 1);
    room[n < 0 ? 0 : n] = 0;
    return room;
}

/* Starts addr2line on a file and addresses, as text; its output can be read from the result, or NULL. */
static FILE *start(const char *path, char *const *texts, unsigned count, pid_t *pid)
{
    char *argv[OI_FRAMES_MAX * 16 + 8] = {"addr2line", "-a", "-f", "-i", "-C", "-e", (char *)(uintptr_t)path};
    char *const environment[] = {"LC_ALL=C", NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    memcpy(argv + 7, texts, count * sizeof *texts);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    bool started = posix_spawnp(pid, argv[0], &actions, NULL, argv, environment) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    FILE *output = started ? fdopen(ends[0], "r") : NULL;
    if (!output)
        close(ends[0]);
    return output;
}

/* What addr2line says of a batch of addresses: for each a line with the address, then two for each place. */
struct answer {
    char *text; /* malloc'ed; the lines end in 0 */
    const char **lines;
    unsigned count;
};

static char *read_all(FILE *output)
{
    size_t used = 0, room = 4096;
    char *text = malloc(room);
    while (text && !feof(output) && (!ferror(output) || errno == EINTR)) { /* a signal may come between */
        clearerr(output);
        used += fread(text + used, 1, room - used - 1, output);
        if (room - used < 2) {
            char *more = realloc(text, room *= 2);
            if (!more)
                break;
            text = more;
        }
    }
    if (text)
        text[used] = 0;
    return text;
}

static struct answer ask(const char *path, char *const *texts, unsigned count)
{
    struct answer answer = {0};
    pid_t pid;
    FILE *output = start(path, texts, count, &pid);
    if (!output)
        return answer;
    answer.text = read_all(output);
    fclose(output);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    size_t lines = 0;
    for (const char *at = answer.text; at && *at; at++)
        lines += *at == '\n';
    answer.lines = malloc((lines + 1) * sizeof *answer.lines);
    char *rest = answer.text, *line;
    while (answer.lines && answer.count < lines && (line = strsep(&rest, "\n")))
        answer.lines[answer.count++] = line;
    return answer;
}

/* ---- names ---- */

#define BATCH (OI_FRAMES_MAX * 16)

struct batch {
    struct address at[BATCH];
    char hex[BATCH][20];
    const char **places[BATCH]; /* in an answer, or NULL */
    unsigned place_lines[BATCH];
};

/* Asks for all addresses of one module, and remembers where in the answer each stands. */
static struct answer ask_for_module(struct batch *batch, unsigned count, const char *module)
{
    char *texts[BATCH], room[4096];
    unsigned index[BATCH], n = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!strcmp(batch->at[i].module, module)) {
            texts[n] = batch->hex[i];
            index[n++] = i;
        }
    }
    struct answer answer = ask(path_of(module, room, sizeof room), texts, n);
    for (unsigned line = 0, i = 0; line < answer.count && i < n; i++) {
        unsigned first = ++line; /* after the address */
        while (line < answer.count && strncmp(answer.lines[line], "0x", 2))
            line++;
        batch->places[index[i]] = answer.lines + first;
        batch->place_lines[index[i]] = line - first;
    }
    return answer;
}

/* The name of a module, for people. */
static const char *name_of(const struct address *at)
{
    const char *base = strrchr(at->module, '/');
    return !*at->module ? "program" : base ? base + 1 : at->module;
}

/* "file:line (discriminator 2)" without the end; false: "??:0" or "??:?". */
static bool tidy(const char *place, char *room, size_t size)
{
    snprintf(room, size, "%.*s", (int)strcspn(place, " "), place);
    const char *colon = strrchr(room, ':');
    return strncmp(room, "??", 2) && colon && colon[1] != '?' && colon[1] != '0';
}

static void say(const struct batch *batch, unsigned i, oi_place_fn *fn, void *arg)
{
    const struct address *at = &batch->at[i];
    char file[4096];
    unsigned said = 0;
    for (unsigned line = 0; line + 1 < batch->place_lines[i]; line += 2) {
        const char *function = batch->places[i][line];
        bool known = tidy(batch->places[i][line + 1], file, sizeof file);
        if (!known && !strcmp(function, "??"))
            continue;
        fn(&(struct oi_place){i, function, known ? file : name_of(at), known, at->own}, arg);
        said++;
    }
    if (said)
        return;
    snprintf(file, sizeof file, "%s+%#lx", name_of(at), (unsigned long)at->at);
    fn(&(struct oi_place){i, at->function ? at->function : "??", file, false, at->own}, arg);
}

static void name_batch(struct batch *batch, void *const *frames, unsigned count, oi_place_fn *fn, void *arg)
{
    struct answer answers[BATCH];
    unsigned modules = 0;
    for (unsigned i = 0; i < count; i++) {
        batch->at[i] = find(frames[i]);
        batch->places[i] = NULL;
        batch->place_lines[i] = 0;
        snprintf(batch->hex[i], sizeof batch->hex[i], "%#lx", (unsigned long)batch->at[i].at);
    }
    for (unsigned i = 0; i < count; i++) {
        bool asked = false;
        for (unsigned j = 0; j < i && !asked; j++)
            asked = !strcmp(batch->at[j].module, batch->at[i].module);
        if (!asked)
            answers[modules++] = ask_for_module(batch, count, batch->at[i].module);
    }
    for (unsigned i = 0; i < count; i++)
        say(batch, i, fn, arg);
    while (modules--) {
        free(answers[modules].text);
        free(answers[modules].lines);
    }
}

struct shifted {
    oi_place_fn *fn;
    void *arg;
    unsigned by;
};

static void shift(const struct oi_place *place, void *arg)
{
    const struct shifted *shifted = arg;
    struct oi_place copy = *place;
    copy.frame += shifted->by;
    shifted->fn(&copy, shifted->arg);
}

void oi_backtrace_name(void *const *frames, unsigned count, oi_place_fn *fn, void *arg)
{
    int held = oi_os_hold_cancel();
    struct batch *batch = malloc(sizeof *batch);
    for (unsigned i = 0; batch && i < count; i += BATCH) {
        struct shifted shifted = {fn, arg, i};
        name_batch(batch, frames + i, count - i < BATCH ? count - i : BATCH, shift, &shifted);
    }
    free(batch);
    oi_os_let_cancel(held);
}
