/* SPDX-License-Identifier: MIT
 *
 * How much memory the process has mapped. */
#ifndef TESTS_SUPPORT_ADDRESS_SPACE_H
#define TESTS_SUPPORT_ADDRESS_SPACE_H

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "support/check.h"

struct address_space {
    long all;  /* in pages of the system, as the next */
    long data; /* what can be written: RLIMIT_DATA counts that; and stacks */
};

/* Allocates nothing. */
static inline struct address_space address_space(void)
{
    struct address_space space = {0};
    char text[128] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    REQUIRE(fd >= 0);
    REQUIRE(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    REQUIRE(sscanf(text, "%ld %*d %*d %*d %*d %ld", &space.all, &space.data) == 2);
    return space;
}

#endif
