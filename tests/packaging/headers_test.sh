#!/bin/sh
# SPDX-License-Identifier: MIT
#
# headers_test.sh INCLUDE: every public header compiles alone, as C11 and as C++17, without a warning, with gcc and with
# clang (if there is one).
set -u
include=$1
passed=0 failed=0
flags="-O2 -Wall -Wextra -Wpedantic -Werror"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
headers=$(cd "$include" && find -L ouro -name '*.h' | sort)
[ -n "$headers" ] || { echo "no headers in $include"; exit 1; }

check() { # LANGUAGE COMPILER...
    language=$1
    shift
    command -v "$1" > /dev/null || { echo "$1 is not installed: skipped"; return; }
    for header in $headers; do
        unit=$work/$(echo "$header" | tr / _).$language
        printf '#include <%s>\nextern int something;\n' "$header" > "$unit"
        # shellcheck disable=SC2086
        if "$@" $flags -I"$include" -c "$unit" -o "$work/out.o"; then
            passed=$((passed + 1))
        else
            echo "FAILED: <$header> with $*"
            failed=$((failed + 1))
        fi
    done
}

check c gcc -std=c11
check cpp g++ -std=c++17
check c clang -std=c11
check cpp clang++ -std=c++17
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
