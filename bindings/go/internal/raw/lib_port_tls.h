/* SPDX-License-Identifier: MIT
 *
 * Thread-local storage of the library's own (hidden) variables: one load finds the offset, no call. */
#pragma once

#include "ouro_inline_port.h"

#define OI_TLS OURO_PRIVATE_TLS
