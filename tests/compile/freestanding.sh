#!/bin/bash
# usage: tests/compile/freestanding.sh quick|full
# Without a C library: compiled to an object that may need memcpy, memset and the compiler's own runtime (the names that
# begin with two underscores), nothing else; memmove and memcmp, which gcc also assumes, are reported. And a compiler
# that knows no vectors. Every target that is not installed is skipped.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/compile/common.sh
case "${1-} $#" in "quick 1" | "full 1") ;; *) usage freestanding.sh ;; esac

undefined() { # object -> the symbols that it needs; WebAssembly is only read by LLVM's nm
    { nm -u "$1" || llvm-nm -u "$1" || echo "nm cannot read the object"; } 2>/dev/null | sed 's/^ *[Uw] *//' | sort -u
}
source=one_instance.c
needs_little() { # case, compiler, flags...
    local name="freestanding: $1" cc=$2 note
    shift 2
    have "$cc" || { skip "$name" "$cc is not installed"; return; }
    accepts "$cc" "$@" || { skip "$name" "$cc does not know $*"; return; }
    # shellcheck disable=SC2046 # words
    if ! "$cc" $(language "$cc") "$@" -ffreestanding -nostdlib -I. -c "$here/$source" -o "$tmp/o" 2>"$tmp/log"; then
        bad "$name" "$tmp/log"
        return
    fi
    undefined "$tmp/o" >"$tmp/needs"
    grep -vxE 'mem(cpy|set|move|cmp)|__.*|_GLOBAL_OFFSET_TABLE_' "$tmp/needs" >"$tmp/log"
    note=$(grep -xE 'memmove|memcmp' "$tmp/needs" | tr '\n' ' ')
    expect_empty "$name: needs $(tr '\n' ' ' <"$tmp/needs")${note:+(more than memcpy and memset: $note)}" "$tmp/log"
}

for cc in gcc clang; do needs_little "$cc -O2" $cc -O2; done
if [ "$1" = full ]; then
    needs_little "g++ -O2" g++ -O2
    for cc in gcc clang; do
        needs_little "$cc -O0" $cc -O0
        needs_little "$cc -O3 -march=native" $cc -O3 -march=native
    done
    needs_little "gcc -O3 -mavx2 -mfma" gcc -O3 -mavx2 -mfma
fi
needs_little "gcc -O2, one lane, f64" gcc -O2 -DCASE_LANES=1 -DCASE_REAL=LFT_F64
needs_little "gcc -O2 -m32" gcc -O2 -m32
needs_little "clang wasm32 -O2" clang --target=wasm32 -O2
needs_little "clang wasm32 -O2 -msimd128" clang --target=wasm32 -O2 -msimd128
needs_little "Cortex-M4 -O2" arm-none-eabi-gcc -O2 -mthumb -mcpu=cortex-m4 -mfloat-abi=hard -mfpu=fpv4-sp-d16
needs_little "Cortex-M7 -O2, LFT_SAMPLE" arm-none-eabi-gcc -O2 -mthumb -mcpu=cortex-m7 -mfloat-abi=hard -mfpu=fpv5-d16 \
    -DCASE_UPTO=LFT_SAMPLE

source=gauge_instance.c
for group in U1 SU2 SU3; do
    for dim in 2 3 4; do
        case "$1 $group$dim" in full* | *U13 | *SU22 | *SU34) ;; *) continue ;; esac
        flags="-O2 -DCASE_GROUP=LFT_$group -DCASE_DIM=$dim"
        # shellcheck disable=SC2086 # words
        {
            needs_little "gcc $group ${dim}d" gcc $flags
            needs_little "clang wasm32 -msimd128 $group ${dim}d" clang --target=wasm32 -msimd128 $flags
            needs_little "Cortex-M7 $group ${dim}d" arm-none-eabi-gcc -mthumb -mcpu=cortex-m7 -mfloat-abi=hard \
                -mfpu=fpv5-d16 $flags
        }
    done
done

# A compiler without vectors, attributes and builtins: one lane, and it runs.
for source in one_instance.c gauge_instance.c; do
    if ! have tcc; then
        skip "tcc: $source, one lane compiles and runs" "tcc is not installed"
    elif { tcc -I. "$here/$source" -o "$tmp/program" && timeout 60 "$tmp/program"; } >"$tmp/log" 2>&1; then
        ok "tcc: $source, one lane compiles and runs"
    else
        echo "exit status $?" >>"$tmp/log"
        bad "tcc: $source, one lane compiles and runs" "$tmp/log"
    fi
done
finish
