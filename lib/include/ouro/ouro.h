/* SPDX-License-Identifier: MIT
 *
 * ouro: shared object graphs in multithreaded C programs. Everything. */
#ifndef OURO_OURO_H
#define OURO_OURO_H

#include <ouro/gc.h>
#include <ouro/memory.h>
#include <ouro/object.h>
#include <ouro/runtime.h>
#include <ouro/slot.h>
#include <ouro/status.h>
#include <ouro/thread.h>
#include <ouro/trace.h>
#include <ouro/value.h>
#include <ouro/version.h>
#include <ouro/weak.h>

#endif
