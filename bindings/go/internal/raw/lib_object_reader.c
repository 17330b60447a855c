//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_object_reader.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib_mem_limbo.h"
#include "lib_object_misuse.h"
#include "lib_port_os.h"

uint64_t oi_reader_patience_ns = 1000000000;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* the reader lock: docs/design/lock-order.md */
static LIST_HEAD(, oi_reader) all = LIST_HEAD_INITIALIZER(all); /* under it, as are the next */
static pthread_key_t exit_key; /* its destructor takes a thread off the list */
static bool has_key;
static uint64_t wait_seen;     /* the wait for readers that the last look was about; 0: none */
static uint64_t noted;         /* when that look was */

/* Thread exit. Other destructors may begin sections again; then this runs again. */
static void thread_exits(void *arg)
{
    struct oi_reader *reader = arg;
    oi_act.reader = NULL;
    pthread_mutex_lock(&lock);
    LIST_REMOVE(reader, link);
    pthread_mutex_unlock(&lock);
    free(reader);
}

void oi_reader_enroll(struct oi_act *act)
{
    oi_upcalls.start(); /* or a fork would not know of the lock */
    struct oi_reader *reader = malloc(sizeof *reader);
    pthread_mutex_lock(&lock);
    has_key = has_key || pthread_key_create(&exit_key, thread_exits) == 0;
    if (reader && has_key && pthread_setspecific(exit_key, reader) == 0) {
        *reader = (struct oi_reader){.sections = 1, .tid = oi_os_thread_id()};
        LIST_INSERT_HEAD(&all, reader, link);
        act->reader = reader;
        reader = NULL;
    }
    pthread_mutex_unlock(&lock);
    free(reader);
}

/* The first look at a wait: who is in a section now? */
static void note_sections(void)
{
    struct oi_reader *reader;
    LIST_FOREACH(reader, &all, link) {
        uint32_t sections = oi_load_relaxed(&reader->sections);
        reader->told = reader->told && reader->seen == sections;
        reader->seen = sections;
    }
}

/* One that has been in its section ever since, or NULL; *tid is its thread. */
static struct oi_reader *find_sleeper(void)
{
    struct oi_reader *reader;
    LIST_FOREACH(reader, &all, link) {
        if (!reader->told && reader->seen % 2 && oi_load_relaxed(&reader->sections) == reader->seen)
            return reader;
    }
    return NULL;
}

static void tell(int tid, uint64_t waited)
{
    char name[OI_OS_THREAD_NAME] = "?", message[160];
    oi_os_thread_name(tid, name);
    snprintf(message, sizeof message, "thread %d (%s) has been in one read section for more than %u ms: what has died meanwhile takes memory until it ends", tid,
             name, (unsigned)(waited / 1000000));
    oi_misuse(OURO_MISUSE_LONG_READ, "ouro_read_begin", NULL, message);
}

void oi_reader_look(void)
{
    uint64_t since = oi_limbo_waits_since();
    if (!since)
        return; /* the rule */
    uint64_t now = oi_os_now_ns(), patience = oi_load_relaxed(&oi_reader_patience_ns);
    if (now < since || now - since < patience / 2 || pthread_mutex_trylock(&lock) != 0)
        return; /* another thread is looking */
    int tids[8]; /* more are told of later */
    size_t count = 0;
    if (wait_seen != since) {
        note_sections();
        wait_seen = since;
        noted = now;
    } else if (now - noted >= patience / 2) {
        for (struct oi_reader *reader; count < sizeof tids / sizeof *tids && (reader = find_sleeper()) != NULL;) {
            reader->told = true;
            tids[count++] = reader->tid;
        }
    }
    uint64_t lasted = now - noted;
    pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < count; i++)
        tell(tids[i], lasted);
}

void oi_reader_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void oi_reader_after_fork(bool child)
{
    if (child) { /* the others have vanished; their entries stay allocated, for one may have been on its way */
        LIST_INIT(&all);
        wait_seen = 0;
        if (oi_act.reader) {
            oi_act.reader->tid = oi_os_thread_id();
            LIST_INSERT_HEAD(&all, oi_act.reader, link);
        }
    }
    pthread_mutex_unlock(&lock);
}
