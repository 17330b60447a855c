#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ouro-stress, in short: each mix alone, all of them, many threads, one processor; that a single worker does the same each time; and that what
# is wrong is found. torture_test.sh [PROGRAM [SEED]]
set -u
program=${1:-tests/ouro-stress}
seed=${2:-20260101}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

note() { # OK WHAT: OK is 0 if it is
    if [ "$1" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $2"
        tail -n 60 "$work/said"
    fi
}

stress() { # ARGS: its status
    "$program" --seed "$seed" --quiet "$@" > "$work/said" 2>&1
}

goes_well() { # ARGS
    stress "$@"
    note $? "ouro-stress --seed $seed $*"
    grep -h '^ouro-stress: ok' "$work/said"
}

says() { # TEXT WHAT
    grep -q -e "$1" "$work/said"
    note $? "$2: says $1"
}

state() { # SEED: of a single worker's run
    "$program" --threads 1 --ops 20000 --seed "$1" --quiet --json - > "$work/said" 2>&1
    sed -n 's/.*"state": "\(.*\)".*/\1/p' "$work/said"
}

# The program itself.
stress --help
note $? "--help"
mixes=$(sed -n 's/^Mixes: //p' "$work/said" | tr , ' ')
says '--threads N' --help
stress --version
says '^ouro-stress [0-9.]*, library [0-9.]*$' --version
stress --mix nothing
[ $? = 2 ]
note $? "a wrong mix is refused"
stress --threads 0
[ $? = 2 ]
note $? "no threads are refused"

# Each mix alone, then all.
for mix in $mixes; do
    goes_well --threads 3 --seconds 1 --mix "$mix"
done
goes_well --threads 4 --seconds 5 --json "$work/json"
goes_well --threads 64 --seconds 3
goes_well --threads 4 --seconds 2 --cores one
for word in result seed command machine ops_by_mix op_us collections freed_by_counting max_rss_kib state; do
    grep -q "\"$word\": " "$work/json"
    note $? "$word is in the JSON result"
done
if command -v python3 > /dev/null; then
    python3 -m json.tool "$work/json" > "$work/said" 2>&1
    note $? "the result is JSON"
fi

# A single worker.
first=$(state 7) second=$(state 7) other=$(state 8)
[ -n "$first" ] && [ "$first" = "$second" ]
note $? "a single worker does the same each time: $first, $second"
[ "$first" != "$other" ]
note $? "another seed, another run: $first, $other"

# What is wrong is found: exit status 1, and the command to do it again.
for kind in over-release forget-link leak scribble; do
    stress --threads 3 --ops 6000 --sabotage "$kind"
    [ $? = 1 ]
    note $? "$kind is found"
    says "to do it again: ouro-stress --threads 3 --seed $seed .* --sabotage $kind" "$kind"
    says "what was last done to it" "$kind"
    says "its last events" "$kind"
done
stress --threads 3 --ops 6000 --sabotage hang --patience 5
[ $? = 1 ]
note $? "a thread that hangs is found"
says "no progress for 5 seconds" hang
says "to do it again: ouro-stress" hang
(
    ulimit -c 0
    stress --threads 3 --ops 6000 --sabotage crash
)
[ $? -gt 1 ]
note $? "a crash ends the program as crashes do"
says "FAILED: signal 11" crash
says "to do it again: ouro-stress --threads 3 --seed $seed .* --sabotage crash" crash

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
