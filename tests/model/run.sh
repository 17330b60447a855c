#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Searches every variant of counts.pml, validation.pml and candidates.pml exhaustively. usage: run.sh [PATTERN]   (only the runs whose names contain PATTERN)
# Needs spin and a C compiler. One line per run, a summary; exit status 0 if all is as expected.
# The lines tell the states, the processor's seconds, and for a mutant or a reach run what was violated.
set -u
here=$(cd "$(dirname "$0")" && pwd)
only=${1:-}
cc=${CC:-gcc}
work=$(mktemp -d "${TMPDIR:-/tmp}/ouro-model.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
model=counts prefix=

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
    *'violated is_garbage'*)          echo not-garbage ;;
    *'violated is_alive'*)            echo referent-dead ;;
    *'violated (is_unreachable||(chosen'*) echo reachable ;;
    *'violated ((is_unreachable||final'*|*'violated (is_unreachable||final'*) echo null ;;
    *'missed['*)                      echo null-then-found ;;
    *'(doomed['*)                     echo doomed-found ;;
    *'violated (wrong!=1)'*)          echo token-of-dead ;;
    *'violated (wrong!=2)'*)          echo miscounted ;;
    *'violated (wrong!=3)'*)          echo half-merged ;;
    *'violated (wrong!=4)'*)          echo reachable-dead ;;
    *'violated (wrong!=5)'*)          echo unnoticed ;;
    *'violated (wrong!=6)'*)          echo garbage-left ;;
    *'violated (wrong!=7)'*)          echo not-finalized ;;
    *'violated (wrong!=8)'*)          echo half-finalized ;;
    *'violated (wrong!=9)'*)          echo verdict-left ;;
    *'violated (wrong!=10)'*)         echo weak-to-dead ;;
    *'violated (wrong!=11)'*)         echo mark-left ;;
    *'violated  !(ran['*)             echo finalized-twice ;;
    *'violated (v||'*)                echo null-load ;;
    *'violated ( !(dead['*)           echo block-reused ;;
    *'violated (( !(private['*)       echo private-reached ;;
    *'violated  !(dead['*)            echo dead-touched ;;
    *'violated  !(private['*)         echo private-marked ;;
    *'violated ((owner['*)            echo private-marked ;;
    *'violated  !((must'*)            echo missed ;;
    *'violated ( !(rests)'*)          echo alive ;;
    *'violated (garbage==0)'*)        echo left ;;
    *'violated  !(broken)'*)          echo miscounted ;;
    *'violated  !(((dead>>'*|*'violated ((!(((dead>>'*|*'violated (( !(((dead>>'*) echo dead-touched ;;
    *)                                echo reached ;;
  esac
}

# run NAME EXPECTED FLAG...   EXPECTED: none, or a name that violation prints. Names that end in ends search for endless
# executions (the model has no progress labels, so any cycle is one) instead of stopping at deadlocks and assertions only.
# A search that is not exhaustive, or needs more than MEMLIM megabytes, fails.
run() {
  local name=$1 expected=$2 dir log found states seconds=- verdict=ok opt=-O0 hash=18 mode=-DSAFETY arg=
  shift 2
  case $name in *"$only"*) ;; *) return ;; esac
  [ "$expected" = none ] && opt=-Og hash=23
  case $name in *_ends|*+ends) mode=-DNP arg=-l ;; esac
  dir=$work/$name log=$work/$name/log
  mkdir "$dir" && cd "$dir" || exit 1
  if ! spin -a "$@" "$here/$model.pml" >log 2>&1 ||
     ! "$cc" $opt -w $mode -DCOLLAPSE -DNOFAIR -DMEMLIM=1900 -o pan pan.c >>log 2>&1; then
    found='does not build'
  else
    seconds=$( { TIMEFORMAT=%U; time ./pan $arg -m100000 -w$hash >log 2>&1; } 2>&1 )
    found=$(violation "$log")
    [ "$found" = none ] && grep -qi 'not completed\|depth too small\|memory limit\|out of memory' "$log" && found='not exhausted'
    grep -q 'errors: ' "$log" || found='no result'
  fi
  states=$(grep -o '[0-9.e+]* states, stored' "$log" | head -1)
  if [ "$found" = "$expected" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1)) verdict=FAILED found="$found (expected $expected)"
  fi
  printf '%-6s  %-44s %10s states %7s s  %s\n' "$verdict" "$name" "${states%% *}" "$seconds" "$found"
  cd / && rm -rf "$dir"
}

# ---- the protocol ------------------------------------------------------------------------------------------------------
P="-DHANDS0=111 -DOPS1=2 -DOPS2=2 -DOPS3=1"                                # parking: T1 owns 0 -> 1; all three hold 0
M="-DHANDS0=122 -DOPS1=1 -DOPS2=2 -DOPS3=2"                                # the same with more tokens
E="-DHANDS0=111 -DOPS1=1 -DOPS2=1 -DOPS3=2 -DPARKS1=0 -DEXITS=1"           # exit, adoption
C="-DCREDITS=1 -DOWNER0=0 -DHANDS0=110 -DOPS1=2 -DOPS2=2 -DOPS3=0 -DPARKS1=0" # credit; a later -DNAME=VALUE takes precedence
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
run credit                           none $C
run credit_of_biased_object          none $C -DOWNER0=1
run credit_parking                   none $C -DOWNER0=1 -DPARKS1=1 -DOPS1=1
run credit_exit                      none $C -DOWNER0=1 -DEXITS=1 -DOPS1=1
run credit_twice                     none $C -DCREDITS=2 -DRECALLS=2
run parking_ends                     none $P
run parking_service_ends             none $P -DSWEEPS=1
run exit_ends                        none $E -DOPS3=1

# ---- what is no safeguard: left out or changed, all still holds ----------------------------------------------------------
variant() { local name=$1; shift; run "${prefix}variant_${name,,}" none -DVARIANT_"${name%%+*}" "$@"; }
variant NOT_DIRECTLY                 $P
variant NOT_DIRECTLY+service         $P -DSWEEPS=1
variant PUSHES_AT_ONCE               $P
variant PUSHES_AT_ONCE+service       $P -DSWEEPS=1
variant MORE_IS_PENDING              $M

# ---- one safeguard removed ---------------------------------------------------------------------------------------------
mutant() { local name=$1 expected=$2; shift 2; run "${prefix}mutant_${name,,}" "$expected" -DMUTANT_"${name%%+*}" "$@"; }
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

mutant USES_CLOSED                   count           $C
mutant RECALLS_IN_USE                count           $C
mutant RECALLS_OPEN                  count           $C
mutant LOOKS_BEFORE_CLOSING          count           $C
mutant CREDIT_OF_BIASED              domain          $C -DOWNER0=1 -DPARKS1=1

# ---- what must be able to happen ---------------------------------------------------------------------------------------
reach() { local name=$1; shift; run "${prefix}reach_${name,,}" reached -DREACH_"$name" "$@"; }
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
reach FINDS_CLOSED             $C
reach RECALL_MEETS_USE         $C
reach DIES_BY_RECALL           $C
reach ALL_MINE                 $C

# ======== validation.pml ================================================================================================
model=validation prefix=validation_

# ok NAME GRAPH OWNERS OPS1 OPS2 FLAG...   without the root slot unless ROOT is set
graph() { G="-DGRAPH=$1 -DOWNERS=$2 -DOPS1=$3 -DOPS2=$4"; }
ok() { local name=$1; graph "${@:2:4}"; shift 5; run "validation_$name" none $G -DNO_ROOT "$@"; }
ok_root() { local name=$1; graph "${@:2:4}"; shift 5; run "validation_$name" none $G "$@"; }

# ---- the protocol ------------------------------------------------------------------------------------------------------
ok_root all_graphs            0  0 1 1
ok      cycle                 5 12 2 1
ok      cycle_merged          5  1 2 1
ok      chain                 3 11 2 1
ok      self                 10 11 3 0
ok      self_both            11 12 2 1
ok_root root                  9 12 2 1
ok      split_counts          5 11 1 1 -DSPLIT -DRETAINING -DSWAPPING
ok      retain_swap           3 11 2 1 -DRETAINING -DSWAPPING
ok      any_set               5 12 2 1 -DANY_SET
ok      passing               5 12 2 1 -DPASSING
ok_root borrowing             8 12 1 2 -DBORROWING
ok      borrowing_chain       5 11 1 2 -DBORROWING
ok      through_chains        4 11 3 0 -DCHAINS -DRETAINING
ok      through_chains_self  10 11 3 0 -DCHAINS
ok      three_objects        10 11 2 0 -DN=3
ok      three_objects_chains  4 11 2 0 -DN=3 -DCHAINS
ok      two_collections       5 12 2 1 -DCYCLES=2
ok      last                  5 12 2 1 -DCYCLES=2 -DLAST
ok      parking               5 12 2 1 -DPARKING
ok      parking_chain         2 11 2 1 -DPARKING
ok      forced                2 12 2 1 -DFORCED
ok      forced_owner          2 11 2 1 -DFORCED
ok      stealing              2 11 2 1 -DSTEAL
ok      stealing_weak         2 11 1 1 -DSTEAL -DWEAK=2
ok      stealing_finalizer    2 11 1 1 -DSTEAL -DFINALIZERS=2
ok      stealing_recycling    2 11 1 1 -DSTEAL -DRECYCLE
ok      stealing_last         2 11 1 1 -DSTEAL -DCYCLES=2 -DLAST
ok      tso_cycle             5 12 2 1 -DBUFFERS
ok      tso_self             10 11 3 0 -DBUFFERS
ok_root tso_root              9 12 1 2 -DBUFFERS
ok      tso_chains           15 11 2 0 -DBUFFERS -DCHAINS -DRETAINING
ok      arm_cycle             5 11 1 1 -DARM
ok      arm_self             10 11 3 0 -DARM
ok_root arm_root              9 12 1 2 -DARM
ok      recycling             1 11 3 0 -DRECYCLE
ok_root recycling_root        7 11 2 2 -DRECYCLE
ok_root publishing           16 11 1 2 -DRECYCLE
ok      recycling_both        3 11 1 2 -DRECYCLE
ok      recycling_tso         1 11 2 0 -DRECYCLE -DBUFFERS
ok      recycling_arm         1 11 2 0 -DRECYCLE -DARM
ok      weak                  4 12 2 1 -DWEAK=3
ok      weak_garbage         12 12 2 2 -DWEAK=3
ok      weak_one             12 12 2 2 -DWEAK=1
ok      weak_gives_up        12 12 2 2 -DWEAK=1 -DTRIES=1
ok      weak_self            13 12 2 2 -DWEAK=2 -DTRIES=2
ok      weak_twice           12 12 2 1 -DWEAK=3 -DCYCLES=2
ok      weak_twice_held       4 12 1 1 -DWEAK=3 -DCYCLES=2
ok      weak_new              4 12 2 1 -DNEW_WEAK
ok      weak_new_both         5 12 1 1 -DNEW_WEAK
ok      weak_private         16 11 2 1 -DRECYCLE -DNEW_WEAK
ok      weak_tso              4 12 1 1 -DWEAK=3 -DBUFFERS
ok      weak_arm              4 12 1 1 -DWEAK=3 -DARM
ok      weak_recycling       12 12 2 1 -DWEAK=1 -DRECYCLE
ok      finalizer_by_count   14 12 3 1 -DFINALIZERS=1
ok      finalizer_arm        14 12 3 0 -DFINALIZERS=1 -DARM
ok      finalizers_self      10 11 2 1 -DFINALIZERS=3 -DOPS3=2
ok      finalizers_garbage   12 12 0 0 -DFINALIZERS=3 -DOPS3=3
ok_root finalizers_root      12 12 1 1 -DFINALIZERS=3 -DOPS3=2
ok_root finalizers_twice     12 12 1 0 -DFINALIZERS=1 -DOPS3=2 -DCYCLES=2
ok      finalizers_last       5 12 1 1 -DFINALIZERS=1 -DCYCLES=2 -DLAST
ok      finalizers_no_memory 12 12 1 0 -DFINALIZERS=3 -DWEAK=3 -DNO_MEMORY -DCYCLES=2
ok      finalizers_weak      12 12 1 1 -DFINALIZERS=3 -DWEAK=3
ok_root finalizers_weak_root 12 12 1 1 -DFINALIZERS=1 -DWEAK=3
ok      finalizers_weak_arm  12 12 1 1 -DFINALIZERS=1 -DWEAK=3 -DARM
ok      finalizers_weak_twice 12 12 1 1 -DFINALIZERS=1 -DWEAK=3 -DCYCLES=2

# ---- what is no safeguard ----------------------------------------------------------------------------------------------
graph 10 11 3 0; variant NO_G2                        $G -DNO_ROOT -DBUFFERS
graph 10 11 3 0; variant NO_CHECK_ON_SET              $G -DNO_ROOT
graph 5 12 2 1;  variant NO_CHECK_ON_SET+cycle        $G -DNO_ROOT
graph 14 12 3 0; variant COUNTS_FINALIZING            $G -DNO_ROOT -DFINALIZERS=1
graph 14 12 3 0; variant NO_FINALIZING                $G -DNO_ROOT -DFINALIZERS=1
graph 1 11 3 0;  variant COUNTS_PRIVATE               $G -DNO_ROOT -DRECYCLE
graph 4 12 2 1;  variant READS_WEAK_AT_MARK           $G -DNO_ROOT -DNEW_WEAK
graph 5 12 1 1;  variant ANCHOR_BEFORE_FLAG           $G -DNO_ROOT -DNEW_WEAK
graph 5 12 2 1;  variant LOCAL_BEFORE_SHARED          $G -DNO_ROOT
graph 2 11 2 1;  variant BIAS_ENDS_MARKED             $G -DNO_ROOT

# ---- one safeguard removed ---------------------------------------------------------------------------------------------
one() { local name=$1 expected=$2; graph "${@:3:4}"; shift 6; mutant "$name" "$expected" $G -DNO_ROOT "$@"; }
one_root() { local name=$1 expected=$2; graph "${@:3:4}"; shift 6; mutant "$name" "$expected" $G "$@"; }
# rule D
one      NO_CHECK_ON_MOVE_IN        not-garbage    10 11 2 0
one_root RELEASES_BEFORE_EXCHANGE   null-load       7 11 2 1
one_root MOVES_IN_BEFORE_CHECK      block-reused    7 11 1 2
one      NO_CHECK_ON_RELEASE        not-garbage    10 11 2 0
one      NO_CHECK_AFTER_FINALIZER   not-garbage    14 12 3 0 -DFINALIZERS=1
one      CHECK_BEFORE_PREVIOUS      not-garbage    10 11 2 0
# counts
one      LAST_IN_TWO_STEPS          block-reused   10 11 1 0 -DSPLIT
one      RAW_QUEUE                  block-reused    2 11 2 1
one      BIAS_STAYS                 half-merged     2 12 1 1
one      FORGETS_FORCED             unnoticed       2 11 1 1 -DFORCED
one      SETTLES_MARKED             dead-touched    2 11 2 1 -DFORCED
one      SETTLES_WITHOUT_SECTION    dead-touched    2 11 2 1 -DFORCED
one_root RETAINS_THE_DEAD           token-of-dead   7 11 2 1
one_root NO_LIMBO                   block-reused    7 11 2 1
one_root GETS_WITHOUT_SECTION       block-reused    7 11 2 1
one      RELAXED_EXCHANGE           not-garbage     1 11 2 0 -DARM
# private objects
one_root PUBLISHES_NO_REFERENTS     private-reached 16 11 1 2 -DRECYCLE
one      WEAK_TO_PRIVATE            private-reached 1 11 3 1 -DRECYCLE -DNEW_WEAK
one      BORN_MARKED                private-marked  1 11 3 0 -DRECYCLE
# stolen tokens
one      STEALS_BY_FORCE            unnoticed       2 11 1 1 -DSTEAL
one      STOLEN_NOT_NOTED           garbage-left    2 11 1 1 -DSTEAL -DCYCLES=2 -DLAST
one      FORGETS_STOLEN             miscounted      2 11 0 1 -DSTEAL
one      RELEASES_STOLEN_OF_MEMBERS dead-touched    2 11 1 1 -DSTEAL
# marks, M1, G1
one_root MARKS_AFTER_G1             block-reused    7 11 1 2
one_root NO_G1                      block-reused    7 11 1 2
one_root G1_MEMBARRIER_ONLY         block-reused    7 11 1 2
one_root G1_WITHOUT_MEMBARRIER      block-reused    7 11 1 2 -DBUFFERS
one      FENCES_IN_READERS_ONLY     not-garbage    15 11 2 0 -DBUFFERS -DCHAINS -DRETAINING
one      MARKS_WITHOUT_SECTION      private-marked  1 11 2 0 -DRECYCLE
one      MARKS_BY_FLAGS_FIRST       private-marked  1 11 2 0 -DRECYCLE
one      REUSED_BEFORE_MARK         private-marked  1 11 2 0 -DRECYCLE -DBUFFERS
one_root OWN_BARRIER_LAST           block-reused    9 12 1 2 -DBUFFERS
# notes
one      COUNTS_BEFORE_EDGES        not-garbage     1 11 1 0
one      COUNTS_THE_DEAD            not-garbage     1  1 1 0
one      COUNTS_BETWEEN_EDGES       not-garbage     1 11 2 0 -DCHAINS
one      COUNTS_BEFORE_EDGES+result token-of-dead   1 11 1 0 -DNO_GARBAGE
one      NO_FIXPOINT                not-garbage     1 11 1 0
one      NO_FIXPOINT+result         block-reused    1 11 1 0 -DNO_GARBAGE
one      SLOTS_READ_AGAIN           not-garbage     1 11 2 1
# P5
one      NO_P5                      not-garbage     1 11 2 0
one      NO_P5+result               token-of-dead   1 11 2 0 -DNO_GARBAGE
one      NO_G2                      not-garbage    10 11 2 0 -DARM
# the verdict
one      NO_VERDICT                 dead-touched    4 12 1 1 -DWEAK=3
one      VERDICT_MEMBARRIER_ONLY    doomed-found    4 12 1 1 -DWEAK=3
one      UPGRADES_WITHOUT_SECTION   block-reused   12 12 0 1 -DWEAK=3
one      NO_LOOK_BEFORE_COMMIT      not-garbage    12 12 0 1 -DWEAK=3
one      COMMITS_OVER_RESCUES       doomed-found   12 12 0 1 -DWEAK=3
one      NO_TOUCH_ON_UPGRADE        not-garbage    12 12 0 1 -DWEAK=3
one      IGNORES_COMMITTED          dead-touched   12 12 0 1 -DWEAK=3
one      NO_SECOND_LOOK             null           12 12 1 1 -DWEAK=3
one      NO_SECOND_LOOK+result      null-then-found 12 12 1 2 -DWEAK=3 -DNO_NULL
one      NO_THIRD_LOOK              null           12 12 1 1 -DWEAK=3 -DCYCLES=2
one      DROPPED_KEEP_MARK          null            4 12 1 1 -DWEAK=3 -DNO_MARK_LEFT
one      DROPPED_KEEP_MARK+rest     mark-left       4 12 1 1 -DWEAK=3
one      WEAK_WITHOUT_FLAG          weak-to-dead    4 12 2 1 -DNEW_WEAK
one      KEEPS_WEAK_MEMBERS         dead-touched   12 12 1 1 -DWEAK=1 -DTRIES=1
# the end
one      UNMARKED_BEFORE_DEAD       doomed-found   12 12 0 1 -DWEAK=3
one      IDLE_BEFORE_DEAD           dead-touched   12 12 0 1 -DWEAK=3
one      NO_LIMBO_FOR_WEAK          block-reused   12 12 0 1 -DWEAK=3
one      UNANCHORED_AFTER_FREEING   block-reused   12 12 0 1 -DWEAK=3
one      KEEPS_OWNER                dead-touched   12 12 0 1 -DWEAK=3
one      VERDICT_STAYS              verdict-left   12 12 0 1 -DWEAK=3
one      DROPS_NOTHING              miscounted      1 11 1 0 -DANY_SET
one      DROPS_MEMBERS              dead-touched   12 11 0 0
# finalizers
one_root FINALIZES_BEFORE_DEATH     reachable       7  1 2 1 -DFINALIZERS=1
one      FINALIZING_STAYS           half-finalized 14 12 3 0 -DFINALIZERS=1
one      SPARES_ONLY_CHOSEN         not-finalized  12 12 0 0 -DFINALIZERS=3 -DNO_MEMORY
one      SET_ASIDE_BEFORE_COMMIT    reachable      12 12 1 0 -DWEAK=3 -DFINALIZERS=1
one      NO_TOKEN_FOR_FINALIZER     reachable      13 12 0 0 -DFINALIZERS=2
one      SPARES_NO_REFERENTS        referent-dead  12 12 0 0 -DFINALIZERS=1
one      FINALIZED_FORGOTTEN        finalized-twice 13 10 0 0 -DFINALIZERS=2

# ---- what must be able to happen ---------------------------------------------------------------------------------------
can() { local name=$1; graph "${@:2:4}"; shift 5; reach "$name" $G -DNO_ROOT "$@"; }
can_root() { local name=$1; graph "${@:2:4}"; shift 5; reach "$name" $G "$@"; }
can_root PAIR                   8 11 1 2
can      SECOND_COLLECTION      5 12 2 1 -DCYCLES=2
can      STRADDLES              5 11 2 1
can      TOUCHED                1 11 2 0
can      STOLEN_GARBAGE         2 11 1 1 -DSTEAL
can      STOLEN_RELEASED        2 11 1 1 -DSTEAL
can      FORCE_LEFT_NOTHING     2 11 1 1 -DFORCED
can      SETTLES_LATER          2 12 1 1 -DFORCED
can      CLAIMER_UNMARKS        2 11 2 1 -DPARKING
can      MARKS_THE_DEAD         1 11 1 0 -DRECYCLE
can      MEMBER_RECYCLED        1 11 2 0 -DRECYCLE
can      RESCUED               12 12 1 0 -DWEAK=3
can      NULL_BY_VERDICT       12 12 1 0 -DWEAK=3
can      GIVES_UP              12 12 1 0 -DWEAK=1 -DTRIES=1
can      MARKS_FINALIZING      14 12 2 0 -DFINALIZERS=1
can_root FOUND_FINALIZING      14 12 2 1 -DFINALIZERS=1
can      RESURRECTED           14 12 3 0 -DFINALIZERS=1
can      FINALIZED_BY_COLLECTOR 12 12 0 0 -DFINALIZERS=1
can_root RESURRECTED_CYCLE     12 12 1 0 -DFINALIZERS=1 -DOPS3=2
can      THE_REST_GOES         13 12 0 0 -DFINALIZERS=2
can      FOUND_WHEN_DUE        12 12 1 0 -DFINALIZERS=1 -DWEAK=3
can      FOUND_AFTER_NULL      12 12 2 0 -DFINALIZERS=1 -DWEAK=3
can      NULL_THOUGH_HELD      12 12 3 0 -DFINALIZERS=1 -DWEAK=3

# ======== candidates.pml ================================================================================================
model=candidates prefix=candidates_

# ok NAME GRAPH OPS1 OPS2 FLAG...
candidates() { G="-DGRAPH=$1 -DOPS1=$2 -DOPS2=$3"; }
ok() { local name=$1; candidates "${@:2:3}"; shift 4; run "candidates_$name" none $G "$@"; }
one() { local name=$1 expected=$2; candidates "${@:3:3}"; shift 5; mutant "$name" "$expected" $G "$@"; }
can() { local name=$1; candidates "${@:2:3}"; shift 4; reach "$name" $G "$@"; }

# ---- the protocol ------------------------------------------------------------------------------------------------------
ok cycle               1 2 1
ok cycle_both          2 1 1
ok self                4 1 1
ok no_edges            5 1 1
ok tail                6 2 0
ok circle              7 2 0
ok shared_tail         9 1 1 -DRELEASES -DSETS
ok published_edge     10 2 0 -DRELEASES -DGIVES
ok published_cycle    11 2 0 -DRELEASES -DSETS -DGETS
ok one_page           11 2 0 -DONE_PAGE -DSPURIOUS -DRELEASES
ok first               2 1 1 -DKNOWN=0
ok first_drops        12 3 0 -DKNOWN=0
ok two_collections     1 2 0 -DCYCLES=2
ok two_slots           1 2 0 -DN=2 -DK=2
ok young              11 2 0 -DYOUNG -DRELEASES

# ---- what is no safeguard ----------------------------------------------------------------------------------------------
candidates 5 2 0;  variant HINT_BEFORE_SET     $G
candidates 6 2 0;  variant NO_UNCOUNT          $G

# ---- one safeguard removed ---------------------------------------------------------------------------------------------
# hints
one NO_HINT_ON_SET          missed        5 2 0
one NO_HINT_ON_GIVE         missed        5 1 0
one NO_HINT_ON_REMOVAL      missed        6 1 0
one NO_HINT_ON_DEATH        missed        6 2 0
one NO_HINT_ON_DROP         missed       12 3 0 -DKNOWN=0
one HINT_AFTER_GIVE         dead-touched  3 2 1
one HINT_AFTER_RELEASE      dead-touched  7 2 1
# while they are taken
one NO_EPOCH                missed        1 2 1
one EPOCH_AFTER_HINT        missed        1 2 1
one EPOCH_BEFORE_TAKING     missed        5 1 0
one EPOCH_AFTER_BARRIER     missed        5 1 0
one NO_BARRIER              missed        5 1 0
one TAKES_AFTER_LOOK        missed        5 1 0
one TAKES_UNREAD            missed        1 2 1
one LOSS_ENDS_LATE          missed        1 2 1
# pages
one NO_RECENT               missed       11 2 0 -DRELEASES
one RECENT_BEFORE_PUBLISHED missed       11 2 0 -DRELEASES
one YOUNG_FORGETS_RECENT    missed       11 2 0 -DYOUNG -DRELEASES
# roots, and the look
one NO_ROOTS                missed        2 2 1
one IGNORES_FALLEN          missed        1 2 1
one FORGETS_OTHER_ROOTS     missed        2 2 1
one REMEMBERS_LATE_COUNT    missed        4 1 1 -DKNOWN=0
one CANDIDATES_ALONE        missed        1 2 1

# ---- what must be able to happen ---------------------------------------------------------------------------------------
can LOSS                    5 1 0
can RECENT_ALREADY         11 1 0 -DSPURIOUS -DRELEASES
can FALLEN                  1 1 0
can PASSED_BY               2 1 1
can FOUND                   2 1 1
can DROPPED                12 3 0 -DKNOWN=0

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
