/* SPDX-License-Identifier: MIT */
#include "port/perturb.h"

void (*oi_perturb_hook)(void);
