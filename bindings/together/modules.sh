# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# For tests that include it: makes the modules of Lua and Python, each with a copy of the library beside it, as luarocks and pip install them; and
# has interpreters and pkg-config find them. $work is a new directory.
for tool in gcc make pkg-config swig; do
    command -v "$tool" > "$work/said" || { echo "missing: $tool"; exit 1; }
done

mkdir "$work/lua"
cp -L lib/libouro.so.0 "$work/lua"
# -o: the library is there, and is not made anew from sources.
make -s -f bindings/lua/Makefile -o "$work/lua/libouro.so.0" BUILD="$work/lua" CFLAGS="-O1 -fPIC" \
    LUA_INCDIR="$(pkg-config --cflags-only-I lua5.4 | sed "s/^-I//; s/ *$//")" all

mkdir -p "$work/python/ouro"
cp -L lib/libouro.so.0 bindings/python/ouro/*.py "$work/python/ouro"
swig -python -builtin -module ouro -Ibindings/swig -outdir "$work" -o "$work/ouro_wrap.c" bindings/swig/ouro.i
# shellcheck disable=SC2046 # several words
gcc -shared -fPIC -O1 -w -std=gnu11 -fno-strict-aliasing -fvisibility=hidden -DSWIG_TYPE_TABLE=ouro -Ibindings/python/src -Ibindings/swig -Ilib/include \
    "$work/ouro_wrap.c" bindings/python/src/*.c $(pkg-config --cflags --libs python3-embed) "$work/python/ouro/libouro.so.0" \
    -Wl,-rpath,"\$ORIGIN" -Wl,-z,nodelete -o "$work/python/ouro/_ouro.so"

# The host itself links a third copy, by pkg-config.
mkdir "$work/lib"
cp -L lib/libouro.so.0 "$work/lib"
ln -s libouro.so.0 "$work/lib/libouro.so"
cat > "$work/ouro.pc" << END
Name: ouro
Description: as it would be installed
Version: 0
Libs: -L$work/lib -louro -Wl,-rpath,$work/lib
Cflags: -I$PWD/lib/include
END

PKG_CONFIG_PATH=$work
LUA_PATH="$PWD/bindings/lua/?.lua;;" LUA_CPATH="$work/lua/?.so"
PYTHONPATH="$work/python" PYTHONDONTWRITEBYTECODE=1
export PKG_CONFIG_PATH LUA_PATH LUA_CPATH PYTHONPATH PYTHONDONTWRITEBYTECODE
