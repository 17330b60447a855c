/* SPDX-License-Identifier: MIT */
#pragma once

/* At shutdown. What has been exported and not imported stays: it is among the leaks. */
void oi_token_close(void);
