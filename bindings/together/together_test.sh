#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A program in C, with Lua and Python in it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. bindings/together/modules.sh

here=bindings/together
# shellcheck disable=SC2046 # several words
gcc -O1 -g -std=gnu11 -Wall -Wextra -Werror $here/host.c $(pkg-config --cflags --libs ouro lua5.4 python3-embed) -pthread -o "$work/host"
"$work/host" $here/part.lua $here/part.py
