/* SPDX-License-Identifier: MIT
 *
 * What went wrong, in words for people, the same in all languages: "index 7 is out of range for a list of 3". A status says which kind of
 * error it is; these say what about. Each returns `text`. */
#ifndef OURO_EXPLAIN_H
#define OURO_EXPLAIN_H

#include <ouro/ouro.h>
#include <stdio.h>
#include <string.h>

#define OURO_EXPLAIN_ROOM 320 /* for a whole text */
#define OURO_EXPLAIN_PART 192 /* for what a value is */

/* "a list of 3", "an int" */
static inline const char *ouro_explain_value(char *text, size_t room, ouro_value value)
{
    size_t length;
    const char *name = ouro_value_type_name(value);
    bool sized = ouro_length(value, &length) == OURO_OK;
    if (ouro_is_nil(value))
        snprintf(text, room, "nil");
    else if (sized)
        snprintf(text, room, "%s %.100s of %zu", strchr("aeiou", name[0]) ? "an" : "a", name, length);
    else
        snprintf(text, room, "%s %.100s", strchr("aeiou", name[0]) ? "an" : "a", name);
    return text;
}

static inline const char *ouro_explain_index(char *text, size_t room, ouro_value container, ptrdiff_t index)
{
    char what[OURO_EXPLAIN_PART];
    snprintf(text, room, "index %td is out of range for %s", index, ouro_explain_value(what, sizeof what, container));
    return text;
}

/* As it would be printed; the middle of what is long is left out. */
static inline const char *ouro_explain_key(char *text, size_t room, ouro_value container, ouro_value key)
{
    char what[OURO_EXPLAIN_PART];
    ouro_value shown = OURO_NIL;
    size_t size = 0;
    const char *bytes = ouro_repr(key, &shown) == OURO_OK ? ouro_string_data(shown, &size) : NULL;
    int cut = size > 60 ? 60 : (int)size;
    while (bytes && cut && ((unsigned char)bytes[cut] & 0xc0) == 0x80)
        cut--; /* not within a code point */
    snprintf(text, room, "%.*s%s is not in %s", bytes ? cut : 1, bytes ? bytes : "?", size > 60 ? "..." : "",
             ouro_explain_value(what, sizeof what, container));
    ouro_value_release(shown);
    return text;
}

/* "item must be a list, not an int" */
static inline const char *ouro_explain_kind(char *text, size_t room, const char *argument, const char *wanted, ouro_value got)
{
    char what[OURO_EXPLAIN_PART];
    snprintf(text, room, "%s must be %s, not %s", argument, wanted, ouro_explain_value(what, sizeof what, got));
    return text;
}

#endif
