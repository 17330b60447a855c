/* SPDX-License-Identifier: MIT */
#include "node.h"

ouro_type node_type = OURO_TYPE(node, .name = "node", .slots = OURO_SLOTS(node, left, right));
ouro_type node_acyclic_type =
    OURO_TYPE(node, .name = "acyclic node", .slots = OURO_SLOTS(node, left, right), .flags = OURO_TYPE_ACYCLIC);
