#!/bin/sh
# SPDX-License-Identifier: MIT
#
# The source distribution has all that a build needs but a compiler and liburcu. With what comes of it the README's ten lines run.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3
[ -x "$python" ] || python=python3

mkdir "$work/tree"
cp -RL bindings lib "$work/tree"
cd "$work/tree/bindings/python"
"$python" setup.py -q sdist -d "$work/dist" > "$work/said" 2>&1 || { tail -n 40 "$work/said"; exit 1; }
rm -rf "$work/tree"
cd "$work"
SWIG=/nonexistent "$python" -m pip wheel --no-index --no-deps --no-build-isolation -w "$work/wheels" dist/ouro-*.tar.gz > "$work/said" 2>&1 ||
    { tail -n 40 "$work/said"; exit 1; }
"$python" -m pip install --no-index --no-deps --target "$work/site" wheels/ouro-*.whl > "$work/said" 2>&1 || { tail -n 40 "$work/said"; exit 1; }
tar -xzf dist/ouro-*.tar.gz --wildcards --strip-components=1 '*/README.md'

# Nothing but what is installed: the library, too.
ls site/ouro/libouro.so.0 site/ouro/py.typed site/ouro/__init__.pyi > "$work/said"
sed -n '/^## Ten lines/,/^prints/s/^    //p' README.md > ten.py
[ "$(wc -l < ten.py)" = 10 ]
sed -n '/^prints/,/^## /s/^    //p' README.md > expected
PYTHONPATH="$work/site" "$python" ten.py > printed
diff expected printed
echo "ok: sdist, wheel, and ten lines"
