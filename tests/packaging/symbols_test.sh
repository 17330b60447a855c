#!/bin/sh
# SPDX-License-Identifier: MIT
#
# What the built library shows to the outside: names, dependencies, and twins of the inline functions.
set -u
. tests/packaging/common.sh

so=$built/libouro.so.0 archive=$built/libouro.a
readelf -d "$so" > "$work/dynamic"
nm -D -g --defined-only "$so" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | sort -u > "$work/exported"
nm --defined-only -g "$archive" | awk 'NF == 3 {print $3}' | sort -u > "$work/global"

none() { # PATTERN FILE: no line but those that match
    ! grep -v -E "$1" "$2"
}

check "soname" grep 'SONAME.*\[libouro\.so\.0\]' "$work/dynamic"
check "never unloaded" grep 'FLAGS_1.*NODELETE' "$work/dynamic"
check "exports something" test -s "$work/exported"
check "exports ouro_ only" none '^ouro_' "$work/exported"
check "the archive keeps to its names" none '^(ouro|oi)_' "$work/global"
grep NEEDED "$work/dynamic" > "$work/needed"
check "needs liburcu and libc only" none '\[(liburcu-[a-z]+|libc|libpthread|ld-linux[-a-z0-9_]*)\.so\.' "$work/needed"

# Everything that the headers declare is there, the inline functions included.
sed -n 's/^OURO_API .*[ *]\(ouro_[a-z0-9_]*\)(.*/\1/p; s/^OURO_INLINE .*[ *]\(ouro_[a-z0-9_]*\)(.*/\1/p' \
    $(find -L lib/include -name '*.h') | sort -u > "$work/declared"
check "finds declarations" grep -x ouro_retain "$work/declared"
for name in $(cat "$work/declared"); do
    check "$name is exported" grep -x "$name" "$work/exported"
done
finish
