#!/bin/bash
# usage: tests/run.sh quick|full|rest
# The one runner. Builds and runs every tests/unit/*.c and tests/physics/*.c, adds up their closing lines, has the files
# that they wrote read by tests/vectors/check_*.py, gives damaged files to the readers by tests/fuzz/*.c, then does the compile
# tests and the checks in tools/. quick: one build of each test. rest: what quick left out: most tests also with clang and
# OpenMP, one lane, -ffast-math, sanitizers; all compile tests; more damage. full: both.
# Logs: build/tests/<test>.<variant>.log. CC, CFLAGS, JOBS, LIMIT (seconds per test) and VARIANTS (of the tests) may be set.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
export LC_ALL=C
out=build/tests
fast='-O3 -march=native -ffp-contract=fast'
medium=${fast/O3/O2} # compiles twice as fast

variant() { # the compiler and the flags of a variant. What takes minutes leaves instances out
    case $1 in
    default) echo "${CC:-cc} ${CFLAGS:-$fast}" ;;
    clang) echo "clang $medium -fopenmp" ;;
    lanes1) echo "${CC:-cc} $medium -DLFT_TEST_LANES=1 -DLFT_TEST_FEW" ;;
    fast-math) echo "${CC:-cc} $medium -ffast-math" ;;
    asan) echo "${CC:-cc} -O1 -g1 -march=native -fsanitize=address,undefined -fno-sanitize-recover=undefined -DLFT_TEST_FEW" ;;
    msan) echo "clang -O1 -g1 -march=native -fsanitize=memory -DLFT_TEST_FEW" ;;
    esac
}
within() { # seconds, command...
    if [ "$1" -lt 1 ]; then return 124; fi
    timeout -k 5 "$@" </dev/null
}
run_program() { # seconds, variant, program...: the sanitizers' runtimes want the classic address layout
    local layout=()
    case $2 in asan | msan) layout=(setarch "$(uname -m)" -R) ;; esac
    "${layout[@]}" true 2>/dev/null || layout=()
    within "$1" "${layout[@]}" "${@:3}"
}

if [ "${1-}" = --one ]; then # variant and source: build, run, and print the result in one piece
    read -r variant source <<<"$2"
    name=$(basename "$source" .c).$variant
    log=$out/$name.log
    if [ "$variant" = default ]; then export LFT_TEST_OUT=$out/files; fi
    left=$((LFT_TEST_DEADLINE - $(date +%s)))
    [ "$left" -le "$LIMIT" ] || left=$LIMIT
    begin=$SECONDS
    # shellcheck disable=SC2046 # words
    if ! within 300 $(variant "$variant") -Wall -Wextra -Wno-unused-function -I. "$source" -o "$out/$name" -lm \
        >"$log" 2>&1; then
        result=$(bad "$source ($variant): does not compile; see $log" "$log")
    else
        run_program "$left" "$variant" "$out/$name" >>"$log" 2>&1
        status=$?
        counts=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1)
        grep -E 'FAILED|ERROR: |runtime error: |WARNING: ' "$log" >"$log.why"
        if [ $status -eq 124 ] || [ $status -eq 137 ]; then
            result=$(bad "$source ($variant): no end within $left s; see $log" "$log.why")
        elif [ -z "$counts" ]; then
            result=$(bad "$source ($variant): exit status $status and no closing line; see $log" "$log.why")
        elif [ $status -ne 0 ]; then
            case $counts in *' 0 failed'*) counts= ;; esac
            result=$(bad "$source ($variant): exit status $status; ${counts:+$counts; }see $log" "$log.why")
        else
            result=$(ok "$source ($variant): $counts, $((SECONDS - begin)) s")
        fi
        rm -f "$log.why" "$out/$name"
    fi
    echo "${counts:-0 passed, 1 failed, 0 skipped}" >"$log.counts"
    printf '%s\n' "$result"
    exit 0
fi

others='clang lanes1 fast-math asan msan'
case "${1-} $#" in
"quick 1") seconds=1800 mutations=20000 variants=default amount=quick ;;
"rest 1") seconds=3600 mutations=300000 variants=$others amount=full ;;
"full 1") seconds=5400 mutations=300000 variants="default $others" amount=full ;;
*) sed -n 's/^# usage: /usage: /p' tests/run.sh >&2; exit 2 ;;
esac
LFT_TEST_DEADLINE=$(($(date +%s) + seconds))
LIMIT=${LIMIT:-600}
variants=${VARIANTS:-$variants}
export LFT_TEST_DEADLINE LIMIT
rm -rf "$out"
mkdir -p "$out/files"

# ---- the test programs -----------------------------------------------------------------------------------------------
echo 'int main(void) { return 0; }' >"$out/probe.c"
for v in $variants; do
    # shellcheck disable=SC2046 # words
    if ! { $(variant "$v") "$out/probe.c" -o "$out/probe" && run_program 10 "$v" "$out/probe"; } 2>/dev/null; then
        skip "variant $v" "$(variant "$v") makes no program here"
        continue
    fi
    case $v in # what a test has to mention, or to include, for the variant to make a difference
    lanes1) word='LFT_TEST_LANES|instance\.h|_suite\.h|model_case\.h' ;;
    *) word=. ;;
    esac
    for source in tests/unit/*.c tests/physics/*.c; do
        case "$v $source" in
        *'*'*) ;;
        'default '*) echo "$v $source" ;;
        # What takes minutes and would find nothing new: physics but for -ffast-math, long runs, layers in every dimension.
        *test_pullback.c | *test_logz.c | *test_trivializing.c | *test_exact_physics.c) ;;
        'fast-math tests/physics/'*) echo "$v $source" ;;
        *' tests/physics/'*) ;;
        *'san '*test_layers_[13]d.c | 'lanes1 '*test_layers_[13]d.c) ;;
        *) if grep -qiE "$word" "$source"; then echo "$v $source"; fi ;;
        esac
    done >>"$out/cases"
done
rm -f "$out"/probe*
tr '\n' '\0' <"$out/cases" | xargs -0 -r -n 1 -P "${JOBS:-$(nproc 2>/dev/null || echo 2)}" tests/run.sh --one
while read -r v source; do
    f=$out/$(basename "$source" .c).$v.log
    add_closing_line "$source ($v)" "$f.counts"
    rm -f "$f.counts"
done <"$out/cases"
rm -f "$out/cases"

# ---- files that the tests left, beside what an independent reader has to print about them ----------------------------
for expected in "$out"/files/*.expected; do
    [ -f "$expected" ] || continue
    file=${expected%.expected}
    case $file in
    *.npy) reader=check_npy.py ;;
    *.safetensors) reader=check_safetensors.py ;;
    *) reader=check_gauge.py ;;
    esac
    name="tests/vectors/$reader: $(basename "$file")"
    if ! command -v python3 >/dev/null; then
        skip "$name" "python3 is not installed"
    elif within 60 python3 "tests/vectors/$reader" "$file" >"$file.printed" 2>&1 &&
        diff "$expected" "$file.printed" >"$file.log"; then
        ok "$name"
    else
        cat "$file.printed" >>"$file.log"
        bad "$name" "$file.log"
    fi
done

# ---- damaged files: the mutations of one seed, under the sanitizers --------------------------------------------------
for source in tests/fuzz/*.c; do
    [ -f "$source" ] || continue
    name=$(basename "$source" .c)
    # shellcheck disable=SC2046 # words
    if { $(variant asan) -DLFT_FUZZ_MAIN -I. "$source" -o "$out/$name" -lm &&
        run_program "$LIMIT" asan "$out/$name" "$mutations" 1; } >"$out/$name.log" 2>&1; then
        ok "$source: $mutations mutations"
    else
        bad "$source: $mutations mutations: exit status $?; see $out/$name.log" "$out/$name.log"
    fi
done

# ---- compile tests and tools -----------------------------------------------------------------------------------------
start() { # log name, command...
    local log=$out/$1.log
    shift
    echo "$*" >"$log"
    within $((LFT_TEST_DEADLINE - $(date +%s))) "$@" >>"$log" 2>&1 &
}
report() { # log name: what did not pass, and the sum
    local log=$out/$1.log name
    name=$(head -n 1 "$log")
    sed 1d "$log" | grep -vE '^ok |^[0-9]+ passed'
    printf '         %s: %s\n' "$name" "$(tail -n 1 "$log")"
    add_closing_line "$name" "$log"
}
if tools/amalgamate.sh --check 2>"$out/amalgamate.log"; then
    ok "lftflow.h is what tools/amalgamate.sh makes of src/"
else
    bad "lftflow.h is what tools/amalgamate.sh makes of src/" "$out/amalgamate.log"
fi
# Two at a time, each of which uses one processor; then the matrix, which uses all.
checks='freestanding link'
start freestanding tests/compile/freestanding.sh $amount
start link tests/compile/link.sh $amount
wait
if [ "$1" != rest ]; then
    checks="layers hygiene $checks cli cli-gauge"
    start layers tools/layers.sh
    start hygiene tools/hygiene.sh
    wait
    start cli tests/cli.sh $amount
    start cli-gauge tests/cli_gauge.sh
    wait
fi
start matrix tests/compile/matrix.sh $amount
wait
for name in $checks matrix; do report "$name"; done
finish
