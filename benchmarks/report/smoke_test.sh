#!/bin/sh
# SPDX-License-Identifier: MIT
#
# smoke_test.sh BENCH: a quick run of a few benchmarks with right results, a page of it, a page of canned runs, and a
# comparison of the program with itself. Speeds are not looked at.
set -eu

bench=$1
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

$python $here/compare.py --rounds 2 before "$bench" after "$bench" --quick --only weak > "$work/changes" 2>&1 || die "$(cat "$work/changes")"
grep -q 'rows differ by more than the noise of 2 rounds' "$work/changes" || die "$(cat "$work/changes")"
if $python $here/compare.py --rounds 2 before /bin/false after "$bench" --quick --only weak > "$work/changes" 2>&1; then
    die "compared with a program that fails"
fi
echo "ok a comparison"
