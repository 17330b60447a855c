#!/bin/sh
# SPDX-License-Identifier: MIT
#
# pip makes the package and installs it into a folder of its own; its tests run with that. Arguments go to pytest.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME="$work" PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3 # the one that Debian's packages are for
[ -x "$python" ] || python=python3

# It is built where it lies.
mkdir "$work/tree"
cp -RL bindings lib tests "$work/tree"
cd "$work/tree"
"$python" -m pip install --no-index --no-deps --no-build-isolation --target "$work/site" ./bindings/python > "$work/said" 2>&1 ||
    { tail -n 40 "$work/said"; exit 1; }
rm -rf lib bindings/swig bindings/python/ouro bindings/python/src
cd bindings/python/tests
OURO_SCENARIOS="$work/tree/tests/scenarios" PYTHONPATH="$work/site" "$python" -m pytest -q -p no:cacheprovider "$@"
