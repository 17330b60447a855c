/* SPDX-License-Identifier: MIT */
#include <dlfcn.h>
#include <string.h>

#include "peer.h"

void *(*peer_system_malloc)(size_t size) = malloc;
void (*peer_system_free)(void *block) = free;

int peer_find_system(void)
{
    /* Asked for by handle, a symbol is that library's own, whatever stands before it in the search order. */
    void *library = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
    void *make = library ? dlsym(library, "malloc") : NULL;
    void *drop = library ? dlsym(library, "free") : NULL;
    if (!make || !drop)
        return 0;
    /* Object and function pointers are alike where there is a dlsym; C has no cast that says so. */
    memcpy(&peer_system_malloc, &make, sizeof make);
    memcpy(&peer_system_free, &drop, sizeof drop);
    return 1;
}
