# SPDX-License-Identifier: MIT
#
# shellcheck shell=sh disable=SC2034
# For the tests in this folder: a work folder that goes away, and check.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=tests/packaging
built=lib
stress=tests/ouro-stress
passed=0 failed=0

check() { # WHAT COMMAND...: the command succeeds
    what=$1
    shift
    if "$@" > "$work/said" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what: $*"
        cat "$work/said"
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
