#!/bin/bash
# usage: tests/compile/link.sh quick|full
# Small programs: one and two instances in a file, two files linked, C with C++, an implementation for another
# instruction set, private instances; what must fail, with the words that help; what LFT_UPTO leaves out.
# full: with clang too.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/compile/common.sh
case "${1-} $#" in "quick 1" | "full 1") ;; *) usage link.sh ;; esac

symbol=phi4_2d_flow_init_scalar_2d_f32_v1

compile() { # object, compiler, source, flags...; a failure is a case
    local object=$1 cc=$2 source=$3
    shift 3
    # shellcheck disable=SC2046 # words
    "$cc" $(language "$cc") -O1 $(warnings "$cc") -I. "$@" -c "$here/$source" -o "$tmp/$object" 2>"$tmp/log" ||
        { bad "link: $cc${*:+ $*} $source compiles" "$tmp/log"; return 1; }
}
runs() { # case, compiler, objects...: they link, and the program says 0
    local name="link: $1" cc=$2
    shift 2
    if ! (cd "$tmp" && "$cc" "$@" -o program) >"$tmp/log" 2>&1; then
        bad "$name" "$tmp/log"
    elif timeout 60 "$tmp/program" >"$tmp/log" 2>&1; then
        ok "$name"
    else
        echo "exit status $?" >>"$tmp/log"
        bad "$name" "$tmp/log"
    fi
}
link_fails() { # case, compiler, objects...: they do not link, and the message has the symbol
    local name="link: $1: fails and names $symbol" cc=$2
    shift 2
    if (cd "$tmp" && "$cc" "$@" -o program) >"$tmp/log" 2>&1; then
        echo "it links" >"$tmp/log"
        bad "$name" "$tmp/log"
    elif grep -q "$symbol" "$tmp/log"; then
        ok "$name"
    else
        bad "$name" "$tmp/log"
    fi
}

families=(gcc)
[ "$1" = full ] && families+=(clang)
for cc in "${families[@]}"; do
    have "$cc" || { skip "link: $cc" "not installed"; continue; }
    case $cc in gcc) cxx=g++ ;; *) cxx=clang++ ;; esac
    have $cxx || { skip "link: $cxx" "not installed"; cxx=; }

    for compiler in $cc $cxx; do
        compile one.o "$compiler" one_instance.c && runs "$compiler: one instance" "$compiler" one.o
        compile two.o "$compiler" two_instances.c -march=native &&
            runs "$compiler: two instances in one file" "$compiler" two.o
        compile static.o "$compiler" static_instance.c && runs "$compiler: LFT_STATIC" "$compiler" static.o
    done

    compile a.o "$cc" two_files_a.c || continue
    compile b.o "$cc" two_files_b.c || continue
    runs "$cc: user and implementation in two files" "$cc" a.o b.o
    [ -f "$tmp/static.o" ] && runs "$cc: LFT_STATIC beside an implementation of that name" "${cxx:-$cc}" static.o b.o
    if [ -n "$cxx" ] && compile a++.o $cxx two_files_a.c && compile b++.o $cxx two_files_b.c; then
        runs "$cxx: user and implementation in two files" $cxx a++.o b++.o
        runs "$cxx: user in C++, implementation in C" $cxx a++.o b.o
        runs "$cxx: user in C, implementation in C++" $cxx a.o b++.o
    fi

    # Lanes do not leak into the binary interface: the two files may be compiled for different instruction sets.
    for arch in 'avx2,fma' 'avx512f,avx512dq,avx512bw,avx512vl'; do
        flags=$(echo ",$arch" | sed 's/,/ -m/g')
        # shellcheck disable=SC2086 # words
        accepts "$cc" $flags || { skip "link: $cc: $arch" "not known to the compiler"; continue; }
        # shellcheck disable=SC2086
        { compile a_wide.o "$cc" two_files_a.c $flags && compile b_wide.o "$cc" two_files_b.c $flags; } || continue
        if for f in ${arch//,/ }; do grep -qw "$f" /proc/cpuinfo || exit 1; done 2>/dev/null; then
            runs "$cc: implementation for $arch, user for the default" "$cc" a.o b_wide.o
            runs "$cc: implementation for the default, user for $arch" "$cc" a_wide.o b.o
        else
            skip "link: $cc: implementation for $arch" "not on this machine"
        fi
    done

    link_fails "$cc: no implementation" "$cc" a.o
    [ -n "$cxx" ] && link_fails "$cxx: no implementation" $cxx a++.o
    compile b_f64.o "$cc" two_files_b.c -DCASE_REAL=LFT_F64 &&
        link_fails "$cc: implementation in f64, user in f32" "$cc" a.o b_f64.o
    compile b_3d.o "$cc" two_files_b.c -DCASE_DIM=3 &&
        link_fails "$cc: implementation in 3d, user in 2d" "$cc" a.o b_3d.o
    compile trap.o "$cc" own_guard_trap.c &&
        link_fails "$cc: the user's own include guard swallows the implementation" "$cc" trap.o
done

# ---- LFT_UPTO: a prefix of the rooms ---------------------------------------------------------------------------------
cc=${families[0]}
exported() { nm -g "$tmp/$1" | awk '$2 ~ /^[A-TV-Z]$/ { print $3 }' | sort >"$tmp/$2"; }
if compile fields.o "$cc" two_files_b.c -DCASE_UPTO=LFT_FIELDS &&
    compile sample.o "$cc" two_files_b.c -DCASE_UPTO=LFT_SAMPLE &&
    compile train.o "$cc" two_files_b.c; then
    for upto in fields sample train; do exported $upto.o $upto; done
    grep -E '_(flow|hmc|train)' "$tmp/fields" >"$tmp/log"
    grep -q _lattice_init "$tmp/fields" || echo "no lattice" >>"$tmp/log"
    comm -23 "$tmp/fields" "$tmp/sample" >>"$tmp/log"
    expect_empty "link: LFT_UPTO LFT_FIELDS has the lattice and no flow" "$tmp/log"
    grep -E '_train' "$tmp/sample" >"$tmp/log"
    grep -q _flow_init "$tmp/sample" || echo "no flow" >>"$tmp/log"
    comm -23 "$tmp/sample" "$tmp/train" >>"$tmp/log"
    expect_empty "link: LFT_UPTO LFT_SAMPLE has the flow and no training" "$tmp/log"
    compile a_sample.o "$cc" two_files_a.c -DCASE_UPTO=LFT_SAMPLE &&
        runs "$cc: LFT_UPTO LFT_SAMPLE in both files" "$cc" a_sample.o sample.o
fi

# ---- errors: each #error of the header occurs, as the first message, and says what is legal --------------------------
base='-DLFT_NAME=a -DLFT_GROUP=LFT_SCALAR -DLFT_DIM=2'
error_case() { # words that the first error must have, flags...
    local words=$1 name
    shift
    name="link: $*: \"$words\""
    echo '#include "lftflow.h"' >"$tmp/error.c"
    if "$cc" -I. "$@" -c "$tmp/error.c" -o "$tmp/o" >"$tmp/log" 2>&1; then
        echo "it compiles" >"$tmp/log"
        bad "$name" "$tmp/log"
    elif grep -m 1 'error:' "$tmp/log" | tee -a "$tmp/seen" | grep -q "lftflow: .*$words"; then
        ok "$name"
    else
        bad "$name" "$tmp/log"
    fi
}
: >"$tmp/seen"
# shellcheck disable=SC2086 # words
{
    error_case 'LFT_GROUP is not defined; legal values: LFT_SCALAR, LFT_U1, LFT_SU2, LFT_SU3' -DLFT_NAME=a -DLFT_DIM=2
    error_case 'unknown LFT_GROUP; legal values: LFT_SCALAR, LFT_U1, LFT_SU2, LFT_SU3' -DLFT_NAME=a -DLFT_DIM=2 -DLFT_GROUP=LFT_SU5
    error_case 'LFT_DIM is not defined; legal values: 1, 2, 3, 4' -DLFT_NAME=a -DLFT_GROUP=LFT_SCALAR
    error_case 'LFT_DIM is out of range; legal values: 1, 2, 3, 4' -DLFT_NAME=a -DLFT_GROUP=LFT_SCALAR -DLFT_DIM=0
    error_case 'LFT_DIM is out of range; legal values: 1, 2, 3, 4' -DLFT_NAME=a -DLFT_GROUP=LFT_SCALAR -DLFT_DIM=5
    error_case 'LFT_DIM is 1: there are no plaquettes; legal values for gauge groups: 2, 3, 4' -DLFT_NAME=a \
        -DLFT_GROUP=LFT_U1 -DLFT_DIM=1
    error_case 'unknown LFT_REAL; legal values: LFT_F32, LFT_F64' $base -DLFT_REAL=float
    error_case 'unknown LFT_UPTO; legal values: LFT_FIELDS, LFT_SAMPLE, LFT_TRAIN' $base -DLFT_UPTO=9
    error_case 'LFT_LANES must be 1, 2, 4, 8 or 16' $base -DLFT_LANES=3
    error_case 'LFT_LANES is wider than the widest vector register' $base -DLFT_LANES=16 -DLFT_REAL=LFT_F64
}
sed -n 's/^ *# *error "\(.*\)".*/\1/p' lftflow.h | sort -u | while read -r text; do
    grep -qF "$text" "$tmp/seen" || echo "$text"
done >"$tmp/log"
expect_empty "link: every #error of the header has been seen" "$tmp/log"
finish
