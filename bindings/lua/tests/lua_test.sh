#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes the Lua module beside the library that has been built, and runs its tests and the common scenarios.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for tool in gcc make pkg-config swig lua5.4; do
    command -v "$tool" > "$work/said" || { echo "missing: $tool"; exit 1; }
done
cp -L lib/libouro.so.0 "$work"
# -o: the library is there, and is not made anew from sources.
make -s -f bindings/lua/Makefile -o "$work/libouro.so.0" BUILD="$work" CFLAGS="-O1 -fPIC -Werror" LUA=lua5.4 \
    LUA_INCDIR="$(pkg-config --cflags-only-I lua5.4 | sed "s/^-I//; s/ *$//")" test
