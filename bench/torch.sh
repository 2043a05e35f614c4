#!/bin/bash
# usage: bench/torch.sh [case ...]          default: the six cases of the scalar continuous flow, the four of couplings
# The C sampler against PyTorch, same model, one thread. For each case the two sides take turns in the same session,
# C torch C torch C, so that a change in the machine's load meets both; each run gives the median of its repetitions,
# and the medians of the runs are compared. One JSON line per case on standard output:
#   {"case": "cnf-train-L6", "ratio": torch_ms / ours_ms, "ours_ms": ..., "torch_ms": ..., ...}
# followed by PyTorch's BLAS, the implementation that ran, and the single runs. Everything else goes to standard error.
# May be set:
#   OURS     command of the C side; "--case CASE --json" is appended; it prints {"case": ..., "ours_ms": ...}
#   PEER     the PyTorch script [the one of bench/peers that has the case]; "--case CASE --threads 1 --budget BUDGET" is
#            appended. Without more words it takes its fastest form; PEER='bench/peers/cnf_torch.py --grad autograd' and
#            PEER='bench/peers/coupling_torch.py --impl circular --run eager' are what most people would write
#   PYTHON   a Python with PyTorch      BUDGET   seconds per PyTorch run      CORE   core for both sides, or "any"
# Exit status: 0 done, 1 a run failed, 2 PyTorch is missing.
set -u
cd "$(dirname "$0")/.." || exit 1
export LC_ALL=C OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

OURS=${OURS:-build/bench/phi4}
PEER=${PEER:-}
BUDGET=${BUDGET:-3}
CORE=${CORE:-$(($(nproc --all) - 1))} # nproc alone counts OMP_NUM_THREADS
turns='C torch C torch C'

if [ -z "${PYTHON:-}" ]; then
    for PYTHON in /usr/bin/python3 python3; do
        "$PYTHON" -c 'import torch' 2>/dev/null && break
    done
fi
if ! "$PYTHON" -c 'import torch' 2>/dev/null; then
    echo 'bench/torch.sh: PyTorch is missing. Install it with: apt-get install python3-torch libopenblas0-pthread' >&2
    exit 2
fi

pin=()
if [ "$CORE" != any ] && taskset -c "$CORE" true 2>/dev/null; then pin=(taskset -c "$CORE"); fi

stop() {
    echo "bench/torch.sh: $1" >&2
    exit 1
}

number() { # the number that stands under a key of a JSON line
    sed -n "s/.*\"$1\": *\([-+0-9.eE]*\).*/\1/p" <<<"$2" | tail -n 1
}

word() { # the same for a string
    sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p" <<<"$2" | tail -n 1
}

median() {
    printf '%s\n' "$@" | sort -g | awk '{v[NR] = $1} END {printf "%.6g", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2}'
}

list() {
    local IFS=,
    echo "[$*]"
}

command -v "${OURS%% *}" >/dev/null || stop "there is no ${OURS%% *}; build it first, or name the C side in OURS"
[ $# -gt 0 ] || set -- cnf-{train,sample}-L{6,12,32} coupling-{train,sample}-L{8,16}
warned=
for case; do
    ours=() torch=() blas='' how=''
    peer=${PEER:-bench/peers/${case%%-*}_torch.py} # of cnf-train-L6: cnf_torch.py
    [ -e "${peer%% *}" ] || stop "there is no peer for $case"
    for side in $turns; do
        if [ "$side" = C ]; then
            # shellcheck disable=SC2086  # OURS and PEER may hold arguments
            line=$("${pin[@]}" $OURS --case "$case" --json) || stop "$OURS failed on $case"
            ms=$(number ours_ms "$line")
            ours+=("$ms")
        else
            # shellcheck disable=SC2086
            line=$("${pin[@]}" "$PYTHON" $peer --case "$case" --threads 1 --budget "$BUDGET") || stop "$peer failed on $case"
            ms=$(number torch_ms "$line") blas=$(word blas "$line")
            how="$(word impl "$line") $(word grad "$line") $(number chunk "$line")"
            torch+=("$ms")
        fi
        [ -n "$ms" ] || stop "no time in this line of $side: $line"
        echo "$case $side $ms ms" >&2
    done
    if [ "$blas" = reference ] && [ -z "$warned" ]; then
        warned=yes
        echo 'bench/torch.sh: PyTorch runs on the reference BLAS here, which flatters us: apt-get install libopenblas0-pthread' >&2
    fi
    a=$(median "${ours[@]}") b=$(median "${torch[@]}")
    ratio=$(awk -v a="$a" -v b="$b" 'BEGIN {printf "%.4g", b / a}')
    printf '{"case": "%s", "ratio": %s, "ours_ms": %s, "torch_ms": %s, ' "$case" "$ratio" "$a" "$b"
    printf '"blas": "%s", "torch_how": "%s", ' "$blas" "$how"
    printf '"ours_runs": %s, "torch_runs": %s}\n' "$(list "${ours[@]}")" "$(list "${torch[@]}")"
done
