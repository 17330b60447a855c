/* SPDX-License-Identifier: MIT */
#include "scenarios/player.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"

char *word_next(char **line)
{
    char *start = *line + strspn(*line, " "), *end = start;
    if (!*start)
        return NULL;
    for (bool quoted = false; *end && (quoted || *end != ' '); end++) {
        if (*end == '"')
            quoted = !quoted;
        else if (quoted && *end == '\\' && end[1])
            end++;
    }
    *line = *end ? end + 1 : end;
    *end = 0;
    return start;
}

bool word_is_name(const char *word)
{
    static const char *const others[] = {"nil", "true", "false", "inf", "nan", "_"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(word, others[i]))
            return false;
    return (islower((unsigned char)*word) || *word == '_') && strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(word);
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The character after a backslash, and how long that was. */
static char escaped(const char *at, size_t *length)
{
    *length = *at == 'x' ? 3 : 1;
    switch (*at) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'x':
        REQUIRE(hex(at[1]) >= 0 && hex(at[2]) >= 0);
        return (char)(hex(at[1]) * 16 + hex(at[2]));
    default:
        return *at;
    }
}

/* What is between the quotes, of which at is the first. */
static char *unquoted(const char *at, size_t *size)
{
    char *out = malloc(strlen(at) + 1);
    REQUIRE(out);
    *size = 0;
    for (at++; *at && *at != '"'; at++) {
        size_t length;
        out[(*size)++] = *at == '\\' ? escaped(at + 1, &length) : *at;
        if (*at == '\\')
            at += length;
    }
    REQUIRE(*at == '"' && !at[1]);
    return out;
}

static bool quoted_value(const char *word, ouro_value *value)
{
    size_t size;
    bool is_bytes = *word == 'b';
    char *content = unquoted(word + is_bytes, &size);
    ouro_status status = is_bytes ? ouro_bytes_new(content, size, value) : ouro_string_new(content, size, value);
    free(content);
    return status == OURO_OK;
}

static bool number_value(const char *word, ouro_value *value)
{
    char *end;
    const char *digits = word + (*word == '-');
    if (!strcmp(digits, "inf") || !strcmp(digits, "nan") || (isdigit((unsigned char)*digits) && strpbrk(digits, ".e"))) {
        *value = ouro_float_new(strtod(word, &end));
        return !*end;
    }
    *value = ouro_int_new(strtoll(word, &end, 10));
    return isdigit((unsigned char)*digits) && !*end && !ouro_is_nil(*value);
}

bool word_value(const char *word, ouro_value *value)
{
    *value = OURO_NIL;
    if (*word == '"' || !strncmp(word, "b\"", 2))
        return quoted_value(word, value);
    if (!strcmp(word, "nil"))
        return true;
    if (!strcmp(word, "true") || !strcmp(word, "false")) {
        *value = ouro_bool_new(*word == 't');
        return true;
    }
    if (!strcmp(word, "_")) {
        *value = OMITTED;
        return true;
    }
    return number_value(word, value);
}
