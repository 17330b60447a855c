/* SPDX-License-Identifier: MIT
 *
 * The input file: read, checked, and counted in the simplest way there is, before any object is made. */
#ifndef DEMO_INPUT_H
#define DEMO_INPUT_H

#include <stdbool.h>
#include <stddef.h>

/* Some bytes of the input. */
struct span {
    const char *at;
    size_t length;
};

struct input {
    char *text; /* NUL-terminated */
    size_t length;
    size_t stanzas;   /* what one thread counts by looking at the starts of lines; the graph must agree */
    size_t installed; /* the same without those whose Status says that they are not installed */
};

/* False after one line on stderr: no such file, empty, binary, compressed, not an index, or cut off. */
bool input_read(struct input *input, const char *path);
void input_free(struct input *input);

/* Takes the next line, without its end, off *rest. False when there is none. */
bool span_line(struct span *rest, struct span *line);

/* The same, and with it the lines that go on with it: those that begin with a blank. */
bool span_whole_line(struct span *rest, struct span *line);

/* If the line is the field of that name: true, and its value without blanks around it. */
bool span_field(struct span line, const char *name, struct span *value);

bool span_is(struct span span, const char *string);
struct span span_trim(struct span span);

/* The package name at the start, of length 0 if there is none. */
struct span span_name(struct span span);

/* What a Status field says; Packages files have none, and count as if all were installed. */
bool status_is_installed(struct span status);

#endif
