#!/bin/sh
# usage: bench/zoo.sh [DIR [NAME ...]]      default: build/zoo, and all models: 6 12 20 32 64 3d-4 3d-6 3d-8 3d-12
#                                           su2-2d-16-b1.8 su2-2d-16-b2.2 su2-2d-16-b2.7 su3-2d-16-b4 and those below
# Trains the models of examples/models anew, each from the one before, and exports them: hours. What DIR already holds is
# kept; an interrupted training goes on from its checkpoint. THREADS may be set; the results do not depend on it.
# A model that is named alone needs the one before it in DIR.
set -eu
cd "$(dirname "$0")/.."
dir=${1-build/zoo}
[ $# = 0 ] || shift
wanted=" ${*:-6 12 20 32 64 3d-4 3d-6 3d-8 3d-12 su2-2d-16-b1.8 su2-2d-16-b2.2 su2-2d-16-b2.7 su3-2d-16-b4 su3-2d-16-b5-ten su3-2d-16-b5-twenty su3-2d-16-b5 su3-2d-16-b6-six su3-2d-16-b6 su3-4d-4-b2 su3-4d-4-b3 u1-4d-4-b0.5-five u1-4d-4-b0.5 u1-2d-4-b2 u1-2d-16-b2 u1-2d-4-b7 u1-2d-16-b7} "
mkdir -p "$dir"
train() { # name, lambda, steps, seed, options...
    name=$1 out=$dir/full-$1.safetensors
    case $wanted in *" $name "*) ;; *) return 0 ;; esac
    if [ -f "$out" ]; then return; fi
    L=${name#3d-} program=build/lft-phi4-2d extent=${name}x$name
    if [ "$L" != "$name" ]; then program=build/lft-phi4-3d extent=${L}x${L}x$L; fi
    if [ -f "$out.checkpoint" ]; then
        set -- --resume "$out.checkpoint"
    else
        lambda=$2 steps=$3 seed=$4
        shift 4
        set -- --extent "$extent" --m2 -4 --lambda "$lambda" --steps "$steps" --seed "$seed" "$@"
    fi
    $program train "$@" --checkpoint "$out.checkpoint" --out "$out" ${THREADS:+--threads "$THREADS"}
    $program export "$out" --out "$dir/phi4-$name.safetensors"
}
train 6 6.975 600 1
train 12 5.276 490 11 --init "$dir/full-6.safetensors" --rate 0.003
train 20 4.807 2497 12 --init "$dir/full-12.safetensors" --rate 0.003
# planned for 2126 steps, and brought to an end at 1960
case $wanted in *" 32 "*) if [ ! -f "$dir/full-32.safetensors" ]; then
    [ -f "$dir/part-32.safetensors" ] || build/lft-phi4-2d train --extent 32x32 --m2 -4 --lambda 4.572 --steps 2126 --seed 13 \
        --init "$dir/full-20.safetensors" --rate 0.003 --stop-after 1890 --out "$dir/part-32.safetensors" ${THREADS:+--threads "$THREADS"}
    build/lft-phi4-2d train --resume "$dir/part-32.safetensors" --steps 1960 --out "$dir/full-32.safetensors" \
        ${THREADS:+--threads "$THREADS"}
    build/lft-phi4-2d export "$dir/full-32.safetensors" --out "$dir/phi4-32.safetensors"
fi ;; esac
# planned for 1150 steps with 18 integration steps, brought to an end at 1000; then a few with 27
case $wanted in *" 64 "*) if [ ! -f "$dir/full-64.safetensors" ]; then
    [ -f "$dir/part-64.safetensors" ] || build/lft-phi4-2d train --extent 64x64 --m2 -4 --lambda 4.398 --steps 1150 --seed 14 \
        --init "$dir/phi4-32.safetensors" --rate 0.0007 --warmup 15 --batch 128 --int-steps 18 --guard-every 500 --guard-samples 1 \
        --guard-std 0.01 --guard-mean 0.1 --stop-after 525 --out "$dir/part-64.safetensors" ${THREADS:+--threads "$THREADS"}
    [ -f "$dir/most-64.safetensors" ] || build/lft-phi4-2d train --resume "$dir/part-64.safetensors" --steps 1000 \
        --out "$dir/most-64.safetensors" ${THREADS:+--threads "$THREADS"}
    build/lft-phi4-2d train --extent 64x64 --m2 -4 --lambda 4.398 --steps 16 --seed 15 --init "$dir/most-64.safetensors" \
        --rate 0.00001 --int-steps 27 --guard-every 0 --measure-logq 8 --out "$dir/full-64.safetensors" ${THREADS:+--threads "$THREADS"}
    build/lft-phi4-2d export "$dir/full-64.safetensors" --out "$dir/phi4-64.safetensors"
fi ;; esac
train 3d-4 12.5 1000 41
train 3d-6 10 600 42 --init "$dir/full-3d-4.safetensors" --rate 0.003
train 3d-8 9.15 400 43 --init "$dir/full-3d-6.safetensors" --rate 0.003
train 3d-12 8.5 200 44 --init "$dir/full-3d-8.safetensors" --rate 0.003 --batch 128
gauge() { # name, program, options...
    name=$1 program=build/lft-$2 out=$dir/full-$1.safetensors
    shift 2
    case $wanted in *" $name "*) ;; *) return 0 ;; esac
    if [ -f "$out" ]; then return; fi
    if [ -f "$out.checkpoint" ]; then set -- --resume "$out.checkpoint"; fi
    $program train "$@" --checkpoint "$out.checkpoint" --out "$out" ${THREADS:+--threads "$THREADS"}
    $program export "$out" --out "$dir/$name.safetensors"
}
gauge su2-2d-16-b1.8 su2-2d --init n2lo --extent 16x16 --beta 1.8 --nodes 4 --int-steps 8 --steps 12 --batch 1024 --ridge 0.02 \
    --measure-logq 4 --seed 1 --real f32
gauge su2-2d-16-b2.2 su2-2d --init n2lo --extent 16x16 --beta 2.2 --nodes 4 --int-steps 10 --steps 16 --batch 1024 --ridge 0.02 \
    --measure-logq 4 --seed 1 --real f32
gauge su2-2d-16-b2.7 su2-2d --init n2lo --cut-off --extent 16x16 --beta 2.7 --nodes 4 --int-steps 14 --steps 12 --batch 1024 \
    --ridge 0.02 --measure-logq 4 --seed 1 --real f32
gauge su3-2d-16-b4 su3-2d --init n2lo --extent 16x16 --beta 4 --nodes 3 --int-steps 8 --steps 10 --batch 512 --ridge 0.02 \
    --ess-n 4000 --measure-logq 2 --seed 1 --real f32
gauge su3-2d-16-b5-ten su3-2d --init n2lo --extent 16x16 --beta 5 --nodes 4 --int-steps 10 --steps 10 --batch 512 --ridge 0.02 \
    --ess-n 4000 --measure-logq 0 --seed 5 --real f32
gauge su3-2d-16-b5-twenty su3-2d --init "$dir/full-su3-2d-16-b5-ten.safetensors" --extent 16x16 --beta 5 --int-steps 20 --steps 3 \
    --batch 384 --ridge 0.02 --measure-logq 0 --seed 15 --real f32
gauge su3-2d-16-b5 su3-2d --init "$dir/full-su3-2d-16-b5-twenty.safetensors" --extent 16x16 --beta 5 --int-steps 32 --optimizer adam \
    --steps 1 --rate 1e-12 --batch 16 --measure-logq 0 --guard-every 0 --seed 25 --real f32
gauge su3-2d-16-b6-six su3-2d --init "$dir/full-su3-2d-16-b5-ten.safetensors" --extent 16x16 --beta 6 --int-steps 24 --steps 6 \
    --batch 640 --ridge 0.02 --ess-n 4000 --measure-logq 0 --seed 6 --real f32
gauge su3-2d-16-b6 su3-2d --init "$dir/full-su3-2d-16-b6-six.safetensors" --extent 16x16 --beta 6 --int-steps 32 --steps 2 \
    --batch 384 --ridge 0.02 --measure-logq 0 --seed 16 --real f32
gauge su3-4d-4-b2 su3-4d --init n2lo --extent 4x4x4x4 --beta 2 --nodes 3 --int-steps 2 --fit 1024 --steps 0 --ess-n 512 \
    --measure-logq 0 --double-steps 16 --seed 1 --real f32 --threads 1
gauge su3-4d-4-b3 su3-4d --init n2lo --extent 4x4x4x4 --beta 3 --nodes 3 --int-steps 6 --fit 1024 --steps 0 --ess-n 512 \
    --measure-logq 0 --seed 1 --real f32
gauge u1-4d-4-b0.5-five u1-4d --init n2lo --extent 4x4x4x4 --beta 0.5 --nodes 3 --int-steps 5 --steps 4 --batch 512 --ridge 0.02 \
    --measure-logq 0 --seed 1 --real f32
gauge u1-4d-4-b0.5 u1-4d --init "$dir/full-u1-4d-4-b0.5-five.safetensors" --extent 4x4x4x4 --beta 0.5 --int-steps 10 --steps 1 \
    --rate 1e-9 --batch 192 --ess-n 1024 --measure-logq 0 --seed 2 --real f32
for beta in 2 7; do
    if [ $beta = 2 ]; then small="--steps 10 --batch 512" large="--steps 4 --batch 512"; else
        small="--steps 15 --batch 1024 --ridge 1e-3" large="--steps 15 --batch 1024"
    fi
    # shellcheck disable=SC2086 # words
    gauge u1-2d-4-b$beta u1-2d --flow multiscale --conditional circle --extent 4x4 --beta $beta $small --measure-logq 4 --seed 1 --real f32
    # shellcheck disable=SC2086 # words
    gauge u1-2d-16-b$beta u1-2d --flow multiscale --init "$dir/full-u1-2d-4-b$beta.safetensors" --extent 16x16 --beta $beta $large \
        --measure-logq 2 --seed 1 --real f32
done
