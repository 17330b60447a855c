#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Runs the short examples. Each must end well and print what stands behind the arrows in its source.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

for name in counting cycle generations interning pools generator leak; do
    sed -n 's|.*/\* --> \(.*\) \*/$|\1|p' "docs/examples/$name.c" > "$work/expected"
    status=0
    "docs/examples/$name" > "$work/printed" 2> "$work/errors" || status=$?
    if [ "$status" != 0 ] || [ -s "$work/errors" ] || [ ! -s "$work/expected" ] || ! diff "$work/expected" "$work/printed" > "$work/diff"; then
        echo "FAILED $name: exit status $status; expected (<) and printed (>):"
        cat "$work/diff" "$work/errors"
        failed=1
    else
        echo "ok     $name"
    fi
    : > "$work/diff"
done
exit $failed
