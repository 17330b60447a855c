#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes the Lua module beside the library that has been built, for each Lua, and runs its tests, the common scenarios and the examples.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for lua in lua5.4 lua5.1 luajit; do # names of the commands, and of pkg-config's files
    for tool in gcc make pkg-config swig $lua; do
        command -v "$tool" > "$work/said" || { echo "missing: $tool"; exit 1; }
    done
    echo "---- $lua"
    mkdir "$work/$lua"
    cp -L lib/libouro.so.0 "$work/$lua"
    # -o: the library is there, and is not made anew from sources.
    make -s -f bindings/lua/Makefile -o "$work/$lua/libouro.so.0" BUILD="$work/$lua" CFLAGS="-O1 -fPIC -Werror" LUA=$lua \
        LUA_INCDIR="$(pkg-config --cflags-only-I $lua | sed "s/^-I//; s/ *$//")" test
done
