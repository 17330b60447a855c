//go:build !ouro_shared

/* SPDX-License-Identifier: MIT */
#include "lib_port_perturb.h"

void (*oi_perturb_hook)(void);
