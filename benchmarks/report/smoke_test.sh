#!/bin/sh
# SPDX-License-Identifier: MIT
#
# smoke_test.sh BENCH PEERS_OURO: quick runs of a few benchmarks and of the peers' work with right results, pages of them and of
# canned runs, and a comparison of the program with itself. Speeds are not looked at; no peer but ouro is needed.
set -eu

bench=$1 peers_ouro=$2
python="/usr/bin/python3 -B" # -B: nothing is written beside the sources
[ -x /usr/bin/python3 ] || python="python3 -B"
here=benchmarks/report
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

die() {
    echo "$*" >&2
    exit 1
}

$python $here/report_test.py
echo "ok the generator"
$python $here/../peers/measure_test.py
echo "ok the driver of the peers"

OURO_BENCH_COMMIT=c0mm1t "$bench" --quick --only weak,floating,idle --json "$work/run.json" > "$work/table" 2> "$work/rows" ||
    die "$(cat "$work/rows" "$work/table")"
grep -q '^commit  *c0mm1t$' "$work/rows" || die "the commit is not at the head of the output"
for fact in date processor cores governor kernel compiler 'load before'; do
    grep -q "\"$fact\": \"..*\"" "$work/run.json" || die "$fact is not in the JSON file"
    grep -q "^$fact " "$work/table" || die "$fact is not in the table"
done
grep -q '"axis": "time"' "$work/run.json" || die "no curves"
echo "ok a quick run"

$python $here/report.py "$work/page.html" "$work/run.json" "canned=$here/testdata/old.json"
for word in 'id="weak"' 'id="floating"' 'id="idle"' 'id="tail"' 'c0mm1t' 'canned' '</html>'; do
    grep -q "$word" "$work/page.html" || die "$word is not in the page"
done
echo '{"rows": [{"benchmark": "b"}]}' > "$work/bad.json"
if $python $here/report.py "$work/none.html" "$work/bad.json" 2> "$work/error"; then
    die "made a page of a malformed run"
fi
grep -q 'bad.json: rows\[0\]' "$work/error" || die "does not tell what is wrong"
[ ! -e "$work/none.html" ] || die "left a page of a malformed run"
echo "ok pages"

$python $here/../peers/run --quick --seconds 0.01 --peers ouro --ouro "$peers_ouro" --build "$work/build" --json "$work/peers.json" \
    > "$work/table" 2>&1 || die "$(cat "$work/table")"
[ "$(grep -c '"peer": "ouro"' "$work/peers.json")" -gt 40 ] || die "$(cat "$work/table")"
if grep -q '"why"' "$work/peers.json"; then
    die "ouro leaves something out: $(cat "$work/peers.json")"
fi
echo "ok the peers' work"

mkdir "$work/bin"
ln -s "$PWD/$bench" "$work/bin/bench"
ln -s "$PWD/$peers_ouro" "$work/bin/peers_ouro"
$python benchmarks/run.py --bin "$work/bin" --peers ouro --quick --only weak,deep,rings --seconds 0.01 --report "$work/all.html" \
    --json "$work/all.json" > "$work/table" 2>&1 || die "$(cat "$work/table")"
for word in 'id="weak"' 'id="rings"' 'id="peers-rings"' 'id="peers-deep"'; do
    grep -q "$word" "$work/all.html" || die "$word is not in the page of all"
done
if grep -q 'id="deep"' "$work/all.html" || grep -q 'id="peers-weak"' "$work/all.html"; then
    die "ran what was not asked for"
fi
if $python benchmarks/run.py --bin "$work/bin" --quick --only deep > "$work/error" 2>&1 || ! grep -q 'no such benchmark: deep' "$work/error"; then
    die "takes a workload of the peers without them"
fi
echo "ok both in one command"

$python $here/compare.py before "$bench" after "$bench" --rounds 2 --quick --only weak --report "$work/two.html" > "$work/changes" 2>&1 || die "$(cat "$work/changes")"
grep -q 'rows differ by more than the noise of 2 rounds' "$work/changes" || die "$(cat "$work/changes")"
grep -q 'id="weak"' "$work/two.html" || die "no page of the comparison"
if $python $here/compare.py before /bin/false after "$bench" --rounds 2 --quick --only weak > "$work/changes" 2>&1; then
    die "compared with a program that fails"
fi
echo "ok a comparison"
