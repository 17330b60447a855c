/* SPDX-License-Identifier: MIT
 *
 * The same from C++, with a thread. */
#include <ouro/ouro.h>

#include <cstdio>
#include <cstring>
#include <thread>

namespace {

struct node {
    ouro_object object;
    ouro_slot next;
    long key;
};

ouro_type node_type = OURO_TYPE(node, .name = "node", .slots = OURO_SLOTS(node, next));

} // namespace

int main(int argc, char **argv)
{
    if (argc > 1 && std::strcmp(argv[1], ouro_version()) != 0) {
        std::fprintf(stderr, "version %s, not %s\n", ouro_version(), argv[1]);
        return 1;
    }
    node *a = static_cast<node *>(ouro_new(&node_type));
    node *b = static_cast<node *>(ouro_new(&node_type));
    if (!a || !b)
        return 2;
    b->key = 7;
    ouro_give(a, &a->next, b);
    ouro_share(a);
    long seen = 0;
    std::thread([&] {
        ouro_read_begin();
        seen = static_cast<node *>(ouro_peek(&a->next))->key;
        ouro_read_end();
    }).join();
    ouro_release(a);
    if (seen != 7)
        return 3;
    return ouro_shutdown(nullptr) == OURO_OK ? 0 : 4;
}
