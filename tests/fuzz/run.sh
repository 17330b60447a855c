#!/bin/sh
# SPDX-License-Identifier: MIT
# Open-ended fuzzing, by an engine that is led by coverage: ./dev fuzz [TARGET] [--seconds N] [--engine libfuzzer|afl] [--merge]
# Builds the library and the target with clang and AddressSanitizer into build/fuzz, at the top; only what has changed since the last time.
# What is found stays there, too: failures in TARGET.found, new inputs in TARGET.inputs. --merge chooses from these and the corpus a small set
# that covers as much (smaller.py), which becomes the corpus.
set -eu

die() {
    echo "fuzz: $*" >&2
    exit 1
}

cd "$(dirname "$0")/../.."
all="objects raced values iterators records weak text options index"
target=objects seconds=60 engine=libfuzzer merge=
while [ $# -gt 0 ]; do
    case $1 in
    --seconds | --engine)
        [ $# -gt 1 ] || die "$1 takes a word"
        case $1 in --seconds) seconds=$2 ;; *) engine=$2 ;; esac
        shift
        ;;
    --merge) merge=1 ;;
    -*) die "unknown option $1" ;;
    *) target=$1 ;;
    esac
    shift
done
case " $all " in *" $target "*) ;; *) die "no such target: $target (there are: $all)" ;; esac
flags="-std=c11 -D_GNU_SOURCE -DOURO_DEBUG=1 -O1 -g -fno-omit-frame-pointer -Ilib -Ilib/include -Itests -I."
case $engine in
libfuzzer) compiler=clang instrument=-fsanitize=fuzzer-no-link,address link=-fsanitize=fuzzer,address ;;
afl) compiler=afl-clang-fast instrument=-fsanitize=address link="-fsanitize=fuzzer,address" ;;
*) die "--engine takes one of: libfuzzer afl" ;;
esac
out=build/fuzz/$engine
mkdir -p "$out" "build/fuzz/$target.inputs" "build/fuzz/$target.found"

# --- building ---

newest_header=$(find lib tests docs/examples -name '*.h' -exec ls -t {} + | head -n 1)
objects=
compile() { # FILE [FLAG]...
    object=$out/$(echo "${1%.c}" | tr / _).o
    objects="$objects $object"
    if [ ! -e "$object" ] || [ "$1" -nt "$object" ] || [ "$newest_header" -nt "$object" ]; then
        # shellcheck disable=SC2086 # several words each
        $compiler $flags $instrument -c "$@" -o "$object"
    fi
}

for file in lib/*/*.c tests/support/misuse.c tests/support/check.c tests/support/hang.c "tests/fuzz/${target}_fuzz.c"; do
    compile "$file"
done
case $target in
objects) compile tests/fuzz/model.c ;;
raced) for file in perturb threads; do compile "tests/support/$file.c"; done ;;
index) for file in input parse graph team; do compile "docs/examples/$file.c"; done ;;
esac
program=$out/${target}_fuzz
# shellcheck disable=SC2086 # several words each
$compiler $link $objects -lurcu-bp -lurcu-cds -lpthread -lm -o "$program"

# --- running ---

corpus=tests/fuzz/corpus/$target inputs=build/fuzz/$target.inputs found=build/fuzz/$target.found
mkdir -p "$corpus"
# What the demonstration's parser says of every input that is not one is not of interest.
quiet=0
[ "$target" != index ] || quiet=2
common="-max_len=4096 -timeout=60 -len_control=0 -rss_limit_mb=4096 -close_fd_mask=$quiet"
if [ -n "$merge" ]; then
    [ "$engine" = libfuzzer ] || die "--merge is libFuzzer's"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/merged" "$work/chosen"
    # It runs the inputs in a child and goes on behind one that ends it. Its table says which edges each of them passes.
    queue=$found/afl/default/queue
    [ -d "$queue" ] || queue=
    # shellcheck disable=SC2086 # several words
    "$program" $common -set_cover_merge=1 -merge_control_file="$work/table" "$work/merged" "$corpus" "$inputs" $queue > "$work/log" 2>&1 || cat "$work/log"
    python3 tests/fuzz/smaller.py "$work/table" "$work/chosen"
    for file in "$corpus"/*; do # what has a name of its own shows something, and stays
        [ ! -e "$file" ] || basename "$file" | grep -qxE '[0-9a-f]{16}' || cp "$file" "$work/chosen"
    done
    rm -rf "$corpus"
    mv "$work/chosen" "$corpus"
elif [ "$engine" = afl ]; then
    AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 afl-fuzz -m none -t 5000 -V "$seconds" -i "$corpus" -o "$found/afl" -- "$program"
else
    # shellcheck disable=SC2086 # several words
    exec "$program" $common -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="$found/" "$inputs" "$corpus"
fi
