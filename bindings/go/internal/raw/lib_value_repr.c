//go:build !ouro_shared

/* SPDX-License-Identifier: MIT
 *
 * Values as text, with a list of frames for the containers that are open. */
#include "lib_value_contents.h"
#include "lib_value_host.h"
#include "lib_value_number.h"
#include "lib_value_record.h"
#include "lib_value_worklist.h"
#include "lib_value_writer.h"

struct frame {
    ouro_value container; /* held by what it was found in, or the caller */
    const struct oi_kind_ops *ops;
    struct oi_snapshot contents;
    size_t at;
};

struct walk {
    struct oi_writer writer;
    OI_PILE(struct frame, 8) frames;
    struct oi_address_map open; /* container -> 1 while it is in a frame */
};

static void write_name(struct oi_writer *writer, ouro_value value)
{
    oi_write_text(writer, "<");
    oi_write_text(writer, ouro_value_type_name(value));
    oi_write_text(writer, ">");
}

static void write_host(struct oi_writer *writer, ouro_value value)
{
    const ouro_host_class *class = oi_host_class(value);
    size_t room = 64, size = 0;
    if (!class->repr) {
        write_name(writer, value);
        return;
    }
    for (;;) {
        char *at = oi_writer_room(writer, room);
        if (!at)
            return;
        ouro_status status = class->repr(ouro_host_handle(value), at, room, &size);
        if (status != OURO_OK) {
            writer->status = status;
            return;
        }
        if (size <= room)
            break;
        room = size;
    }
    writer->size += size;
}

static void write_flat(struct oi_writer *writer, ouro_value value)
{
    switch (oi_kind_of(value)) {
    case OURO_KIND_NIL:
        oi_write_text(writer, "nil");
        break;
    case OURO_KIND_BOOL:
        oi_write_text(writer, value == OURO_TRUE ? "true" : "false");
        break;
    case OURO_KIND_INT:
        oi_write_int(writer, ouro_int_value(value));
        break;
    case OURO_KIND_FLOAT:
        oi_write_float(writer, oi_float_number(value));
        break;
    case OURO_KIND_STRING:
        oi_write_string(writer, oi_string_bytes(oi_string_of(value)), oi_string_size(oi_string_of(value)));
        break;
    case OURO_KIND_BYTES:
        oi_write_bytes(writer, oi_bytes_of(value)->bytes, oi_bytes_of(value)->array.length);
        break;
    case OURO_KIND_HOST:
        write_host(writer, value);
        break;
    default:
        write_name(writer, value);
    }
}

static ouro_value field_of(ouro_value record, size_t at)
{
    return oi_shape_fields(oi_record_shape(oi_record_of(record)))->items[at];
}

static void write_plain(struct oi_writer *writer, ouro_value string)
{
    oi_write(writer, oi_string_bytes(oi_string_of(string)), oi_string_size(oi_string_of(string)));
}

static ouro_status open_frame(struct walk *walk, ouro_value container, const struct oi_kind_ops *ops)
{
    uintptr_t *is_open = oi_address_map_at(&walk->open, oi_word(container));
    if (!is_open)
        return OURO_E_NOMEM;
    if (*is_open) {
        oi_write_text(&walk->writer, "...");
        return OURO_OK;
    }
    if (!oi_pile_grow(walk->frames))
        return OURO_E_NOMEM;
    struct frame *frame = &walk->frames.at[walk->frames.count];
    *frame = (struct frame){.container = container, .ops = ops};
    ouro_status status = ops->snapshot(container, &frame->contents);
    if (status != OURO_OK)
        return status;
    walk->frames.count++;
    *is_open = 1;
    if (oi_kind_of(container) == OURO_KIND_RECORD)
        write_plain(&walk->writer, oi_shape_name(oi_record_shape(oi_record_of(container))));
    oi_write_text(&walk->writer, !frame->contents.count && ops->empty ? ops->empty : ops->opening);
    return OURO_OK;
}

static void close_frame(struct walk *walk)
{
    struct frame *frame = &walk->frames.at[--walk->frames.count];
    if (frame->contents.count == 1 && oi_kind_of(frame->container) == OURO_KIND_TUPLE)
        oi_write_text(&walk->writer, ",");
    if (frame->contents.count || !frame->ops->empty)
        oi_write_text(&walk->writer, frame->ops->closing);
    *oi_address_map_at(&walk->open, oi_word(frame->container)) = 0;
    oi_snapshot_drop(&frame->contents);
}

static ouro_status write_value(struct walk *walk, ouro_value value)
{
    const struct oi_kind_ops *ops = oi_kind_ops[oi_kind_of(value)];
    bool unfinished = oi_kind_of(value) == OURO_KIND_RECORD && !oi_record_shape(oi_record_of(value));
    if (ops && ops->opening && !unfinished)
        return open_frame(walk, value, ops);
    write_flat(&walk->writer, value);
    return OURO_OK;
}

/* What comes before an element. */
static void write_before(struct oi_writer *writer, const struct frame *frame)
{
    if (frame->ops->pairs && frame->at % 2)
        oi_write_text(writer, ": ");
    else if (frame->at)
        oi_write_text(writer, ", ");
    if (oi_kind_of(frame->container) == OURO_KIND_RECORD) {
        write_plain(writer, field_of(frame->container, frame->at));
        oi_write_text(writer, "=");
    }
}

static ouro_status step(struct walk *walk)
{
    struct frame *frame = &walk->frames.at[walk->frames.count - 1];
    if (frame->at == frame->contents.count) {
        close_frame(walk);
        return OURO_OK;
    }
    write_before(&walk->writer, frame);
    return write_value(walk, frame->contents.items[frame->at++]);
}

ouro_status ouro_repr(ouro_value value, ouro_value *string)
{
    struct walk walk;
    if (!string)
        return OURO_E_INVALID;
    *string = OURO_NIL;
    oi_writer_init(&walk.writer);
    oi_pile_init(walk.frames);
    oi_address_map_init(&walk.open);
    ouro_status status = write_value(&walk, value);
    while (status == OURO_OK && walk.writer.status == OURO_OK && walk.frames.count)
        status = step(&walk);
    while (walk.frames.count)
        oi_snapshot_drop(&walk.frames.at[--walk.frames.count].contents);
    if (status == OURO_OK)
        status = walk.writer.status;
    if (status == OURO_OK)
        status = ouro_string_new(walk.writer.at, walk.writer.size, string);
    oi_address_map_end(&walk.open);
    oi_pile_end(walk.frames);
    oi_writer_end(&walk.writer);
    return status;
}
