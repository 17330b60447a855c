#!/bin/sh
# SPDX-License-Identifier: MIT
#
#     go_test.sh test       vet, and all tests of the module
#     go_test.sh race       the same under the race detector, and with cgo's dearer checks
#     go_test.sh tsan       the same with the library under gcc's ThreadSanitizer (not at the same time as Go's own)
#     go_test.sh sync       the copies are up to date
#
# In a copy of the tree: Go does not look at links.
set -eu
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

go=${OURO_GO:-go}
for tool in "$go" gcc cmp; do
    command -v "$tool" > /dev/null || { echo "missing: $tool"; exit 1; }
done
cp -RL bindings "$work"
[ ! -d lib ] || cp -RL lib "$work"
[ ! -d tests ] || cp -RL tests "$work"
cd "$work/bindings/go"
export HOME="$work/home" GOCACHE="${OURO_GOCACHE:-$work/cache}" GOPATH="$work/go" GOFLAGS=-buildvcs=false GOPROXY=off GOTOOLCHAIN=local \
    CGO_ENABLED=1 OURO_SCENARIOS="$work/tests/scenarios"

case $1 in
test)
    "$go" vet ./...
    "$go" test -count=1 ./...
    ;;
race)
    # A number of 2 checks every store, until Go 1.20; from 1.21 on that is an experiment of the compiler.
    if "$go" version | grep -q 'go1\.\(19\|20\)\b'; then
        GODEBUG=cgocheck=2 "$go" test -race -count=1 ./...
    else
        GOEXPERIMENT=cgocheck2 "$go" test -race -count=1 ./...
    fi
    ;;
tsan)
    # setarch: it cannot have addresses that change from run to run.
    CGO_CFLAGS="-fsanitize=thread -g -O1" CGO_LDFLAGS=-fsanitize=thread setarch -R "$go" test -count=1 -timeout 30m .
    ;;
sync)
    command -v swig > /dev/null || { echo "missing: swig"; exit 1; }
    sh ./sync.sh --check
    # The check sees what is wrong: a line, a file too few, a file too many.
    echo "/* */" >> internal/raw/lib_base_base.c
    rm internal/raw/lib_base_base.h
    touch internal/raw/lib_base_more.h
    stale=$(sh ./sync.sh --check 2> /dev/null || true)
    [ "$(echo "$stale" | wc -l)" = 3 ]
    sh ./sync.sh > /dev/null
    sh ./sync.sh --check
    ;;
*)
    echo "no such test: $1"
    exit 2
    ;;
esac
