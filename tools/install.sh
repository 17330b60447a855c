#!/bin/sh
# SPDX-License-Identifier: MIT
#
# install.sh SOURCES BUILT PREFIX [PROGRAM...]: installs the library, and programs. SOURCES is lib/ of the source tree, BUILT
# the folder with libouro.so.0 and libouro.a. With DESTDIR in the environment the files go below it, though PREFIX is what
# they name.
set -eu
umask 022

sources=$1 built=$2 prefix=$3
into=${DESTDIR:-}$prefix
shift 3
version=$(sed -n 's/^#define OURO_VERSION_STRING "\(.*\)"$/\1/p' "$sources/include/ouro/version.h")

fill() { # TEMPLATE: on standard output, with its @WORDS@ replaced
    sed -e "s|@PREFIX@|$prefix|" -e "s|@VERSION@|$version|" "$1"
}

put() { # MODE FILE TARGET: by way of a new file, so that running programs keep the one that they have
    cp -L "$2" "$3.new"
    chmod "$1" "$3.new"
    mv -f "$3.new" "$3"
}

mkdir -p "$into/lib/pkgconfig" "$into/lib/cmake/ouro"
(cd "$sources/include" && find ouro -name '*.h') | while read -r header; do
    mkdir -p "$into/include/${header%/*}"
    put 644 "$sources/include/$header" "$into/include/$header"
done
put 755 "$built/libouro.so.0" "$into/lib/libouro.so.0"
ln -sf libouro.so.0 "$into/lib/libouro.so"
put 644 "$built/libouro.a" "$into/lib/libouro.a"
for program; do
    mkdir -p "$into/bin"
    put 755 "$program" "$into/bin/${program##*/}"
done
fill "$sources/ouro.pc.in" > "$into/lib/pkgconfig/ouro.pc"
put 644 "$sources/cmake/ouroConfig.cmake" "$into/lib/cmake/ouro/ouroConfig.cmake"
fill "$sources/cmake/ouroConfigVersion.cmake.in" > "$into/lib/cmake/ouro/ouroConfigVersion.cmake"
