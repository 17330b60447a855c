/* SPDX-License-Identifier: MIT
 *
 * How much address space the process has. */
#ifndef TESTS_SUPPORT_ADDRESS_SPACE_H
#define TESTS_SUPPORT_ADDRESS_SPACE_H

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "support/check.h"

/* In pages of the system. Allocates nothing. */
static inline long address_space(void)
{
    char text[64] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    REQUIRE(fd >= 0);
    REQUIRE(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    long pages = 0;
    REQUIRE(sscanf(text, "%ld", &pages) == 1);
    return pages;
}

#endif
