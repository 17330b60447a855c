/* SPDX-License-Identifier: MIT
 *
 * How values cross between Go and C, without a second call where that can be.
 *
 * What crosses is a word: an ouro_value, or one of the tags below. The tags have the two low bits of no value.
 *
 *     from C     a reference is new and has its kind in the top byte (addresses have 47 bits). Floats and short strings come as tags, with
 *                their content; failures, too
 *     to C       a reference is borrowed, without a kind. Floats, strings and hosts' objects are made here for the call. The handle of a
 *                host's object is used up by the call, whatever becomes of it */
#ifndef OURO_GO_CROSSING_H
#define OURO_GO_CROSSING_H

#include "library.h"
#include "messages.h"

#include <string.h>

#define OURO_GO_ERROR 0x03u  /* the code in the second byte; above, the handle of a Go error, or which of several it is about, or 0 */
#define OURO_GO_FLOAT 0x07u  /* data: the bits */
#define OURO_GO_STRING 0x0bu /* size bytes */
#define OURO_GO_BYTES 0x0fu
#define OURO_GO_HOST 0x13u   /* data: the handle of a Go value. (From C: a reference of OURO_KIND_HOST, with the handle) */
#define OURO_GO_INT64 0x17u  /* data: an integer beyond 62 bits */
#define OURO_GO_UINT64 0x1bu /* the same, beyond 63 */

#define OURO_GO_KIND_SHIFT 56
#define OURO_GO_REFERENCE (((uint64_t)1 << OURO_GO_KIND_SHIFT) - 1)

/* A value on its way. data and size of a reference to a string or bytes: where its content is, and how long. */
struct ouro_go_item {
    uint64_t word, data, size;
};

/* One that comes alone has room for the content of a short string. */
struct ouro_go_answer {
    struct ouro_go_item item;
    char text[40];
};
struct ouro_go_pair {
    struct ouro_go_answer first, second;
};

/* Classes of hosts' objects: Go values, by handle; integers, which are their own handles. */
extern const ouro_host_class ouro_go_class, ouro_go_int64_class, ouro_go_uint64_class;

/* The handle of what a callback of Go's last failed with on this thread, or 0. */
extern _Thread_local uint64_t ouro_go_failure;

static inline bool ouro_go_enter(void)
{
    bool outer = ouro_go_is_calling;
    ouro_go_is_calling = true;
    (void)!ouro_thread_attach(OURO_THREAD_UNBIASED);
    return outer;
}

static inline void ouro_go_leave(const bool *outer)
{
    ouro_go_is_calling = *outer;
}

/* Before whatever may need a thread slot, or leave a message; to the end of the block. That there is no slot shows when it is needed. */
#define OURO_GO_CALL() __attribute__((cleanup(ouro_go_leave))) const bool ouro_go_outer = ouro_go_enter()

/* ---- from C ---- */

static inline uint64_t ouro_go_error(ouro_status status)
{
    uint64_t failure = 0;
    if (status == OURO_E_HOST) {
        failure = ouro_go_failure;
        ouro_go_failure = 0;
    }
    return failure << 16 | (uint64_t)-status << 8 | OURO_GO_ERROR;
}

/* Of several; at: which one, from 1. */
static inline uint64_t ouro_go_error_at(ouro_status status, size_t at)
{
    return (uint64_t)at << 16 | (uint64_t)-status << 8 | OURO_GO_ERROR;
}

static inline uint64_t ouro_go_status(ouro_status status)
{
    return OURO_LIKELY(status == OURO_OK) ? OURO_NIL : ouro_go_error(status);
}

struct ouro_go_item ouro_go_show_object(ouro_value value);

/* Takes over a reference. */
static inline struct ouro_go_item ouro_go_show(ouro_value value)
{
    if (!ouro_is_object(value))
        return (struct ouro_go_item){value, 0, 0};
    return ouro_go_show_object(value);
}

struct ouro_go_answer ouro_go_answer_object(ouro_value value);

/* value: where the call that gives the status puts it; new. What is not shared yet, as of a thread that something else has attached, becomes so: any
 * thread of Go's may be the next to use it. */
static inline struct ouro_go_answer ouro_go_answer(ouro_status status, const ouro_value *value)
{
    struct ouro_go_answer answer;
    if (OURO_LIKELY(status == OURO_OK)) {
        if (ouro_is_object(*value))
            return ouro_go_answer_object(*value);
        answer.item.word = *value;
    } else {
        answer.item.word = ouro_go_error(status);
    }
    return answer;
}

/* ---- to C ---- */

ouro_status ouro_go_make(uint64_t word, uint64_t data, const char *text, ouro_value *value);

static inline bool ouro_go_is_tag(uint64_t word)
{
    return (word & 3) == 3;
}

/* An argument: a value that is borrowed, or was made for the call. */
struct ouro_go_argument {
    ouro_value value;
    ouro_status status;
    bool made;
};

/* data: the bits, handle, or size. */
static inline struct ouro_go_argument ouro_go_take(uint64_t word, uint64_t data, const char *text)
{
    struct ouro_go_argument argument = {word, OURO_OK, false};
    if (ouro_go_is_tag(word)) {
        argument.status = ouro_go_make(word, data, text, &argument.value);
        argument.made = true;
    }
    return argument;
}

static inline void ouro_go_drop(struct ouro_go_argument argument)
{
    if (argument.made)
        ouro_value_release(argument.value);
}

/* Many: how many, then their items, then the bytes of their strings; a string's data says where it begins, in bytes from the very start. groups: 2 if
 * the items are keys and values in turn, else 1. */
struct ouro_go_arguments {
    ouro_value *values; /* all of a group together */
    size_t count;       /* of a group */
    ouro_status status;
    size_t at; /* from 1: which one failed */
    const uint64_t *words;
    size_t groups;
    ouro_value few[16];
};

void ouro_go_take_all(struct ouro_go_arguments *arguments, const uint64_t *words, size_t groups);
void ouro_go_drop_all(struct ouro_go_arguments *arguments);

#endif
