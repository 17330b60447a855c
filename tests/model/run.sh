#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Searches every variant of counts.pml exhaustively. usage: run.sh [PATTERN]   (only the runs whose names contain PATTERN)
# Needs spin and a C compiler. One line per run, a summary; exit status 0 if all is as expected.
# The lines tell the states, the seconds, and for a mutant or a reach run what was violated.
set -u
here=$(cd "$(dirname "$0")" && pwd)
only=${1:-}
cc=${CC:-gcc}
work=$(mktemp -d "${TMPDIR:-/tmp}/ouro-model.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

for tool in spin "$cc"; do
  command -v "$tool" >/dev/null || { echo "$0: $tool is not installed" >&2; exit 2; }
done

# violation LOG: the property that spin found violated, by the text of the assertion
violation() {
  local line
  line=$(grep -m1 '^pan:1:' "$1") || { echo none; return; }
  case $line in
    *'invalid end state'*)            echo deadlock ;;
    *'non-progress cycle'*)           echo endless ;;
    *'violated (holder['*)            echo exclusion ;;
    *'violated (state['*)             echo slot-state ;;
    *'violated ( !((queue['*)         echo stranded ;;
    *'violated  !(waiting['*)         echo second-batch ;;
    *'violated  !((merged['*)         echo dead-touched ;;
    *'violated  !(destroyed['*)       echo destroyed-twice ;;
    *'violated (merged['*)            echo destroyed-alive ;;
    *'violated ((merged['*)           echo domain ;;
    *'==0)==('*)                      echo not-dead ;;
    *'violated (('*'(hand['*)         echo count ;;
    *)                                echo reached ;;
  esac
}

# run NAME EXPECTED FLAG...   EXPECTED: none, or a name that violation prints. Names that end in ends search for endless
# executions (the model has no progress labels, so any cycle is one) instead of stopping at deadlocks and assertions only.
run() {
  local name=$1 expected=$2 dir log found states seconds verdict=ok opt=-O0 hash=18 mode=-DSAFETY arg=
  shift 2
  case $name in *"$only"*) ;; *) return ;; esac
  [ "$expected" = none ] && opt=-O1 hash=23
  case $name in *_ends|*+ends) mode=-DNP arg=-l ;; esac
  dir=$work/$name log=$work/$name/log
  mkdir "$dir" && cd "$dir" || exit 1
  if ! spin -a "$@" "$here/counts.pml" >log 2>&1 ||
     ! "$cc" $opt -w $mode -DCOLLAPSE -DNOFAIR -DMEMLIM=3500 -o pan pan.c >>log 2>&1; then
    found='does not build'
  else
    ./pan $arg -m100000 -w$hash >log 2>&1
    found=$(violation "$log")
    [ "$found" = none ] && grep -qi 'not completed\|depth too small\|memory limit\|out of memory' "$log" && found='not exhausted'
    grep -q 'errors: ' "$log" || found='no result'
  fi
  states=$(grep -o '[0-9.e+]* states, stored' "$log" | head -1)
  seconds=$(sed -n 's/.*elapsed time \([0-9.e+]*\) seconds.*/\1/p' "$log")
  if [ "$found" = "$expected" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1)) verdict=FAILED found="$found (expected $expected)"
  fi
  printf '%-6s  %-40s %12s states %7s s  %s\n' "$verdict" "$name" "${states%% *}" "$seconds" "$found"
  cd / && rm -rf "$dir"
}

# ---- the protocol ------------------------------------------------------------------------------------------------------
P="-DHANDS0=111 -DOPS1=2 -DOPS2=2 -DOPS3=1"                                # parking: T1 owns 0 -> 1; all three hold 0
M="-DHANDS0=122 -DOPS1=1 -DOPS2=2 -DOPS3=2"                                # the same with more tokens
E="-DHANDS0=111 -DOPS1=1 -DOPS2=1 -DOPS3=2 -DPARKS1=0 -DEXITS=1"           # exit, adoption
X="-DSLOT2=1 -DOWNER1=2 -DHANDS0=110 -DHANDS1=101 -DPARKS2=1"              # two slots, both may park; 0 -> 1 crosses them

run parking                          none $P
run parking_batch2                   none $P -DBATCH=2
run parking_finalizer                none $P -DFINALIZER
run parking_split_counts             none -DHANDS0=121 -DSHARED0=1 -DOPS1=2 -DOPS2=2 -DOPS3=2
run parking_twice                    none -DHANDS0=111 -DPARKS1=2 -DOPS1=2 -DOPS2=1 -DOPS3=1
run parking_many_tokens              none $M
run parking_many_tokens_batch2       none $M -DBATCH=2
run parking_two_objects              none -DHANDS0=111 -DHANDS1=10 -DOPS1=2 -DOPS2=2 -DOPS3=2
run parking_merged_child             none $P -DOWNER1=0 -DHANDS1=1
run parking_early                    none $P -DVARIANT_EARLY
run parking_service                  none $P -DSWEEPS=2
run parking_service_many_tokens      none $M -DSWEEPS=1
run exit                             none $E
run exit_batch2                      none $E -DBATCH=2
run exit_parking                     none -DHANDS0=111 -DOPS1=1 -DOPS2=1 -DOPS3=1 -DEXITS=1
run exit_early                       none $E -DVARIANT_EARLY
run exit_service                     none $E -DSWEEPS=1
run cross                            none $X -DOPS1=2 -DOPS2=2 -DOPS3=1
run cross_exit                       none $X -DOPS1=1 -DOPS2=1 -DOPS3=0 -DEXITS=1
run cross_service                    none $X -DOPS1=1 -DOPS2=1 -DOPS3=1 -DSWEEPS=1
run parking_ends                     none $P
run parking_service_ends             none $P -DSWEEPS=1
run exit_ends                        none $E -DOPS3=1

# ---- what is no safeguard: left out or changed, all still holds ----------------------------------------------------------
variant() { local name=$1; shift; run "variant_${name,,}" none -DVARIANT_"${name%%+*}" "$@"; }
variant NOT_DIRECTLY                 $P
variant NOT_DIRECTLY+service         $P -DSWEEPS=1
variant PUSHES_AT_ONCE               $P
variant PUSHES_AT_ONCE+service       $P -DSWEEPS=1
variant MORE_IS_PENDING              $M

# ---- one safeguard removed ---------------------------------------------------------------------------------------------
mutant() { local name=$1 expected=$2; shift 2; run "mutant_${name,,}" "$expected" -DMUTANT_"${name%%+*}" "$@"; }
N="-DNO_EXCLUSION"
mutant UNCLAIMED                     exclusion       $P
mutant UNCLAIMED+result              count           $P $N
mutant DIRECTLY_ANY                  count           $P
mutant PUSHER_LEAVES                 stranded        $P
mutant STATE_BEFORE_PUSH             stranded        $P
mutant GIVES_UP_ITS_TURN             stranded        $P
mutant GIVES_UP_ITS_TURN+service     stranded        $P -DSWEEPS=1 -DVARIANT_NOT_DIRECTLY
mutant GIVES_UP_ITS_TURN+no_leftover none            $P -DSWEEPS=1 -DBATCH=9
mutant PUSHER_GIVES_UP               stranded        $P
mutant PARKER_GIVES_UP               stranded        $P
mutant PARKER_GIVES_UP+exit          stranded        $E
mutant DRAINER_GIVES_UP              stranded        $P
mutant PUSHER_GIVES_UP+service       stranded        $P -DSWEEPS=1
mutant PARKER_GIVES_UP+service       stranded        $P -DSWEEPS=1
mutant DRAINER_GIVES_UP+service      stranded        $P -DSWEEPS=1
mutant NO_LOOK_AFTER_PARKING         stranded        $P
mutant LOOKS_BEFORE_PARKING          stranded        $P
mutant PARKS_WITH_LEFTOVER           stranded        $P
mutant FORGETS_LEFTOVER              stranded        $P
mutant FORGETS_WHICH                 slot-state      $E
mutant NO_LOOK_AFTER_EXIT            stranded        $E
mutant LOOKS_BEFORE_EXIT             stranded        $E
mutant ADOPTS_CLAIMED                slot-state      $E
mutant RETURNS_UNASKED               slot-state      $P
mutant OWNER_WHILE_PARKED            exclusion       $P
mutant OWNER_WHILE_PARKED+result     count           $P $N
mutant MERGE_AFTER_LETTING_GO        exclusion       $P
mutant MERGE_AFTER_LETTING_GO+result count           $P $N
mutant MERGES_ANY                    count           $P
mutant REQUEUES+ends                 endless         $P
mutant RAW_QUEUE                     dead-touched    $P
mutant ALWAYS_DECREMENT              domain          $P
mutant ALWAYS_DECREMENT+result       not-dead        $P -DNO_DOMAIN
mutant LOCAL_RESET                   dead-touched    $P
mutant MERGED_BEFORE_OWNER           dead-touched    $P
mutant MERGE_TWO_STEPS               destroyed-alive $P
mutant ZERO_READ_LATER               destroyed-twice $P
mutant IGNORES_WANTED                deadlock        $P
mutant FINALIZER_UNDER_CLAIM         deadlock        $P -DFINALIZER
mutant NO_WANTED                     second-batch    $P

# ---- what must be able to happen ---------------------------------------------------------------------------------------
reach() { local name=$1; shift; run "reach_${name,,}" reached -DREACH_"$name" "$@"; }
reach DIRECTLY                 $P
reach DIRECTLY_TOO_LATE        $P
reach CLAIMER_MERGES           $P
reach PARKED_CLAIMS_ITSELF     $P
reach SET_ASIDE                $P
reach LEFTOVER                 $P
reach ARRIVES_UNDER_CLAIM      $P
reach WAITS_BEFORE_PUSHING     $P
reach PUSHER_WAITS             $P
reach PARKER_WAITS             $P
reach DRAINER_WAITS            $P
reach WAITS_FOR_SERVICE        $P -DSWEEPS=1
reach BACK_WITH_LEFTOVER       $P
reach FOUND_AFTER_PARKING      $P
reach NEGATIVE_COUNT           $P
reach ALL_DEAD                 $P
reach EXITED_CLAIMS            $E
reach INHERITED                $E
reach INHERITED_QUEUE          $E
reach INHERITED_PENDING        $E
reach HANDOVER                 $P

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
