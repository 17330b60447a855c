//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_object_hint.h"

uint32_t oi_hint_epoch;
bool oi_hint_loss;
