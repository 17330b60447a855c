/* SPDX-License-Identifier: MIT
 *
 * The engine that needs nothing: runs a target on the files of its corpus, then on a fixed number of mutations of them.
 *
 *     objects_fuzz [--runs N] [--seed N] [--only N] [--reduce FILE] [FILE | FOLDER]...
 *
 * Mutation number i is made of the seed, i and the corpus and of nothing else. The target runs in a child, which reads its input from
 * memory that the parent sees, too: in whichever way the child ends, the parent has the input, writes it to a file and says how to run
 * it again. */
#include <dirent.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz/fuzz.h"
#include "support/rng.h"
#include "support/scale.h"

enum { FILES_MAX = 1024, HANG_SECONDS = 60, REDUCE_HANG_SECONDS = 10 };

/* What the child is at, where the parent sees it. */
static struct shared {
    size_t size;
    long number; /* of the mutation; -1: a file of the corpus */
    char name[512];
    uint8_t bytes[FUZZ_INPUT_MAX];
} *now;

static struct seed_file {
    char *name;
    uint8_t *bytes;
    size_t size;
} files[FILES_MAX];
static size_t file_count;
static const char *program;

_Noreturn static void stop(const char *what, const char *name)
{
    fprintf(stderr, "%s: %s %s\n", program, what, name);
    exit(2);
}

/* ---- The corpus ---- */

static void read_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    if (!file || file_count == FILES_MAX)
        stop(file ? "too many files, from" : "cannot read", name);
    struct seed_file *f = &files[file_count++];
    *f = (struct seed_file){strdup(name), malloc(FUZZ_INPUT_MAX), 0};
    if (!f->name || !f->bytes)
        stop("no memory for", name);
    f->size = fread(f->bytes, 1, FUZZ_INPUT_MAX, file);
    fclose(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name); /* not alphasort, which goes by the locale */
}

static void read_path(const char *path)
{
    struct stat st;
    struct dirent **entries;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        read_file(path);
        return;
    }
    int n = scandir(path, &entries, NULL, by_name);
    if (n < 0)
        stop("cannot read", path);
    for (int i = 0; i < n; i++) {
        char name[512];
        if (entries[i]->d_name[0] != '.' && (size_t)snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name) < sizeof name)
            read_file(name);
        free(entries[i]);
    }
    free(entries);
}

/* ---- Mutations ---- */

static uint32_t some(struct rng *rng, size_t n)
{
    return rng_below(rng, (uint32_t)n);
}

static void cut(size_t at, size_t size)
{
    memmove(now->bytes + at, now->bytes + at + size, now->size - at - size);
    now->size -= size;
}

/* Bytes from elsewhere, put in; what is then too long is cut off. from does not lie in now. */
static void put_in(size_t at, const uint8_t *from, size_t size)
{
    size = size < FUZZ_INPUT_MAX - at ? size : FUZZ_INPUT_MAX - at;
    size_t behind = now->size - at < FUZZ_INPUT_MAX - at - size ? now->size - at : FUZZ_INPUT_MAX - at - size;
    memmove(now->bytes + at + size, now->bytes + at, behind);
    memcpy(now->bytes + at, from, size);
    now->size = at + size + behind;
}

static void change_byte(struct rng *rng)
{
    uint8_t *byte = &now->bytes[some(rng, now->size)];
    switch (some(rng, 3)) {
    case 0:
        *byte ^= (uint8_t)(1 << some(rng, 8));
        break;
    case 1:
        *byte = (uint8_t)(*byte + some(rng, 9) - 4);
        break;
    default:
        *byte = (uint8_t)rng_next(rng);
    }
}

static void mutate_once(struct rng *rng)
{
    uint8_t piece[64];
    size_t size = 1 + some(rng, sizeof piece);
    for (size_t i = 0; i < size; i++)
        piece[i] = (uint8_t)rng_next(rng);
    unsigned how = now->size ? some(rng, 8) : 7;
    const struct seed_file *other = file_count ? &files[some(rng, file_count)] : NULL;
    if (how < 4) {
        change_byte(rng);
    } else if (how == 4) { /* a piece goes */
        size_t at = some(rng, now->size);
        cut(at, 1 + some(rng, now->size - at < 32 ? now->size - at : 32));
    } else if (how == 5) { /* a piece comes once more */
        size_t at = some(rng, now->size), n = now->size - at < size ? now->size - at : size;
        memcpy(piece, now->bytes + at, n);
        put_in(some(rng, now->size + 1), piece, n);
    } else if (how == 6 && other && other->size) { /* a piece of another file */
        size_t at = some(rng, other->size);
        put_in(some(rng, now->size + 1), other->bytes + at, 1 + some(rng, other->size - at));
    } else {
        put_in(some(rng, now->size + 1), piece, size);
    }
}

static void make_mutation(uint64_t seed, long number)
{
    struct rng rng = rng_stream(seed, (uint64_t)number);
    now->number = number;
    now->size = 0;
    if (file_count && !rng_one_in(&rng, 8)) { /* the others begin with nothing */
        const struct seed_file *f = &files[some(&rng, file_count)];
        snprintf(now->name, sizeof now->name, "%s", f->name);
        memcpy(now->bytes, f->bytes, f->size);
        now->size = f->size;
    }
    for (unsigned n = 1 + some(&rng, now->size ? 6 : 24); n; n--)
        mutate_once(&rng);
}

/* ---- The child ---- */

static void run_one(unsigned patience)
{
    alarm(patience); /* a hang ends the child; nothing is measured */
    /* A copy of the very size, so that AddressSanitizer sees what reads beyond it. */
    uint8_t *bytes = malloc(now->size ? now->size : 1);
    if (!bytes)
        stop("no memory for", "an input");
    memcpy(bytes, now->bytes, now->size);
    LLVMFuzzerTestOneInput(bytes, now->size);
    free(bytes);
    alarm(0);
}

static void run_all(uint64_t seed, long first, long last)
{
    for (size_t i = 0; i < file_count && first == 0; i++) {
        now->number = -1;
        snprintf(now->name, sizeof now->name, "%s", files[i].name);
        memcpy(now->bytes, files[i].bytes, files[i].size);
        now->size = files[i].size;
        run_one(HANG_SECONDS);
    }
    for (long i = first; i < last; i++) {
        make_mutation(seed, i);
        run_one(HANG_SECONDS);
    }
}

/* How a child ends that runs the input that is there. */
static int outcome_of_one(void)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        run_one(REDUCE_HANG_SECONDS);
        _exit(0);
    }
    int outcome;
    return child > 0 && waitpid(child, &outcome, 0) == child ? outcome : -1;
}

/* ---- The parent ---- */

static void write_input(const char *name)
{
    FILE *file = fopen(name, "wb");
    if (!file || fwrite(now->bytes, 1, now->size, file) != now->size || fclose(file))
        stop("cannot write", name);
}

static void tell(int outcome, uint64_t seed)
{
    const char *folder = getenv("TEST_UNDECLARED_OUTPUTS_DIR"), *last = strrchr(program, '/');
    char name[512];
    snprintf(name, sizeof name, "%s/%s-failure", folder ? folder : ".", last ? last + 1 : program);
    fprintf(stderr, "%s %d", WIFSIGNALED(outcome) ? "ended by signal" : "ended with status",
            WIFSIGNALED(outcome) ? WTERMSIG(outcome) : WEXITSTATUS(outcome));
    if (now->number < 0)
        fprintf(stderr, ", in %s\n", now->name);
    else
        fprintf(stderr, ", in mutation %ld; again: --seed %" PRIu64 " --only %ld CORPUS\n", now->number, seed, now->number);
    for (size_t i = 0; i < now->size && i < 512; i++)
        fprintf(stderr, "%02x%s", now->bytes[i], i % 32 == 31 ? "\n" : "");
    fprintf(stderr, "%s\n", now->size > 512 ? "..." : "");
    write_input(name);
    fprintf(stderr, "the input, %zu bytes: %s; again: %s %s --runs 0; smaller: --reduce %s\n", now->size, name, program, name, name);
}

/* Leaves out one piece after another, as long as it still fails, in whichever way. */
static int reduce(const char *name)
{
    read_file(name);
    memcpy(now->bytes, files[0].bytes, now->size = files[0].size);
    if (!outcome_of_one())
        stop("nothing fails in", name);
    for (size_t piece = now->size; piece; piece /= 2)
        for (size_t at = 0; at + piece <= now->size;) {
            uint8_t before[FUZZ_INPUT_MAX];
            size_t size = now->size;
            memcpy(before, now->bytes, size);
            cut(at, piece);
            if (outcome_of_one())
                continue;
            memcpy(now->bytes, before, now->size = size);
            at += piece;
        }
    char smaller[512];
    snprintf(smaller, sizeof smaller, "%s.reduced", name);
    write_input(smaller);
    printf("%s: %zu bytes\n", smaller, now->size);
    return 0;
}

int main(int count, char **words)
{
    program = words[0];
    long runs = SCALED(fuzz_runs), only = -1;
    const char *seed_text = NULL, *to_reduce = NULL;
    now = mmap(NULL, sizeof *now, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (now == MAP_FAILED)
        stop("no memory for", "the input");
    for (int i = 1; i < count; i++) {
        char *value = i + 1 < count ? words[i + 1] : NULL;
        if (words[i][0] != '-')
            read_path(words[i]);
        else if (!value)
            stop("a number or file after", words[i]);
        else if (i++, !strcmp(words[i - 1], "--runs"))
            runs = atol(value);
        else if (!strcmp(words[i - 1], "--seed"))
            seed_text = value;
        else if (!strcmp(words[i - 1], "--only"))
            only = atol(value);
        else if (!strcmp(words[i - 1], "--reduce"))
            to_reduce = value;
        else
            stop("no such option:", words[i - 1]);
    }
    if (to_reduce)
        return reduce(to_reduce);
    uint64_t seed = seed_text ? strtoull(seed_text, NULL, 0) : rng_seed();
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_all(seed, only < 0 ? 0 : only, only < 0 ? runs : only + 1);
        exit(0); /* so that leaks are looked for */
    }
    int outcome;
    if (child < 0 || waitpid(child, &outcome, 0) != child)
        stop("cannot", "fork");
    if (outcome) {
        tell(outcome, seed);
        return 1;
    }
    printf("%zu files of the corpus, %ld mutations of them: passed\n", file_count, only < 0 ? runs : 1);
    return 0;
}
