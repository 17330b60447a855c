//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Equality of contents, equality as keys, and order: one walk over two values side by side.
 *
 * The walk keeps a list of frames, each a pair of containers under comparison, instead of recursing. A pair that is met again is not compared
 * again: as long as no difference is found, the two are equal (Hopcroft and Karp, "A linear algorithm for testing equivalence of
 * finite automata", 1971). The containers met are kept as classes of equal ones, so that cycles end, and structures that share parts
 * take no longer than they are large. */
#include "lib_object_weak.h"
#include "lib_value_contents.h"
#include "lib_value_host.h"
#include "lib_value_number.h"
#include "lib_value_string.h"
#include "lib_value_worklist.h"

enum question { BY_CONTENT, AS_KEYS, IN_WHICH_ORDER };

#define DIFFERENT 1 /* an order that is not 0, where only that matters */

/* Two containers, and how far they have been compared. */
struct frame {
    const struct oi_kind_ops *ops;
    struct oi_snapshot a, b;
    ouro_value other; /* OI_BY_KEY: where to look up, held; instead of b */
    ouro_value held;  /* what was found there last */
    size_t at, end;   /* positions in the snapshots */
};

struct walk {
    enum question question;
    OI_PILE(struct frame, 4) frames;
    bool has_classes;
    struct oi_address_map classes; /* container, held -> another one of its class; itself, or 0: it stands for the class */
};

/* ---- Two values that need no walk ---- */

static ouro_status compare_hosts(enum question question, ouro_value a, ouro_value b, int *order)
{
    const ouro_host_class *class = oi_host_class(a);
    bool equal = false;
    bool same = class == oi_host_class(b);
    if (question == IN_WHICH_ORDER)
        return same && class->compare ? class->compare(ouro_host_handle(a), ouro_host_handle(b), order) : OURO_E_TYPE;
    ouro_status status = same && class->equal ? class->equal(ouro_host_handle(a), ouro_host_handle(b), &equal) : OURO_OK;
    *order = equal ? 0 : DIFFERENT;
    return status;
}

static bool is_nan(ouro_value value)
{
    return oi_kind_of(value) == OURO_KIND_FLOAT && oi_float_number(value) != oi_float_number(value);
}

/* Two different words. *ops: what to go on with, if they are containers that have to be walked; else *order says all. */
static ouro_status compare_flat(enum question question, ouro_value a, ouro_value b, int *order, const struct oi_kind_ops **ops)
{
    ouro_kind kind = oi_kind_of(a), other = oi_kind_of(b);
    *ops = NULL;
    *order = DIFFERENT;
    if (oi_is_number(kind) && oi_is_number(other)) {
        *order = oi_number_compare(a, b);
        if (question == AS_KEYS && *order == OURO_UNORDERED && is_nan(a) && is_nan(b))
            *order = 0;
        return OURO_OK;
    }
    if (kind == other) {
        switch (kind) {
        case OURO_KIND_STRING:
            *order = question == IN_WHICH_ORDER ? oi_string_compare(oi_string_of(a), oi_string_of(b))
                                                : !oi_string_equal(oi_string_of(a), oi_string_of(b));
            return OURO_OK;
        case OURO_KIND_BYTES:
            *order = question == IN_WHICH_ORDER ? oi_bytes_compare(oi_bytes_of(a), oi_bytes_of(b))
                                                : !oi_bytes_equal(oi_bytes_of(a), oi_bytes_of(b));
            return OURO_OK;
        case OURO_KIND_BOOL:
            *order = a == OURO_TRUE ? 1 : -1;
            return OURO_OK;
        case OURO_KIND_HOST:
            return compare_hosts(question, a, b, order);
        case OURO_KIND_TUPLE:
            *ops = &oi_tuple_ops;
            return OURO_OK;
        default:
            *ops = question == AS_KEYS ? NULL : oi_kind_ops[kind];
        }
        if (*ops && (*ops)->equality == OI_BY_IDENTITY)
            *ops = NULL;
        if (question == IN_WHICH_ORDER && *ops && !(*ops)->ordered)
            *ops = NULL;
    }
    return question == IN_WHICH_ORDER && !*ops ? OURO_E_TYPE : OURO_OK;
}

/* ---- Classes ---- */

/* What stands for a container's class; NULL: out of memory. */
static const void *class_of(struct walk *walk, ouro_value container)
{
    const void *at = oi_word(container);
    uintptr_t *up = oi_address_map_at(&walk->classes, at);
    if (!up)
        return NULL;
    if (!*up) { /* held, so that nothing else comes to have its address */
        *up = (uintptr_t)at;
        ouro_value_retain(container);
    }
    while (*up != (uintptr_t)at) {
        at = (const void *)*up;
        uintptr_t *next = oi_address_map_at(&walk->classes, at);
        *up = *next; /* halves the path */
        up = next;
    }
    return at;
}

/* Makes two containers equal by assumption. *known: they were so already. */
static ouro_status assume_equal(struct walk *walk, ouro_value a, ouro_value b, bool *known)
{
    if (!walk->has_classes)
        oi_address_map_init(&walk->classes);
    walk->has_classes = true;
    const void *x = class_of(walk, a), *y = class_of(walk, b);
    if (!x || !y)
        return OURO_E_NOMEM;
    *known = x == y;
    *oi_address_map_at(&walk->classes, x) = (uintptr_t)y;
    return OURO_OK;
}

/* ---- Frames ---- */

static void drop_frame(struct frame *frame)
{
    oi_snapshot_drop(&frame->a);
    oi_snapshot_drop(&frame->b);
    ouro_value_release(frame->other);
    ouro_value_release(frame->held);
}

/* A container to look up in while nobody changes it: a private one itself, of a shared one a copy. */
static ouro_status steady(ouro_value container, ouro_value *other)
{
    return oi_is_mine(oi_word(container)) ? oi_retain_into(container, other) : ouro_copy(container, other);
}

static ouro_status open_frame(struct frame *frame, ouro_value a, ouro_value b)
{
    ouro_status status = frame->ops->snapshot(a, &frame->a);
    if (status != OURO_OK)
        return status;
    frame->end = frame->a.count;
    if (frame->ops->equality == OI_BY_KEY)
        return steady(b, &frame->other);
    status = frame->ops->snapshot(b, &frame->b);
    if (frame->b.count < frame->end)
        frame->end = frame->b.count;
    return status;
}

static size_t step_of(const struct frame *frame)
{
    return frame->ops->pairs ? 2 : 1;
}

/* How the two lengths compare. */
static ouro_status compare_lengths(const struct frame *frame, int *order)
{
    size_t a = frame->a.count / step_of(frame), b = frame->b.count / step_of(frame);
    ouro_status status = frame->other ? frame->ops->length(frame->other, &b) : OURO_OK;
    *order = (a > b) - (a < b);
    return status;
}

/* Begins with two containers, alike in kind. */
static ouro_status push(struct walk *walk, ouro_value a, ouro_value b, const struct oi_kind_ops *ops, int *order)
{
    *order = DIFFERENT;
    if (ops->alike && !ops->alike(a, b))
        return OURO_OK;
    if (walk->frames.count) { /* the first two are held by the caller; if they come again, they are compared twice */
        bool known = false;
        ouro_status status = assume_equal(walk, a, b, &known);
        *order = 0;
        if (status != OURO_OK || known)
            return status;
    }
    if (!oi_pile_grow(walk->frames))
        return OURO_E_NOMEM;
    struct frame *frame = &walk->frames.at[walk->frames.count++];
    *frame = (struct frame){.ops = ops};
    ouro_status status = open_frame(frame, a, b);
    *order = 0;
    if (status == OURO_OK && walk->question != IN_WHICH_ORDER)
        status = compare_lengths(frame, order);
    return status;
}

static ouro_status compare_two(struct walk *walk, ouro_value a, ouro_value b, int *order)
{
    const struct oi_kind_ops *ops;
    *order = 0;
    if (a == b)
        return OURO_OK;
    ouro_status status = compare_flat(walk->question, a, b, order, &ops);
    return status == OURO_OK && ops ? push(walk, a, b, ops, order) : status;
}

/* The next element of the container in a frame that is compared by key. */
static ouro_status look_up(struct walk *walk, struct frame *frame, int *order)
{
    ouro_value key = frame->a.items[frame->at], expected = frame->ops->pairs ? frame->a.items[frame->at + 1] : OURO_NIL;
    frame->at += step_of(frame);
    ouro_value_release(frame->held);
    frame->held = OURO_NIL;
    ouro_status status = frame->ops->find(frame->other, key, &frame->held);
    if (status == OURO_E_KEY) {
        *order = DIFFERENT;
        return OURO_OK;
    }
    return status == OURO_OK && frame->ops->pairs ? compare_two(walk, expected, frame->held, order) : status;
}

static ouro_status step(struct walk *walk, int *order)
{
    struct frame *frame = &walk->frames.at[walk->frames.count - 1];
    if (frame->at < frame->end) {
        if (frame->ops->equality == OI_BY_KEY)
            return look_up(walk, frame, order);
        size_t at = frame->at++;
        return compare_two(walk, frame->a.items[at], frame->b.items[at], order);
    }
    ouro_status status = walk->question == IN_WHICH_ORDER ? compare_lengths(frame, order) : OURO_OK;
    drop_frame(frame);
    walk->frames.count--;
    return status;
}

static void end(struct walk *walk)
{
    while (walk->frames.count)
        drop_frame(&walk->frames.at[--walk->frames.count]);
    oi_pile_end(walk->frames);
    if (!walk->has_classes)
        return;
    for (size_t i = 0; i <= walk->classes.mask; i++)
        if (walk->classes.at[i].value)
            ouro_value_release(ouro_value_of(walk->classes.at[i].key));
    oi_address_map_end(&walk->classes);
}

static OI_NOINLINE ouro_status walk_two(enum question question, ouro_value a, ouro_value b, const struct oi_kind_ops *ops, int *order)
{
    struct walk walk;
    walk.question = question;
    walk.has_classes = false;
    oi_pile_init(walk.frames);
    ouro_status status = push(&walk, a, b, ops, order);
    while (status == OURO_OK && !*order && walk.frames.count)
        status = step(&walk, order);
    end(&walk);
    return status;
}

static ouro_status compare(enum question question, ouro_value a, ouro_value b, int *order)
{
    const struct oi_kind_ops *ops;
    if (a == b) {
        *order = question != AS_KEYS && is_nan(a) ? OURO_UNORDERED : 0;
        return OURO_OK;
    }
    ouro_status status = compare_flat(question, a, b, order, &ops);
    return status == OURO_OK && ops ? walk_two(question, a, b, ops, order) : status;
}

static ouro_status equal(enum question question, ouro_value a, ouro_value b, bool *equal)
{
    int order = DIFFERENT;
    if (!equal)
        return OURO_E_INVALID;
    ouro_status status = compare(question, a, b, &order);
    *equal = status == OURO_OK && order == 0;
    return status;
}

ouro_status ouro_equal(ouro_value a, ouro_value b, bool *out)
{
    return equal(BY_CONTENT, a, b, out);
}

ouro_status ouro_key_equal(ouro_value a, ouro_value b, bool *out)
{
    return equal(AS_KEYS, a, b, out);
}

ouro_status ouro_compare(ouro_value a, ouro_value b, int *order)
{
    int found = 0;
    if (!order)
        return OURO_E_INVALID;
    ouro_status status = compare(IN_WHICH_ORDER, a, b, &found);
    *order = status == OURO_OK ? found : 0;
    return status;
}

enum oi_answer oi_key_equal_quick(ouro_value a, ouro_value b)
{
    const struct oi_kind_ops *ops;
    int order;
    if (a == b)
        return OI_EQUAL;
    if (OI_UNLIKELY(oi_id_of(a) == OI_OWN_WEAK_ENTRY)) /* in a weak map */
        return oi_weak_target(oi_word(a)) == oi_word(b) ? OI_EQUAL : OI_DIFFERENT;
    if (oi_kind_of(a) == OURO_KIND_HOST && oi_kind_of(b) == OURO_KIND_HOST) {
        const ouro_host_class *class = oi_host_class(a);
        return class == oi_host_class(b) && class->equal ? OI_ASK : OI_DIFFERENT;
    }
    (void)compare_flat(AS_KEYS, a, b, &order, &ops);
    return ops ? OI_ASK : order ? OI_DIFFERENT : OI_EQUAL;
}
