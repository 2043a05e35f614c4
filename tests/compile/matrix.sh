#!/bin/bash
# usage: tests/compile/matrix.sh quick|full
# Compiles one_instance.c (scalar fields) or gauge_instance.c to an object without a warning: compilers x standards x
# -O0..-O3 x instruction sets x groups x dimensions x real types. quick takes few, in which every pair of values occurs.
# full reads every group in every dimension by every standard, without making code, and makes code of each compiler's
# every level for every instruction set, the rest in turn.
# JOBS (default: the number of processors) compile at a time.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/compile/common.sh

arch_flags() {
    case $1 in
    sse2) ;; # what x86-64 has by default
    avx2) echo '-mavx2 -mfma' ;;
    native) echo '-march=native' ;;
    lanes1) echo '-DCASE_LANES=1' ;;
    esac
}

if [ "${1-}" = --case ]; then # compiler standard level arch dim real group, from below; prints in one piece
    read -r cc std level arch dim real group <<<"$2"
    source=$here/gauge_instance.c
    if [ "$group" = SCALAR ]; then source=$here/one_instance.c; fi
    # shellcheck disable=SC2046,SC2086 # words
    if "$cc" $(language "$cc") -std="$std" "$level" $(arch_flags "$arch") $(warnings "$cc") -DCASE_DIM="$dim" \
        -DCASE_REAL="LFT_$real" -DCASE_GROUP="LFT_$group" -I. -c "$source" -o "$tmp/o" 2>"$tmp/log"; then
        result=$(ok "matrix: $2")
    else
        result=$(REASONS=3 bad "matrix: $2" "$tmp/log")
    fi
    printf '%s\n' "$result"
    exit 0
fi
case "${1-} $#" in "quick 1" | "full 1") ;; *) usage matrix.sh ;; esac

compilers=() archs='sse2 native lanes1'
for cc in gcc clang g++ clang++; do
    if have $cc; then compilers+=("$cc"); else skip "matrix: $cc" "not installed"; fi
done
if accepts "${compilers[0]:-cc}" -mavx2 -mfma; then archs="$archs avx2"; else skip "matrix: avx2" "another machine"; fi

# One line per case. quick: the next case is always the one, out of all combinations, that has most pairs of values that did
# not occur yet. A standard is paired with its compiler only.
awk -v how="$1" -v compilers="${compilers[*]}" -v archs="$archs" '
function pairs(text, mark,   w, i, j, n) {
    split(text, w, " ")
    for (i = 1; i <= 7; ++i) for (j = i + 1; j <= 7; ++j) {
        if ((i == 2 || j == 2) && i + j != 3) continue
        if (!((i, j, w[i], w[j]) in done)) { ++n; if (mark) done[i, j, w[i], w[j]] }
    }
    return n + 0
}
BEGIN {
    split("-O0 -O1 -O2 -O3", level, " ")
    split("SCALAR U1 SU2 SU3", group, " ")
    nc = split(compilers, cc, " "); na = split(archs, arch, " ")
    for (c = 1; c <= nc; ++c) {
        ns = split(cc[c] ~ /\+\+/ ? "c++11 c++17" : "c99 c11 c17 gnu99", std, " ")
        for (g = 1; g <= 4; ++g) for (d = 1 + (g > 1); d <= 4; ++d) for (s = 1; s <= ns; ++s) {
            if (how == "full") print cc[c] " " std[s] " -fsyntax-only native " d " " (++k % 2 ? "F64" : "F32") " " group[g]
            else for (l = 1; l <= 4; ++l) for (a = 1; a <= na; ++a) {
                head = cc[c] " " std[s] " " level[l] " " arch[a] " " d
                all[++n] = head " F32 " group[g]; all[++n] = head " F64 " group[g]
            }
        }
        if (how == "full") for (l = 1; l <= 4; ++l) for (a = 1; a <= na; ++a) {
            g = (m++ + l) % 4 + 1; d = int(m / 5) % 3 + 2
            print cc[c] " " std[int(m / 3) % ns + 1] " " level[l] " " arch[a] " " d " " (int(m / 2) % 2 ? "F64" : "F32") " " group[g]
        }
    }
    if (how == "full") exit
    for (;;) {
        most = 0
        for (i = 1; i <= n; ++i) if ((fresh = pairs(all[i], 0)) > most) { most = fresh; best = i }
        if (!most) exit
        pairs(all[best], 1)
        print all[best]
    }
}' >"$tmp/cases"

tr '\n' '\0' <"$tmp/cases" | xargs -0 -n 1 -P "${JOBS:-$(nproc 2>/dev/null || echo 2)}" tests/compile/matrix.sh --case |
    tee "$tmp/results"
passed=$(grep -c '^ok ' "$tmp/results")
failed=$(($(wc -l <"$tmp/cases") - passed)) # a case that said nothing has failed too
finish
