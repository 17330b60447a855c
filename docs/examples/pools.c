/* SPDX-License-Identifier: MIT
 *
 * Pools: where objects live, and what becomes of their memory. What stands behind an arrow is what the line prints. */
#include <stdio.h>

#include <ouro/ouro.h>

#define COUNT 10000

struct item {
    ouro_object object;
    char bytes[84];
};
static ouro_type item_type = OURO_TYPE(struct item, .name = "item");

static struct item *items[COUNT];

static bool make(void)
{
    for (int i = 0; i < COUNT; i++)
        if (!(items[i] = ouro_new(&item_type)))
            return false;
    return true;
}

static void drop(void)
{
    for (int i = 0; i < COUNT; i++) {
        ouro_release(items[i]);
        items[i] = NULL;
    }
}

static ouro_mem_stats stats(void)
{
    ouro_mem_stats stats;
    ouro_mem_get_stats(&stats, sizeof stats);
    return stats;
}

int main(void)
{
    /* Blocks are of a few sizes; each thread has a pool for each size, with pages of such blocks. */
    if (!make())
        return 1;
    ouro_mem_stats full = stats();
    for (int i = 0; i < OURO_MEM_CLASSES_MAX && full.classes[i].block_size; i++)
        if (full.classes[i].live_objects)
            printf("%zu objects in blocks of %zu bytes\n", full.classes[i].live_objects,
                   full.classes[i].block_size);               /* --> 10000 objects in blocks of 104 bytes */
    printf("of %zu bytes each\n", sizeof(struct item));       /* --> of 100 bytes each */

    /* What dies leaves free blocks; the pages stay, and the next objects get them. */
    drop();
    ouro_mem_stats empty = stats();
    printf("live: %zu\n", empty.live_objects);                /* --> live: 0 */
    printf("committed: %s\n", empty.committed_bytes == full.committed_bytes ? "as before" : "less"); /* --> committed: as before */
    if (!make())
        return 1;
    printf("used again: %s\n", stats().committed_bytes == full.committed_bytes ? "yes" : "no");      /* --> used again: yes */

    /* Trimming gives free pages back to the system. */
    drop();
    size_t back = ouro_mem_trim();
    printf("given back: %s\n", back >= (size_t)COUNT * sizeof(struct item) ? "all of it" : "not all"); /* --> given back: all of it */

    /* A limit: what would go beyond it fails, and the program goes on. */
    if (ouro_mem_set_limit(0, stats().committed_bytes + 256 * 1024) != OURO_OK)
        return 1;
    printf("beyond the limit: %s\n", make() ? "made" : "out of memory"); /* --> beyond the limit: out of memory */
    drop();
    printf("within: %s\n", (items[0] = ouro_new(&item_type)) ? "made" : "out of memory"); /* --> within: made */
    drop();
    return 0;
}
