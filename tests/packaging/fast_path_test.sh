#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The owner's path of retain and release is at most 8 instructions (the return not counted), none of them locked, and
# calls nothing. That path is the one on which no unlikely branch is taken: from the entry, through conditional jumps, along
# unconditional ones, to the first return.
set -u
. tests/packaging/common.sh
limit=8

[ "$(uname -m)" = x86_64 ] || { echo "counts x86-64 instructions only: skipped"; exit 0; }

path() { # FUNCTION FILE: the instructions of the path
    objdump -d -r --no-show-raw-insn "$2" | awk -v name="$1" '
        /^[0-9a-f]+ </ { inside = index($0, "<" name ">:") > 0; next }
        inside && /^ *[0-9a-f]+:\t/ {
            at = $1
            sub(/:$/, "", at)
            sub(/^ *[0-9a-f]+:\t/, "")
            if (!count++) first = at
            text[at] = $0
            if (last != "") following[last] = at
            last = at
        }
        END {
            for (at = first; at != "" && steps++ < 1000; ) {
                words = split(text[at], word, " ")
                if (word[1] ~ /^ret/) exit
                if (word[1] ~ /^(nop|endbr64)/) { at = following[at]; continue }
                print text[at]
                at = word[1] ~ /^jmp/ ? word[2] : following[at]
            }
            print "no return"
        }'
}

short() { # FUNCTION FILE
    path "$1" "$2" > "$work/path"
    cat "$work/path"
    count=$(wc -l < "$work/path")
    echo "$count instructions, at most $limit wanted"
    [ "$count" -gt 2 ] && [ "$count" -le "$limit" ] && ! grep -E 'lock|call|xchg|no return' "$work/path"
}

for compiler in "gcc -O2" "gcc -O2 -fPIC" "gcc -O3"; do
    object=$work/user.o
    # shellcheck disable=SC2086
    check "compiles with $compiler" $compiler -std=c11 -Wall -Wextra -Werror -Ilib/include -c "$here/fast_path.c" -o "$object"
    check "retain with $compiler" short user_retain "$object"
    check "release with $compiler" short user_release "$object"
done
finish
