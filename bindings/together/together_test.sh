#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes the modules of Lua and Python, each with a copy of the library beside it, as luarocks and pip install them; then a host that has both, and runs
# it.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=bindings/together

for tool in gcc make pkg-config swig; do
    command -v "$tool" > "$work/said" || { echo "missing: $tool"; exit 1; }
done
lua_flags=$(pkg-config --cflags --libs lua5.4)
python_flags=$(pkg-config --cflags --libs python3-embed)

mkdir "$work/lua"
cp -L lib/libouro.so.0 "$work/lua"
# -o: the library is there, and is not made anew from sources.
make -s -f bindings/lua/Makefile -o "$work/lua/libouro.so.0" BUILD="$work/lua" CFLAGS="-O1 -fPIC" \
    LUA_INCDIR="$(pkg-config --cflags-only-I lua5.4 | sed "s/^-I//; s/ *$//")" all

mkdir -p "$work/python/ouro"
cp -L lib/libouro.so.0 bindings/python/ouro/*.py "$work/python/ouro"
swig -python -builtin -module ouro -Ibindings/swig -outdir "$work" -o "$work/ouro_wrap.c" bindings/swig/ouro.i
# shellcheck disable=SC2086 # several words
gcc -shared -fPIC -O1 -w -std=gnu11 -fno-strict-aliasing -fvisibility=hidden -DSWIG_TYPE_TABLE=ouro -Ibindings/python/src -Ibindings/swig -Ilib/include \
    "$work/ouro_wrap.c" bindings/python/src/*.c $python_flags "$work/python/ouro/libouro.so.0" -Wl,-rpath,"\$ORIGIN" -Wl,-z,nodelete \
    -o "$work/python/ouro/_ouro.so"

# shellcheck disable=SC2086
gcc -O1 -g -std=gnu11 -Wall -Wextra -Werror -Ilib/include $here/host.c $lua_flags $python_flags "$work/lua/libouro.so.0" -Wl,-rpath,"$work/lua" \
    -pthread -o "$work/host"

export LUA_PATH="bindings/lua/?.lua;;" LUA_CPATH="$work/lua/?.so" PYTHONPATH="$work/python" PYTHONDONTWRITEBYTECODE=1
"$work/host" $here/part.lua $here/part.py
