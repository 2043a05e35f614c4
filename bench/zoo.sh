#!/bin/sh
# usage: bench/zoo.sh [DIR]                 default: build/zoo
# Trains the models of examples/models anew, each from the one before, and exports them: hours. What DIR already holds is
# kept; an interrupted training goes on from its checkpoint. THREADS may be set; the results do not depend on it.
set -eu
cd "$(dirname "$0")/.."
dir=${1-build/zoo}
mkdir -p "$dir"
train() { # extent, lambda, steps, seed, options...
    out=$dir/full-$1.safetensors extent=$1
    if [ -f "$out" ]; then return; fi
    if [ -f "$out.checkpoint" ]; then
        set -- --resume "$out.checkpoint"
    else
        lambda=$2 steps=$3 seed=$4
        shift 4
        set -- --extent "${extent}x$extent" --m2 -4 --lambda "$lambda" --steps "$steps" --seed "$seed" "$@"
    fi
    build/lft-phi4-2d train "$@" --checkpoint "$out.checkpoint" --out "$out" ${THREADS:+--threads "$THREADS"}
    build/lft-phi4-2d export "$out" --out "$dir/phi4-$extent.safetensors"
}
train 6 6.975 600 1
train 12 5.276 490 11 --init "$dir/full-6.safetensors" --rate 0.003
train 20 4.807 2497 12 --init "$dir/full-12.safetensors" --rate 0.003
# planned for 2126 steps, and brought to an end at 1960
if [ ! -f "$dir/full-32.safetensors" ]; then
    [ -f "$dir/part-32.safetensors" ] || build/lft-phi4-2d train --extent 32x32 --m2 -4 --lambda 4.572 --steps 2126 --seed 13 \
        --init "$dir/full-20.safetensors" --rate 0.003 --stop-after 1890 --out "$dir/part-32.safetensors" ${THREADS:+--threads "$THREADS"}
    build/lft-phi4-2d train --resume "$dir/part-32.safetensors" --steps 1960 --out "$dir/full-32.safetensors" \
        ${THREADS:+--threads "$THREADS"}
    build/lft-phi4-2d export "$dir/full-32.safetensors" --out "$dir/phi4-32.safetensors"
fi
