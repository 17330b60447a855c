/* SPDX-License-Identifier: MIT */
#include "messages.h"

#include <pthread.h>
#include <stdlib.h>

#include "callbacks.h"

_Thread_local bool ouro_go_is_calling;
uint32_t ouro_go_has_messages; /* written under the lock */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* innermost: held for a few instructions */
static pthread_cond_t some = PTHREAD_COND_INITIALIZER;
static struct ouro_go_message *first, **end = &first;
static bool has_messenger;

static void *messenger(void *unused)
{
    (void)unused;
    pthread_setname_np(pthread_self(), "ouro-messenger");
    for (;;) {
        pthread_mutex_lock(&lock);
        while (!first)
            pthread_cond_wait(&some, &lock);
        pthread_mutex_unlock(&lock);
        ouroGoMessages();
    }
    return NULL;
}

/* The lock is held. */
static bool find_messenger(void)
{
    pthread_t thread;
    if (!has_messenger && pthread_create(&thread, NULL, messenger, NULL) == 0) {
        pthread_detach(thread);
        has_messenger = true;
    }
    return has_messenger;
}

bool ouro_go_messages_leave(void)
{
    pthread_mutex_lock(&lock);
    bool found = find_messenger();
    pthread_cond_signal(&some);
    pthread_mutex_unlock(&lock);
    return found;
}

/* False: there is no memory, or no thread. */
static bool post(const struct ouro_go_message *message)
{
    struct ouro_go_message *copy = malloc(sizeof *copy);
    if (!copy)
        return false;
    *copy = *message;
    copy->next = NULL;
    pthread_mutex_lock(&lock);
    bool found = ouro_go_is_calling || find_messenger();
    if (found) {
        *end = copy;
        end = &copy->next;
        __atomic_store_n(&ouro_go_has_messages, 1, __ATOMIC_RELAXED);
        if (!ouro_go_is_calling)
            pthread_cond_signal(&some);
    }
    pthread_mutex_unlock(&lock);
    /* Either who posts then finds that nobody is reading, or who has been reading until then finds the message (lookAtMessages). */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (!found)
        free(copy);
    return found;
}

struct ouro_go_message *ouro_go_messages_take(void)
{
    pthread_mutex_lock(&lock);
    struct ouro_go_message *all = first;
    first = NULL;
    end = &first;
    __atomic_store_n(&ouro_go_has_messages, 0, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lock);
    return all;
}

void ouro_go_messages_free(struct ouro_go_message *message)
{
    while (message) {
        struct ouro_go_message *next = message->next;
        free(message);
        message = next;
    }
}

void ouro_go_dispose(uint64_t handle)
{
    if (!post(&(struct ouro_go_message){.kind = OURO_GO_DISPOSE, .id = handle}))
        ouroGoDispose(handle);
}

void ouro_go_dead(uint64_t id)
{
    if (!post(&(struct ouro_go_message){.kind = OURO_GO_DEAD, .id = id}))
        ouroGoDead(id);
}

void ouro_go_collection(const struct ouro_go_message *message)
{
    (void)post(message);
}
