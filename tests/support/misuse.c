/* SPDX-License-Identifier: MIT */
#include "support/misuse.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "support/check.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static size_t reports;
static struct misuse_record first;
static atomic_bool long_reads;

void misuse_hook(const ouro_misuse *misuse, void *arg)
{
    (void)arg;
    CHECK(misuse->size >= sizeof *misuse);
    CHECK(misuse->call && misuse->type_name && misuse->message);
    if (misuse->kind == OURO_MISUSE_LONG_READ && !long_reads)
        return; /* a slow machine is no mistake of the test's */
    pthread_mutex_lock(&mutex);
    if (reports++ == 0) {
        first.kind = misuse->kind;
        first.object = misuse->object;
        snprintf(first.call, sizeof first.call, "%s", misuse->call);
        snprintf(first.type_name, sizeof first.type_name, "%s", misuse->type_name);
        snprintf(first.message, sizeof first.message, "%s", misuse->message);
    }
    pthread_mutex_unlock(&mutex);
}

void misuse_want_long_reads(bool want)
{
    long_reads = want;
}

size_t misuse_count(void)
{
    pthread_mutex_lock(&mutex);
    size_t count = reports;
    pthread_mutex_unlock(&mutex);
    return count;
}

struct misuse_record misuse_first(void)
{
    pthread_mutex_lock(&mutex);
    struct misuse_record record = first;
    pthread_mutex_unlock(&mutex);
    return record;
}

void misuse_forget(void)
{
    pthread_mutex_lock(&mutex);
    reports = 0;
    first = (struct misuse_record){0};
    pthread_mutex_unlock(&mutex);
}

void misuse_check(ouro_misuse_kind kind, const char *call, const char *type, const void *object, const char *file,
                  int line)
{
    struct misuse_record record = misuse_first();
    if (check_int((intmax_t)misuse_count(), "==", 1, file, line, "reports of misuse", "1")) {
        check_int(record.kind, "==", kind, file, line, "kind of misuse", "expected");
        check_string(record.call, call, file, line, "call", "expected");
        if (type)
            check_string(record.type_name, type, file, line, "type name", "expected");
        check_pointer(record.object, object, file, line, "object", "expected");
        check_that(record.message[0] != 0, file, line, "a message is given");
    }
    misuse_forget();
}
