/* SPDX-License-Identifier: MIT
 *
 * Operations on any value, hosts' objects, weak references, and the collector. */
#include "scenarios/player.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "support/check.h"
#include "support/threads.h"

/* ---- Arguments and results ---- */

ouro_status as_number(ouro_value arg, ptrdiff_t *number)
{
    *number = arg == OMITTED ? OURO_OMITTED : (ptrdiff_t)ouro_int_value(arg);
    return arg == OMITTED || ouro_is_int(arg) ? OURO_OK : OURO_E_TYPE;
}

ouro_status give_bool(struct call *call, ouro_status status, bool result)
{
    call->result = status == OURO_OK ? ouro_bool_new(result) : OURO_NIL;
    return status;
}

ouro_status give_number(struct call *call, ouro_status status, size_t result)
{
    call->result = status == OURO_OK ? ouro_int_new((int64_t)result) : OURO_NIL;
    return status;
}

size_t every_second(const struct call *call, size_t first, ouro_value *out)
{
    size_t count = 0;
    for (size_t i = first; i < call->count; i += 2)
        out[count++] = call->args[i];
    return count;
}

/* ---- Hosts' objects: the handle is a name, made by malloc ---- */

static atomic_long held;

long hosts_held(void)
{
    return atomic_load(&held);
}

static void host_dispose(uint64_t handle)
{
    free((char *)(uintptr_t)handle);
    atomic_fetch_sub(&held, 1);
}

static ouro_status host_repr(uint64_t handle, char *buffer, size_t room, size_t *size)
{
    const char *name = (const char *)(uintptr_t)handle;
    *size = strlen(name);
    memcpy(buffer, name, *size < room ? *size : room);
    return OURO_OK;
}

static const ouro_host_class host_class = {.size = sizeof host_class, .name = "thing", .dispose = host_dispose, .repr = host_repr};

static ouro_status host(struct call *call)
{
    size_t size;
    const char *name = ouro_string_data(call->args[0], &size);
    if (!name)
        return OURO_E_TYPE;
    char *shown = calloc(1, size + 3);
    REQUIRE(shown);
    shown[0] = '<';
    memcpy(shown + 1, name, size);
    shown[size + 1] = '>';
    ouro_status status = ouro_host_new(&host_class, (uint64_t)(uintptr_t)shown, 0, &call->result);
    if (status == OURO_OK)
        atomic_fetch_add(&held, 1);
    else
        free(shown);
    return status;
}

static ouro_status held_count(struct call *call)
{
    return give_number(call, OURO_OK, (size_t)hosts_held());
}

/* ---- Weak references, and the log of those that have died ---- */

#define LOG_MAX 64

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char *log_texts[LOG_MAX]; /* by log_lock, as the next */
static size_t log_count;

static void log_text(ouro_weak *dead, void *text)
{
    CHECK_PTR(ouro_weak_get(dead), NULL);
    pthread_mutex_lock(&log_lock);
    REQUIRE(log_count < LOG_MAX);
    log_texts[log_count++] = text;
    pthread_mutex_unlock(&log_lock);
}

static ouro_status log_take(struct call *call)
{
    ouro_value texts[LOG_MAX];
    ouro_status status = OURO_OK;
    pthread_mutex_lock(&log_lock);
    for (size_t i = 0; i < log_count; i++)
        REQUIRE(ouro_string_from(log_texts[i], &texts[i]) == OURO_OK);
    status = ouro_tuple_new(texts, log_count, &call->result);
    ouro_value_release_all(texts, log_count);
    log_count = 0;
    pthread_mutex_unlock(&log_lock);
    return status;
}

/* The texts of all watches of a scenario: one may die before what it watches, and then nobody is told. */
static char *kept_texts[LOG_MAX];
static size_t kept_count;

void log_end(void)
{
    log_count = 0;
    while (kept_count)
        free(kept_texts[--kept_count]);
}

static char *keep(const char *text)
{
    REQUIRE(kept_count < LOG_MAX);
    char *kept = strdup(text);
    REQUIRE(kept);
    return kept_texts[kept_count++] = kept;
}

static ouro_status weak_new(struct call *call, ouro_weak_callback callback, void *arg)
{
    if (!ouro_is_object(call->args[0]))
        return OURO_E_TYPE;
    call->result = ouro_value_of(ouro_weak_new(ouro_value_object(call->args[0]), callback, arg));
    return ouro_is_nil(call->result) ? OURO_E_NOMEM : OURO_OK;
}

static ouro_status weak(struct call *call)
{
    return weak_new(call, NULL, NULL);
}

static ouro_status watch(struct call *call)
{
    const char *text = ouro_string_data(call->args[1], NULL);
    return text ? weak_new(call, log_text, keep(text)) : OURO_E_TYPE;
}

static ouro_status deref(struct call *call)
{
    if (ouro_kind_of(call->args[0]) != OURO_KIND_WEAK)
        return OURO_E_TYPE;
    call->result = ouro_value_of(ouro_weak_get(ouro_value_object(call->args[0])));
    return OURO_OK;
}

/* ---- Any value ---- */

static ouro_status value(struct call *call)
{
    call->result = ouro_value_retain(call->args[0]);
    return OURO_OK;
}

static ouro_status kind(struct call *call)
{
    return ouro_string_from(ouro_kind_name(ouro_kind_of(call->args[0])), &call->result);
}

static ouro_status length(struct call *call)
{
    size_t number;
    ouro_status status = ouro_length(call->args[0], &number);
    return give_number(call, status, number);
}

static ouro_status truth(struct call *call)
{
    return give_bool(call, OURO_OK, ouro_truth(call->args[0]));
}

static ouro_status repr(struct call *call)
{
    return ouro_repr(call->args[0], &call->result);
}

static ouro_status same(struct call *call)
{
    return give_bool(call, OURO_OK, ouro_same(call->args[0], call->args[1]));
}

static ouro_status equal(struct call *call)
{
    bool is;
    ouro_status status = ouro_equal(call->args[0], call->args[1], &is);
    return give_bool(call, status, is);
}

static ouro_status key_equal(struct call *call)
{
    bool is;
    ouro_status status = ouro_key_equal(call->args[0], call->args[1], &is);
    return give_bool(call, status, is);
}

static ouro_status same_hash(struct call *call)
{
    uint64_t a, b;
    ouro_status status = ouro_hash(call->args[0], &a);
    if (status == OURO_OK)
        status = ouro_hash(call->args[1], &b);
    return status == OURO_OK ? give_bool(call, status, a == b) : status;
}

static ouro_status compare(struct call *call)
{
    int order;
    ouro_status status = ouro_compare(call->args[0], call->args[1], &order);
    if (status == OURO_OK && order != OURO_UNORDERED)
        call->result = ouro_int_new((order > 0) - (order < 0));
    return status;
}

static ouro_status copy(struct call *call)
{
    return ouro_copy(call->args[0], &call->result);
}

static ouro_status deep_copy(struct call *call)
{
    return ouro_copy_deep(call->args[0], &call->result);
}

static ouro_status intern(struct call *call)
{
    return ouro_intern(call->args[0], &call->result);
}

/* ---- The collector, and memory ---- */

static ouro_status collect(struct call *call)
{
    ptrdiff_t generation;
    ouro_status status = as_number(call->args[0], &generation);
    if (status != OURO_OK)
        return status;
    long found = ouro_gc_collect((int)generation);
    return found < 0 ? (ouro_status)found : give_number(call, OURO_OK, (size_t)found);
}

static uint64_t collections_asked_for(void)
{
    ouro_gc_stats stats;
    ouro_gc_get_stats(&stats, sizeof stats);
    return stats.generation[1].reasons[OURO_GC_REASON_ASKED];
}

static bool has_collected(void *before)
{
    return collections_asked_for() > *(uint64_t *)before;
}

/* What the collector's own thread was at is over. */
static ouro_status await_collector(void)
{
    uint64_t before = collections_asked_for();
    ouro_status status = ouro_gc_collect_async(1);
    return status != OURO_OK || wait_until(has_collected, &before) ? status : OURO_E_SYSTEM;
}

static ouro_status gc(struct call *call)
{
    if (!ouro_is_bool(call->args[0]))
        return OURO_E_TYPE;
    if (ouro_bool_value(call->args[0])) {
        ouro_gc_enable();
        return OURO_OK;
    }
    ouro_gc_disable();
    return await_collector(); /* from then on it is the scenario's collections that find what there is */
}

static ouro_status gc_enabled(struct call *call)
{
    return give_bool(call, OURO_OK, ouro_gc_is_enabled());
}

static ouro_status set_threshold(struct call *call)
{
    size_t numbers[3];
    for (int i = 0; i < 3; i++) {
        if (!ouro_is_int(call->args[i]))
            return OURO_E_TYPE;
        numbers[i] = (size_t)ouro_int_value(call->args[i]);
    }
    return ouro_gc_set_threshold(numbers);
}

static ouro_status threshold(struct call *call)
{
    size_t numbers[3];
    ouro_value values[3];
    ouro_gc_get_threshold(numbers);
    for (int i = 0; i < 3; i++)
        values[i] = ouro_int_new((int64_t)numbers[i]);
    return ouro_tuple_new(values, 3, &call->result);
}

static ouro_status freeze(struct call *call)
{
    (void)call;
    ouro_gc_freeze();
    return OURO_OK;
}

static ouro_status unfreeze(struct call *call)
{
    (void)call;
    ouro_gc_unfreeze();
    return OURO_OK;
}

static ouro_status limit(struct call *call)
{
    return ouro_is_int(call->args[0]) ? ouro_mem_set_limit(0, (size_t)ouro_int_value(call->args[0])) : OURO_E_TYPE;
}

const struct operation operations[] = {
    {"host", 1, 1, host},           {"held", 0, 0, held_count},
    {"weak", 1, 1, weak},           {"watch", 2, 2, watch},
    {"deref", 1, 1, deref},         {"log", 0, 0, log_take},
    {"value", 1, 1, value},         {"kind", 1, 1, kind},
    {"length", 1, 1, length},       {"truth", 1, 1, truth},
    {"repr", 1, 1, repr},           {"same", 2, 2, same},
    {"equal", 2, 2, equal},         {"key_equal", 2, 2, key_equal},
    {"same_hash", 2, 2, same_hash}, {"compare", 2, 2, compare},
    {"copy", 1, 1, copy},           {"deep_copy", 1, 1, deep_copy},
    {"intern", 1, 1, intern},       {"collect", 1, 1, collect},
    {"gc", 1, 1, gc},               {"gc_enabled", 0, 0, gc_enabled},
    {"threshold", 0, 0, threshold}, {"set_threshold", 3, 3, set_threshold},
    {"freeze", 0, 0, freeze},       {"unfreeze", 0, 0, unfreeze},
    {"limit", 1, 1, limit},         {0},
};
