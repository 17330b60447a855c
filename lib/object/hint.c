/* SPDX-License-Identifier: MIT */
#include "object/hint.h"

uint32_t oi_hint_epoch;
bool oi_hint_loss;
