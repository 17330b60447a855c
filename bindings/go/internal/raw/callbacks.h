/* SPDX-License-Identifier: MIT
 *
 * What C calls in Go (callbacks.go), and what it is called for. */
#ifndef OURO_GO_CALLBACKS_H
#define OURO_GO_CALLBACKS_H

#include "library.h"

extern void ouroGoDispose(uint64_t handle);
extern int64_t ouroGoRepr(uint64_t handle, char *buffer, size_t room);
extern uint64_t ouroGoNext(uint64_t handle);
extern void ouroGoDead(uint64_t handle);
extern void ouroGoMessages(void);

/* An iterator over what a Go function gives; the handle is its own from then on, if there is no error. */
ouro_status ouro_go_generate(uint64_t handle, ouro_value *iterator);

/* A weak reference that tells Go when its target has died. */
ouro_status ouro_go_watch(ouro_value target, uint64_t handle, ouro_value *weak);

/* A callback at collections; its number, or a negative status. */
int ouro_go_watch_collections(uint64_t id);

#endif
