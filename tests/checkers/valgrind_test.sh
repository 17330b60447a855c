#!/bin/sh
# SPDX-License-Identifier: MIT
#
# valgrind_test.sh PROGRAM: Valgrind knows the objects in the library's pools as it knows malloc's blocks: where they were made and went, what was
# done to them afterwards, which of them are lost. In every mode, for it is found out at run time.
set -u
. tests/packaging/common.sh
program=$1

command -v valgrind > /dev/null || { echo "valgrind is not installed: skipped"; exit 0; }

run() { # MISTAKE: what Valgrind says is in $work/said
    valgrind --leak-check=full --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite --error-exitcode=9 \
        "$program" "$1" > "$work/out" 2> "$work/log"
    status=$?
    return 0
}

says() { # PATTERN...: each stands in the log
    for pattern; do
        grep -q -e "$pattern" "$work/log" || { echo "not there: $pattern"; cat "$work/log"; return 1; }
    done
}

ends_with() { [ "$status" = "$1" ] || { echo "status $status"; cat "$work/log"; return 1; }; }

all() {
    run nothing
    check "no error ($1)" ends_with 0
    check "nothing is lost ($1)" sh -c '! grep "definitely lost: [1-9]" "$1"' - "$work/log"

    run read_private
    check "a read after free is an error ($1)" ends_with 9
    check "and is told exactly ($1)" says "Invalid read of size 8" "read_private (program.c:" "is 32 bytes inside a block of size 48 free'd" \
        "drop_node (program.c:" "Block was alloc'd at" "make_node (program.c:"

    run write_shared
    check "a write after free is an error ($1)" ends_with 9
    check "and is told exactly ($1)" says "Invalid write of size 8" "write_shared (program.c:" "is 32 bytes inside a block of size 48 free'd" \
        "drop_node (program.c:"

    run lose
    check "a lost object is a leak ($1)" ends_with 9
    check "with what it held ($1)" says "116 (48 direct, 68 indirect) bytes in 1 blocks are definitely lost" "lose (program.c:" \
        "definitely lost: 48 bytes in 1 blocks" "indirectly lost: 68 bytes in 3 blocks"
}

all "pools"
export OURO_MALLOC=malloc
all "malloc"
run read_beyond # in pools there is another object behind
check "a read beyond an object is an error" ends_with 9
check "and is told exactly" says "Invalid read of size 8" "read_beyond (program.c:" "is 0 bytes after a block of size 48 alloc'd"
unset OURO_MALLOC
export OURO_DEVMODE=1 OURO_LEAKS=0
all "dev mode"
finish
