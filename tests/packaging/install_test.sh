#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What is installed can be used: from the command line with pkg-config, shared and static, from C and from C++, and with
# CMake. And it can be moved below DESTDIR.
set -u
. tests/packaging/common.sh
here=$PWD/$here
prefix=$work/prefix

for tool in gcc g++ pkg-config cmake readelf; do
    check "$tool is installed" command -v "$tool"
done
[ "$failed" = 0 ] || { finish; exit 1; }

check "installs" tools/install.sh lib "$built" "$prefix" "$stress"
for file in include/ouro/ouro.h include/ouro/inline/count.h lib/libouro.so.0 lib/libouro.so lib/libouro.a \
    bin/ouro-stress lib/pkgconfig/ouro.pc lib/cmake/ouro/ouroConfig.cmake lib/cmake/ouro/ouroConfigVersion.cmake; do
    check "$file is there" test -s "$prefix/$file"
done
check "no word is left unreplaced" sh -c '! grep -r "@[A-Z]*@" "$1/lib/pkgconfig" "$1/lib/cmake"' - "$prefix"

# pkg-config
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
version=$(pkg-config --modversion ouro)
check "pkg-config knows it" pkg-config --exists ouro
cflags=$(pkg-config --cflags ouro) libs=$(pkg-config --libs ouro) static=$(pkg-config --static --libs ouro)
c="gcc -std=c11 -Wall -Wextra -Werror" cxx="g++ -std=c++17 -Wall -Wextra -Werror"
# shellcheck disable=SC2086
{
    check "C, shared" $c $cflags "$here/user.c" -o "$work/c_shared" $libs
    check "C, static" $c -static $cflags "$here/user.c" -o "$work/c_static" $static
    check "C++, shared" $cxx $cflags "$here/user.cpp" -o "$work/cxx_shared" $libs
    check "C++, static" $cxx -static $cflags "$here/user.cpp" -o "$work/cxx_static" $static
}
for program in c_static cxx_static; do
    check "$program runs" "$work/$program" "$version"
done
for program in c_shared cxx_shared; do
    check "$program runs" env LD_LIBRARY_PATH="$prefix/lib" "$work/$program" "$version"
    check "$program needs the shared library" sh -c 'readelf -d "$1" | grep "NEEDED.*libouro.so.0"' - "$work/$program"
done

# ouro-stress: as installed, and built like any program of a user's against what is installed
check "ouro-stress runs" "$prefix/bin/ouro-stress" --threads 2 --ops 20000 --quiet
# shellcheck disable=SC2086
check "ouro-stress, shared" gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -O1 $cflags -Itests -Ibenchmarks tests/torture/*.c \
    tests/support/check.c tests/support/fork_gate.c tests/support/hang.c tests/support/perturb.c tests/support/threads.c benchmarks/histogram.c \
    -o "$work/stress_shared" $libs -pthread -lm
check "ouro-stress runs on the shared library" env LD_LIBRARY_PATH="$prefix/lib" "$work/stress_shared" --threads 2 --ops 20000 --quiet

# CMake
check "CMake finds it" cmake -S "$here" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DWANTED="$version"
check "CMake builds with it" cmake --build "$work/cmake"
for program in c_shared c_static cxx_shared cxx_static; do
    check "$program (CMake) runs" "$work/cmake/$program" "$version"
done
check "CMake refuses another series" sh -c \
    '! cmake -S "$1" -B "$2/cmake_other" -DCMAKE_PREFIX_PATH="$3" -DWANTED=9.0' - "$here" "$work" "$prefix"

# A package is built below DESTDIR and names where it will be.
check "installs below DESTDIR" env DESTDIR="$work/stage" tools/install.sh lib "$built" /usr
check "is there" test -s "$work/stage/usr/lib/libouro.so.0"
check "names its final place" grep -x 'prefix=/usr' "$work/stage/usr/lib/pkgconfig/ouro.pc"
finish
