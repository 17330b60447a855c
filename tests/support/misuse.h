/* SPDX-License-Identifier: MIT
 *
 * A hook that keeps the reports of misuse, for tests to look at. */
#ifndef TESTS_SUPPORT_MISUSE_H
#define TESTS_SUPPORT_MISUSE_H

#include <stdbool.h>
#include <stddef.h>

#include <ouro/runtime.h>

struct misuse_record {
    ouro_misuse_kind kind;
    char call[64];
    char type_name[64];
    const void *object;
    char message[256];
};

/* For ouro_config.misuse; arg is not used. */
void misuse_hook(const ouro_misuse *misuse, void *arg);

/* Whether reports of long read sections count, too; at first they do not. */
void misuse_want_long_reads(bool want);

/* Reports since the last misuse_forget, and the first of them (all zero if there is none). */
size_t misuse_count(void);
struct misuse_record misuse_first(void);
void misuse_forget(void);

/* Exactly one report, of this kind, call, type name and object; then forgets it. NULL for type: any type name. */
#define CHECK_MISUSE(kind, call, type, object) misuse_check((kind), (call), (type), (object), __FILE__, __LINE__)
void misuse_check(ouro_misuse_kind kind, const char *call, const char *type, const void *object, const char *file,
                  int line);

#endif
