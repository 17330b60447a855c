#!/bin/sh
# SPDX-License-Identifier: MIT
#
# A program in Go, with Lua and Python in it.
set -eu
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
. bindings/together/modules.sh

go=/usr/bin/go
[ -x $go ] || go=$(command -v go) || { echo "missing: go"; exit 1; }
# Its files are looked at through no links.
mkdir "$work/tree"
cp -RL bindings "$work/tree"
cd "$work/tree/bindings/together"
export HOME="$work" GOCACHE="${OURO_GOCACHE:-$work/cache}" GOFLAGS=-mod=mod GOPROXY=off GOTOOLCHAIN=local
(cd go && $go vet -tags ouro_shared . && $go build -tags ouro_shared -o "$work/host" .)
"$work/host" part.lua part.py
