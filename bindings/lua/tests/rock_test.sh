#!/bin/sh
# SPDX-License-Identifier: MIT
#
# luarocks makes the rock and installs it into a tree of its own; what the README begins with then runs with nothing but that.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work"
export PATH="/usr/bin:$PATH" # luarocks looks for the headers beside the interpreter: where /bin is the same as /usr/bin, the first does not do
MAKEFLAGS=-j$(nproc)
export MAKEFLAGS

for tool in luarocks lua5.4 swig pkg-config; do
    command -v "$tool" > "$work/said" || { echo "missing: $tool"; exit 1; }
done

# It is built where it lies.
mkdir "$work/tree"
cp -RL bindings lib "$work/tree"
cd "$work/tree"
luarocks --lua-version 5.4 --tree "$work/rocks" make bindings/lua/ouro-0.1.0-1.rockspec > "$work/said" 2>&1 || { tail -n 40 "$work/said"; exit 1; }
rm -rf bindings/lua/build lib

sed -n '/^## Ten lines/,/^## What/s/^    //p' bindings/lua/README.md > "$work/ten.lua"
[ "$(wc -l < "$work/ten.lua")" = 10 ]
sed -n 's/.*--> //p' "$work/ten.lua" > "$work/expected"
eval "$(luarocks --lua-version 5.4 --tree "$work/rocks" path)"
cd /
lua5.4 "$work/ten.lua" | sed 's/	/   /g' > "$work/printed"
diff "$work/expected" "$work/printed"
echo "ok: luarocks make, and ten lines"
