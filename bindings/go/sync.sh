#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Makes what package raw has of others': SWIG's output, and copies of the library's sources, since Go compiles only what lies in a package's own
# directory, and those who use the module have no SWIG.
#
#     sync.sh            brings bindings/go/internal/raw up to date
#     sync.sh --check    only says what is not; 1 if there is anything
#
# Files keep their contents but for the names in their #includes. SWIG=... names another swig. Without one, or with another version than the
# one that made raw.go, that part is left alone.
set -eu
cd "$(dirname "$0")/../.."
to=bindings/go/internal/raw
new=$(mktemp -d)
trap 'rm -rf "$new"' EXIT

flatten() { # FILE NAME: the copy's includes are of copies
    case $2 in
    *.c) printf '//go:build !ouro_shared\n\n' ;;
    esac
    sed -e 's|^#include <ouro/inline/\(.*\)>|#include "ouro_inline_\1"|' \
        -e 's|^#include <ouro/\(.*\)>|#include "ouro_\1"|' \
        -e 's|^#include "\([a-z]*\)/\(.*\)"|#include "lib_\1_\2"|' "$1"
}

for file in lib/include/ouro/*.h lib/include/ouro/inline/*.h lib/*/*.c lib/*/*.h; do
    case $file in
    lib/include/ouro/inline/*) name=ouro_inline_${file##*/} ;;
    lib/include/ouro/*) name=ouro_${file##*/} ;;
    *)
        name=${file%/*}
        name=lib_${name##*/}_${file##*/}
        ;;
    esac
    flatten "$file" "$name" > "$new/$name"
done
for file in bindings/swig/*.h; do
    sed 's|^#include <ouro/ouro.h>|#include "library.h"|' "$file" > "$new/${file##*/}"
done

swig=${SWIG:-swig}
version=$("$swig" -version 2> /dev/null | sed -n 's/^SWIG Version //p') || true
made_by=$(sed -n 's/^ \* Version \([0-9.]*\)$/\1/p' $to/raw.go 2> /dev/null) || true
if [ -n "$version" ] && { [ -z "$made_by" ] || [ "$version" = "$made_by" ] || [ "${1:-}" != --check ]; }; then
    "$swig" -go -cgo -intgosize 64 -DSWIGWORDSIZE64 -module raw -package raw -outdir "$new" -o "$new/raw_wrap.c" bindings/swig/ouro.i
    sed -i 's|^#include <ouro/ouro.h>|#include "library.h"|' "$new/raw_wrap.c"
    # SWIG makes a pointer of a number there, in a way that `go vet` does not like.
    sed -i 's|(unsafe.Pointer(p.p))|(*(*unsafe.Pointer)(unsafe.Pointer(\&p.p)))|' "$new/raw.go"
else
    echo "SWIG ${version:-} is not the one that made raw.go (${made_by:-none}): left alone" >&2
    cp $to/raw.go $to/raw_wrap.c "$new"
fi

made() { # DIRECTORY: the names of all that this script makes
    (cd "$1" && ls | grep -E '^(lib_.*\.[ch]|ouro_.*\.h|raw\.go|raw_wrap\.c|explain\.h|gather\.h)$')
}
status=0
for name in $({ made "$new"; made $to; } | sort -u); do
    if ! cmp -s "$new/$name" "$to/$name"; then
        echo "$to/$name"
        status=1
    fi
done
if [ "${1:-}" = --check ]; then
    [ $status = 0 ] || echo "differ: run bindings/go/sync.sh" >&2
    exit $status
fi
for name in $(made $to); do
    [ -e "$new/$name" ] || rm "$to/$name"
done
for name in $(made "$new"); do
    cmp -s "$new/$name" "$to/$name" || install -m 644 "$new/$name" "$to/$name"
done
