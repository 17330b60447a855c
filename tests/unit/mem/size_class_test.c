/* SPDX-License-Identifier: MIT
 *
 * Size classes, for every size there is. */
#include "mem/size_class.h"

#include "support/check.h"

/* The class of a size is the smallest one that holds it; it wastes at most an eighth and the step of the small ones. */
static void test_every_size(void)
{
    for (size_t size = 1; size <= OI_CLASS_MAX; size++) {
        unsigned class = oi_class_of(size);
        size_t block = oi_class_size(class);
        if (!CHECK(class < OI_CLASSES) || !CHECK(block >= size))
            return;
        CHECK(class == 0 || oi_class_size(class - 1) < size);
        if (size <= OI_BLOCK_MIN)
            CHECK_EQ(block, OI_BLOCK_MIN);
        else
            CHECK(8 * block < 9 * size + 64); /* < 1.125 size + 8 */
    }
}

/* Larger sizes have no smaller classes; classes are in order, and each is the class of its own size. */
static void test_monotone(void)
{
    for (size_t size = 2; size <= OI_CLASS_MAX; size++)
        CHECK(oi_class_of(size) >= oi_class_of(size - 1));
    for (unsigned class = 0; class < OI_CLASSES; class++) {
        CHECK_EQ(oi_class_of(oi_class_size(class)), class);
        if (class)
            CHECK_LT(oi_class_size(class - 1), oi_class_size(class));
    }
}

static void test_ends(void)
{
    CHECK_EQ(oi_class_size(0), OI_BLOCK_MIN);
    CHECK_EQ(oi_class_size(oi_class_of(OI_EXACT_MAX)), OI_EXACT_MAX);
    CHECK_EQ(oi_class_of(OI_CLASS_MAX), OI_CLASSES - 1);
    CHECK_EQ(oi_class_size(OI_CLASSES - 1), OI_CLASS_MAX);
    for (unsigned class = 0; class < OI_CLASSES; class++)
        CHECK_EQ(oi_class_size(class) % 8, 0);
}

/* A size that is a multiple of an alignment gets a block that is one, too: objects rely on it. */
static void test_alignment(void)
{
    for (size_t align = 8; align <= 64; align *= 2) {
        for (size_t size = align; size <= OI_CLASS_MAX; size += align)
            CHECK_EQ(oi_class_size(oi_class_of(size)) % align, 0);
    }
}

int main(void)
{
    check_start("size_class_test");
    CHECK_RUN(test_every_size);
    CHECK_RUN(test_monotone);
    CHECK_RUN(test_ends);
    CHECK_RUN(test_alignment);
    return check_finish();
}
