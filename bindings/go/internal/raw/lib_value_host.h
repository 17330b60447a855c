/* SPDX-License-Identifier: MIT
 *
 * Hosts' objects. */
#pragma once

#include "lib_value_value.h"

/* The class of a value of OURO_KIND_HOST; one without callbacks once its object has been disposed of. */
const ouro_host_class *oi_host_class(ouro_value value);

bool oi_host_init(void);
