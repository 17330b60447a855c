/* SPDX-License-Identifier: MIT
 *
 * An index is made of stanzas, separated by empty lines. A line of a stanza is "Field: value" or, starting with a
 * blank, the continuation of the line above it. What breaks these rules, or ends before its stanza says what is
 * packaged in which version, is refused here, so that the parser only ever sees whole stanzas. */
#include "input.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INPUT_MAX ((size_t)1 << 30)

static bool refuse(const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "demo: %s: ", path);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return false;
}

bool span_line(struct span *rest, struct span *line)
{
    if (rest->length == 0)
        return false;
    const char *end = memchr(rest->at, '\n', rest->length);
    size_t length = end ? (size_t)(end - rest->at) : rest->length;
    *line = (struct span){rest->at, length};
    size_t taken = length + (end != NULL);
    *rest = (struct span){rest->at + taken, rest->length - taken};
    return true;
}

bool span_whole_line(struct span *rest, struct span *line)
{
    if (!span_line(rest, line))
        return false;
    struct span after = *rest, more;
    while (line->length > 0 && span_line(&after, &more) && (*more.at == ' ' || *more.at == '\t')) {
        line->length = (size_t)(more.at + more.length - line->at);
        *rest = after;
    }
    return true;
}

struct span span_trim(struct span span)
{
    while (span.length > 0 && isspace((unsigned char)span.at[0]))
        span.at++, span.length--;
    while (span.length > 0 && isspace((unsigned char)span.at[span.length - 1]))
        span.length--;
    return span;
}

bool span_field(struct span line, const char *name, struct span *value)
{
    size_t length = strlen(name);
    if (line.length <= length || line.at[length] != ':' || strncasecmp(line.at, name, length) != 0)
        return false;
    *value = span_trim((struct span){line.at + length + 1, line.length - length - 1});
    return true;
}

bool span_is(struct span span, const char *string)
{
    return span.length == strlen(string) && memcmp(span.at, string, span.length) == 0;
}

struct span span_name(struct span span)
{
    size_t length = 0;
    while (length < span.length &&
           (isalnum((unsigned char)span.at[length]) || (length > 0 && memchr("+-._", span.at[length], 4))))
        length++;
    return (struct span){span.at, length};
}

bool status_is_installed(struct span status)
{
    static const char word[] = " installed";
    size_t length = sizeof word - 1;
    return status.length == 0 ||
           (status.length >= length && memcmp(status.at + status.length - length, word, length) == 0);
}

/* Reads piece by piece and gives up at the first NUL byte, so that no device can feed it for ever. */
static bool read_text(struct input *input, FILE *file, const char *path)
{
    size_t capacity = 1 << 16, got;
    input->text = malloc(capacity);
    while (input->text && (got = fread(input->text + input->length, 1, capacity - input->length - 1, file)) > 0) {
        const char *nul = memchr(input->text + input->length, 0, got);
        input->length += got;
        if (input->length >= 2 && (memcmp(input->text, "\x1f\x8b", 2) == 0 || memcmp(input->text,
                                                                                     "\xfd"
                                                                                     "7",
                                                                                     2) == 0))
            return refuse(path, "is compressed; unpack it first");
        if (nul)
            return refuse(path, "is not text (a zero byte at offset %zu)", (size_t)(nul - input->text));
        if (input->length > INPUT_MAX)
            return refuse(path, "is larger than %zu MiB", INPUT_MAX >> 20);
        if (capacity - input->length == 1) {
            char *larger = realloc(input->text, capacity *= 2);
            if (!larger)
                return refuse(path, "does not fit into memory");
            input->text = larger;
        }
    }
    if (!input->text)
        return refuse(path, "does not fit into memory");
    if (ferror(file))
        return refuse(path, "%s", strerror(errno));
    input->text[input->length] = 0;
    return true;
}

static bool is_field(struct span line)
{
    size_t i = 0;
    while (i < line.length && line.at[i] > ' ' && line.at[i] < 127 && line.at[i] != ':')
        i++;
    return i > 0 && i < line.length && line.at[i] == ':' && line.at[0] != '#' && line.at[0] != '-';
}

static size_t count_lines(struct span line)
{
    size_t lines = 1;
    for (size_t i = 0; i < line.length; i++)
        lines += line.at[i] == '\n';
    return lines;
}

static bool check_and_count(struct input *input, const char *path)
{
    struct span rest = {input->text, input->length}, line;
    struct span package = {0}, version = {0}, status = {0};
    size_t last = 0, start = 0; /* the numbers of the last line, and of the stanza's first: 0 between stanzas */
    for (bool more = true; more;) {
        more = span_whole_line(&rest, &line);
        size_t number = last + 1;
        last += more ? count_lines(line) : 0;
        if (!more || line.length == 0) { /* the end of a stanza, if one is open */
            bool installed = status_is_installed(status);
            if (start && (package.length == 0 || (installed && version.length == 0)))
                return refuse(path, "the stanza at line %zu has no %s%s", start,
                              package.length == 0 ? "Package" : "Version", more ? "" : " (the file may be cut off)");
            input->stanzas += start != 0;
            input->installed += start && installed;
            start = 0;
            package = version = status = (struct span){0};
            continue;
        }
        if (!is_field(line)) /* nor is what goes on with nothing */
            return refuse(path, "line %zu is not \"Field: value\": not a package index, or damaged", number);
        if (!start)
            start = number;
        struct span again;
        if (package.length > 0 && span_field(line, "Package", &again))
            return refuse(path, "line %zu is a second Package in one stanza", number);
        if (span_field(line, "Package", &package) && span_name(package).length != package.length)
            return refuse(path, "line %zu does not name a package", number);
        if (!span_field(line, "Version", &version))
            span_field(line, "Status", &status);
    }
    if (input->stanzas == 0)
        return refuse(path, "is empty");
    /* Last, for a better word on files that are no index at all. */
    if (input->text[input->length - 1] != '\n')
        return refuse(path, "is cut off in the middle of line %zu", last);
    return true;
}

bool input_read(struct input *input, const char *path)
{
    *input = (struct input){0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return refuse(path, "%s", strerror(errno));
    bool ok = read_text(input, file, path) && check_and_count(input, path);
    fclose(file);
    if (!ok)
        input_free(input);
    return ok;
}

void input_free(struct input *input)
{
    free(input->text);
    *input = (struct input){0};
}
