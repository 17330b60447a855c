/* SPDX-License-Identifier: MIT
 *
 * What the library tells Go: that a Go value is needed no more, that an object has died, that there is a collection.
 *
 * Nobody calls Go for that: he would wait until Go's scheduler has a turn for him, behind all goroutines that want to run, and a collection with
 * him. He leaves a message. Goroutines look for messages at the end of their calls; those of the library's own threads are brought to Go by a
 * thread that does nothing else, for there may be no call for long. */
#ifndef OURO_GO_MESSAGES_H
#define OURO_GO_MESSAGES_H

#include "library.h"

enum ouro_go_message_kind { OURO_GO_DISPOSE, OURO_GO_DEAD, OURO_GO_COLLECTION };

struct ouro_go_message {
    struct ouro_go_message *next; /* later */
    enum ouro_go_message_kind kind;
    uint64_t id;
    int phase, generation, reason; /* of a collection; as are these: */
    uint64_t candidates, found, freed, duration_ns;
};

/* Whether the thread is in a call from Go, at whose end somebody looks for messages. */
extern _Thread_local bool ouro_go_is_calling;

/* Whether there are any. Atomic. */
extern uint32_t ouro_go_has_messages;

/* Leaves those that there are to the thread that does nothing else. False: there is none to be had. */
bool ouro_go_messages_leave(void);

void ouro_go_dispose(uint64_t handle);
void ouro_go_dead(uint64_t id);
void ouro_go_collection(const struct ouro_go_message *message);

/* All messages there are, the first first; the caller's from then on. */
struct ouro_go_message *ouro_go_messages_take(void);
void ouro_go_messages_free(struct ouro_go_message *first);

#endif
