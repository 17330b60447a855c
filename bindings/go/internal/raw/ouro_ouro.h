/* SPDX-License-Identifier: MIT
 *
 * ouro: shared object graphs in multithreaded C programs. Everything. */
#ifndef OURO_OURO_H
#define OURO_OURO_H

#include "ouro_gc.h"
#include "ouro_memory.h"
#include "ouro_object.h"
#include "ouro_runtime.h"
#include "ouro_slot.h"
#include "ouro_status.h"
#include "ouro_thread.h"
#include "ouro_trace.h"
#include "ouro_value.h"
#include "ouro_version.h"
#include "ouro_weak.h"

#endif
