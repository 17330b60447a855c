#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Each safeguard of safeguards.txt is still in the library, as it stands there: else ./dev mutate could not take it away.
exec python3 -B tests/mutation/mutate.py --list
