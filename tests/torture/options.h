/* SPDX-License-Identifier: MIT
 *
 * What the command line asks for. */
#ifndef TORTURE_OPTIONS_H
#define TORTURE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* X(constant, name, how many steps of a hundred thousand it has beside the others): what a step may be about. */
#define MIXES(X)                       \
    X(LINKS, "links", 16000)           \
    X(MOVES, "moves", 16000)           \
    X(CYCLES, "cycles", 6000)          \
    X(WEAK, "weak", 8000)              \
    X(FINALIZERS, "finalizers", 3000)  \
    X(RESURRECTION, "resurrection", 4000) \
    X(IMMORTAL, "immortal", 100)       \
    X(PUBLICATION, "publication", 4000) \
    X(READING, "reading", 10000)       \
    X(VALUES, "values", 6000)          \
    X(THREADS, "threads", 300)         \
    X(BLOCKING, "blocking", 1000)      \
    X(FORK, "fork", 10)                \
    X(TRIMS, "trims", 10)              \
    X(LIMITS, "limits", 4)             \
    X(COLLECTIONS, "collections", 100)

/* Beside all of them: making, dropping and walking, without which there is nothing to do. */
#define BASE_SHARE 30000

#define MIX_CONSTANT(constant, name, share) MIX_##constant,
enum mix { MIXES(MIX_CONSTANT) MIX_BASE, MIX_COUNT };
#undef MIX_CONSTANT

extern const char *const mix_names[MIX_COUNT];

enum sabotage { SABOTAGE_NONE, OVER_RELEASE, FORGET_LINK, LEAK, SCRIBBLE, HANG, CRASH, SABOTAGES };

extern struct options {
    unsigned threads;
    unsigned seconds;   /* 0: until the steps are done */
    uint64_t steps;     /* in all; 0: until the time is over */
    uint64_t seed;
    uint32_t objects;
    uint32_t round;     /* steps of each worker between two verifications, at most */
    unsigned cores;     /* 0: all */
    unsigned patience;  /* seconds */
    unsigned shares[MIX_COUNT]; /* of the steps */
    unsigned collecting_one_in; /* of the finalizers and weak callbacks; 0: none */
    bool perturb, quiet;
    const char *json;
    enum sabotage sabotage;
} options;

/* Ends the program if there is something wrong, or nothing more to do. */
void options_parse(int count, char **words);

/* The command that does the same again: the seed is there if it was not given. */
const char *options_command(void);

#endif
