//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_base_base.h"

#include <stdio.h>
#include <stdlib.h>

#include "ouro_status.h"

void oi_assert_failed(const char *expression, const char *file, int line)
{
    fprintf(stderr, "ouro: internal check failed: %s (%s:%d)\n", expression, file, line);
    abort();
}

const char *ouro_status_name(ouro_status status)
{
    switch (status) {
#define NAME(name, number, message) \
    case name:                      \
        return #name;
        OURO_STATUS_LIST(NAME)
#undef NAME
    }
    return "OURO_E_UNKNOWN";
}

const char *ouro_status_message(ouro_status status)
{
    switch (status) {
#define MESSAGE(name, number, message) \
    case name:                         \
        return message;
        OURO_STATUS_LIST(MESSAGE)
#undef MESSAGE
    }
    return "unknown status";
}
