#!/bin/sh
# SPDX-License-Identifier: MIT
# Can the oracles fail? Puts one deliberate mistake after another into a copy of the library, and sees which target finds it, with its
# corpus and the mutations of every test run: README.md has the table. usage: mistakes.sh [NAME]...   Some minutes; takes gcc and liburcu.
set -eu

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
flags="-std=c11 -D_GNU_SOURCE -O1 -g -DOURO_DEBUG=${OURO_DEBUG:-0} -fPIC"
wanted=" $* "
missed=0

objects_of() { # TARGET: what it needs beside the library
    case $1 in
    objects) echo tests/fuzz/model.c ;;
    raced) echo tests/support/perturb.c tests/support/threads.c ;;
    index) echo docs/examples/graph.c docs/examples/input.c docs/examples/parse.c docs/examples/team.c ;;
    esac
}

compile() { # FILE, below the copy
    # shellcheck disable=SC2086 # several words
    gcc $flags -I"$work/lib" -I"$work/lib/include" -c "$work/$1" -o "$work/$(echo "$1" | tr / _).o"
}

mistake() { # NAME TARGET FILE OLD NEW: the text OLD, in one line of FILE, becomes NEW
    case $wanted in "  " | *" $1 "*) ;; *) return 0 ;; esac
    cp "$work/$3" "$work/right"
    OLD=$4 NEW=$5 awk '{
        at = index($0, ENVIRON["OLD"])
        if (at && !done) {
            $0 = substr($0, 1, at - 1) ENVIRON["NEW"] substr($0, at + length(ENVIRON["OLD"]))
            done = 1
        }
        print
    }' "$work/right" > "$work/$3"
    if cmp -s "$work/right" "$work/$3"; then
        echo "$1: $3 has no such text" >&2
        exit 2
    fi
    case $3 in lib/*) compile "$3" ;; esac
    # shellcheck disable=SC2046,SC2086 # several words each
    (cd "$work" && gcc $flags -Ilib -Ilib/include -Itests -I. "tests/fuzz/$2_fuzz.c" tests/fuzz/driver.c $(objects_of "$2") tests/support/misuse.c \
        tests/support/check.c tests/support/hang.c lib_*.o -lurcu-bp -lurcu-cds -lpthread -lm -o program)
    if (cd "$work" && timeout 300 ./program "tests/fuzz/corpus/$2" > log 2>&1); then
        echo "$1: MISSED by $2"
        missed=$((missed + 1))
    else
        where=$(sed -n 's/.*\(in mutation [0-9]*\|in tests[^ ]*\)\(;.*\)\{0,1\}$/\1/p' "$work/log" | head -n 1)
        echo "$1: found by $2, $where: $(grep -m 1 -o -e 'not so: .*' -e 'ended by .*' "$work/log" | cut -c 1-80)"
    fi
    mv "$work/right" "$work/$3"
    case $3 in lib/*) compile "$3" ;; esac
}

mkdir -p "$work/docs"
cp -r "$top/lib" "$top/tests" "$work"
cp -r "$top/docs/examples" "$work/docs"
for file in "$top"/lib/*/*.c; do
    compile "${file#"$top"/}"
done

mistake set-retains-twice objects lib/object/slot.c "    retain_for_store(access, word);" "    retain_for_store(access, word), retain_for_store(access, word);"
mistake take-counts objects lib/object/slot.c 'return oi_slot_ref(take(container, slot, "ouro_take"));' \
    'return ouro_retain(oi_slot_ref(take(container, slot, "ouro_take")));'
mistake young-not-finalized objects lib/cycle/young.c "return oi_type_of(o)->finalize && !(oi_flags(o) & OI_FINALIZED);" "return false;"
mistake shared-not-finalized objects lib/cycle/reclaim.c "if (!oi_type_of(o)->finalize || (oi_flags(o) & OI_FINALIZED))" "if (1)"
mistake weak-not-cleared objects lib/object/destroy.c "        oi_weak_target_died(act, o);" "        (void)0;"
mistake published-alone objects lib/object/publish.c \
    "        ouro_object *last = OI_LIKELY(oi_is_mere_pair(first)) ? shade_pair(self, id, o) : shade_other(act, id, o, first, &reading);" \
    "        ouro_object *last = NULL;"
mistake reachable-collected objects lib/cycle/young.c "        oi_each_ref(oi_type_word(o), o, shade, self);" "        (void)shade;"
mistake exchange-not-atomic raced lib/object/slot.c "        return oi_exchange_acqrel(&slot->ouro_private_ref, word);" "        access = PRIVATE;"
mistake insert-off-by-one values lib/value/list.c "(size_t)0 - (size_t)edit->start : 0" "(size_t)1 - (size_t)edit->start : 0"
mistake changes-unseen iterators lib/value/iterator_dict.c "return dict->changes == iterator->dict.version ? take_own(dict, at, taken) : OURO_E_CHANGED;" \
    "return take_own(dict, at, taken);"
mistake one-field-more records lib/value/record.c "index >= oi_record_of(value)->array.length" "index > oi_record_of(value)->array.length"
mistake dead-keys-stay weak lib/value/weak_map.c "    if (map)" "    if (0)"
mistake surrogates text lib/value/utf8.c "high = 0x9f;" "high = 0xbf;"
mistake limit-of-units options lib/runtime/options.c "n > SIZE_MAX >> shift" "n >= SIZE_MAX >> shift"
mistake bar-is-no-comma index docs/examples/parse.c " && field->at[length] != '|'" ""
[ "$missed" = 0 ]
