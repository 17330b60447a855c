/* SPDX-License-Identifier: MIT
 *
 * Parts of the player of scenarios: words of a script, and the operations that they name. */
#ifndef TESTS_SCENARIOS_PLAYER_H
#define TESTS_SCENARIOS_PLAYER_H

#include <ouro/ouro.h>

#define WORDS_MAX 64

/* ---- words.c ---- */

/* What `_` stands for: bits that no value has. */
#define OMITTED ((ouro_value)3)

/* Takes the next word of a line off: *line goes on behind it. The word has a NUL at its end, which is written into the line. NULL: there is none. A
 * string is one word, whatever is in it. */
char *word_next(char **line);
/* The value that a word writes down, new. False: it writes down none. */
bool word_value(const char *word, ouro_value *value);
/* True if it may be a variable's name. */
bool word_is_name(const char *word);

/* ---- operations.c, elements.c, mappings.c ---- */

struct call {
    const ouro_value *args; /* borrowed */
    size_t count;
    ouro_value result; /* new; nil until it is set */
};

struct operation {
    const char *name;
    size_t least, most; /* how many arguments it takes */
    ouro_status (*run)(struct call *call);
};

#define ANY_NUMBER WORDS_MAX

/* Each ends with a name that is NULL. */
extern const struct operation operations[], element_operations[], mapping_operations[];

/* An argument as a number; OMITTED is OURO_OMITTED. OURO_E_TYPE. */
ouro_status as_number(ouro_value arg, ptrdiff_t *number);
/* Results; status is passed through. */
ouro_status give_bool(struct call *call, ouro_status status, bool result);
ouro_status give_number(struct call *call, ouro_status status, size_t result);
/* Every second argument from first on, into room for ANY_NUMBER; how many they are. */
size_t every_second(const struct call *call, size_t first, ouro_value *out);

/* How many of the player's own objects the library holds. */
long hosts_held(void);
/* Forgets what is in the log, and frees the texts. No weak reference that was made by `watch` is alive. */
void log_end(void);

#endif
