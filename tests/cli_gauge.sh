#!/bin/bash
# usage: tests/cli_gauge.sh
# The command-line programs for gauge fields: their commands with small budgets against exact numbers, files to and fro, and what
# they say about bad input. One line per case.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/cli_common.sh

# ---- U(1) in two dimensions: exact numbers of the torus with 64 plaquettes ---------------------------------------------
use lft-u1-2d
beta=(--extent 8x8 --beta 2 --seed 1 --threads 1 --json --quiet)
expect "u1: help" 0 'U\(1\) gauge theory in 2 dimensions' --help
for command in train sample info export hmc heatbath measure convert check selftest bench; do
    expect "u1: $command --help" 0 "usage: .* $command" "$command" --help
done
expect "u1: options of all flows" 0 '--extent LxL +sites' sample --help
near='
o = last(sys.argv[1])["observables"]
for name, exact in (("plaquette", 0.697774658011), ("q2", 1.2392989107), ("q", 0), ("polyakov_re", 0)):
    finite(o[name]["value"], o[name]["error"])
    assert o[name]["reliable"] and abs(o[name]["value"] - exact) < 3.5 * o[name]["error"], (name, o[name], exact)
assert abs(o["action"]["value"] + 2 * o["plaquette"]["value"]) < 1e-6
'
expect "u1: selftest" 0 '^28 passed, 0 failed' selftest
expect "u1: bench" 0 '"heatbath_ns":[0-9]' bench --extent 4x4 --json
expect "u1: hmc" 0 '"status":"ok"' hmc "${beta[@]}" --n 60000
py "u1: hmc, exact numbers" "$near" out
expect "u1: heatbath" 0 '"status":"ok"' heatbath "${beta[@]}" --n 60000 --real f32
py "u1: heatbath, exact numbers" "$near" out
expect "u1: fourth order, hot start, as text" 0 'integration steps' hmc --extent 4x4 --beta 1 --n 500 --integrator fourth \
    --start hot --threads 1
expect "u1: npy" 0 '"status":"ok"' heatbath --extent 4x6 --beta 3 --n 40 --chains 4 --out x.npy --wilson 1x2 --json --quiet
cp out made
expect "u1: measure npy" 0 '"status":"ok"' measure x.npy --chains 4 --beta 3 --wilson 1x2 --json
py "u1: what was measured then and now" '
a, b = (last(f)["observables"] for f in sys.argv[1:])
assert list(a) == list(b) and "wilson_1x2" in a, (list(a), list(b))
for name in a:
    assert abs(a[name]["value"] - b[name]["value"]) < 1e-12 and abs(a[name]["error"] - b[name]["error"]) < 1e-12, name
' made out
py "u1: shape of the npy file" 'assert npy("x.npy")[0] == (40, 4, 6, 2, 1)'

# ---- flows ---------------------------------------------------------------------------------------------------------------
untrained=(sample --extent 8x8 --beta 1 --threads 1)
expect "u1: sample nlo" 0 '"flow":"loops"' "${untrained[@]}" --flow nlo --n 20000 --seed 2 --json
py "u1: sample nlo, exact numbers" '
r = last("out")
p = r["observables"]["plaquette"]
assert p["reliable"] and abs(p["value"] - 0.446389965897) < 4 * p["error"], p
assert 0.66 < r["ess"] < 0.76 and r["logq_n"] == 32 and r["logq_error"] < 1e-4 and r["couplings"]["beta"] == 1, r
finite(r["acceptance"], r["tau_int"], r["logz"], r["logz_error"], r["longest_rejection"])'
expect "u1: sample n3lo" 0 '"flow":"loops"' "${untrained[@]}" --flow n3lo --int-steps 4 --n 2000 --seed 2 --measure-logq 2 --json
py "u1: sample n3lo, log Z" '
r = last("out")
assert r["ess"] > 0.97 and abs(r["logz"] - 15.0985189445) < 4 * r["logz_error"] + 1e-3, r'
expect "u1: twice the steps" 0 '"finer_n":256' "${untrained[@]}" --flow n3lo --int-steps 2 --n 2000 --seed 2 --double-steps 256 --json
py "u1: log Z without the shift of 2 steps" '
r = last("out")
assert r["logq_n"] == 0 and r["logq_error"] is None and 1e-3 < r["finer_std"] < 1, r
assert abs(r["logz_shift"]) > 4 * r["logz_shift_error"] and abs(r["logz"] - 15.0985189445) < 4 * r["logz_error"], r'
expect "u1: twice the steps, or epsilon" 1 'double-steps: expected no --measure-logq beside it, got 4' "${untrained[@]}" --flow nlo --n 10 \
    --double-steps 8 --measure-logq 4
few=(train --extent 8x8 --beta 2 --steps 2 --batch 64 --int-steps 3 --seed 1 --threads 1 --ess-n 500 --double-steps 64 --out few)
expect "u1: training refines too few steps" 0 'log Z by [-0-9.]*: integration steps refined to 8' "${few[@]}"
expect "u1: as far as it may" 0 'on 64 samples: too few steps' "${few[@]}" --most-int-steps 4
expect "u1: exact draws, no steps" 0 'epsilon    none' sample --flow exact --extent 4x4 --beta 2 --n 10 --double-steps 8
expect "u1: sample lo, with loops and an npy file" 0 'wilson_2x2' "${untrained[@]}" --flow lo --n 500 --wilson 2x2 --measure-logq 0 \
    --out lo.npy --integrator rk3
py "u1: shape of the npy file of a flow" 'assert npy("lo.npy")[0] == (500, 8, 8, 2, 1)'
train=(train --extent 8x8 --beta 1 --int-steps 8 --seed 1 --ess-n 2000 --measure-logq 2 --threads 1)
expect "u1: train" 0 '"status":"ok"' "${train[@]}" --flow continuous --batch 128 --steps 8 --out m --history h --json
py "u1: it has learned something" '
r = last("out")
assert r["ess"] > 0.9 and r["steps"] == 8 and r["batch"] == 128 and r["parameters"] == 16 and r["logq_n"] == 2, r
assert [loads(l)["step"] for l in open("h")] == list(range(1, 9))'
expect "u1: info" 0 'tr xyXY ' info m
expect "u1: info --json" 0 '"loops":4,"nodes":4,"integrator":"cf4"' info m --json
expect "u1: info --memory" 0 'flow_and_training_f32' info --memory --extent 6x6 --optimizer adam
expect "u1: sample from a model" 0 '"status":"ok"' sample --model m --n 2000 --chains 16 --out s.nersc --json --threads 1 --therm 5
py "u1: a model whose Jacobian overflows" '
data = bytearray(open("m", "rb").read())
n = struct.unpack("<Q", data[:8])[0]
b, e = json.loads(bytes(data[8:8 + n]))["layer0.plaquette"]["data_offsets"]
values = [1e20 * v for v in struct.unpack("<%dd" % ((e - b) // 8), data[8 + n + b:8 + n + e])]
data[8 + n + b:8 + n + e] = struct.pack("<%dd" % len(values), *values)
open("steep", "wb").write(data)'
expect "u1: sample says that its epsilon is not finite" 0 'epsilon +not measured: log q may be off: .* not finite' sample --model steep \
    --n 32 --measure-logq 2 --threads 1 --real f64
expect "u1: the verdict says so" 0 'verdict .*epsilon could not be measured' sample --model steep --n 32 --measure-logq 2 --threads 1 --quiet \
    --real f64
expect "u1: and the result" 0 '"logq_n":0,.*"unmeasured":"epsilon: .*not finite",.*epsilon could not be measured' sample --model steep --n 32 \
    --measure-logq 2 --threads 1 --json --real f64
expect "u1: a configuration of it" 0 'verdict +checksum right' check s-001999.nersc
rm -f s-*.nersc
expect "u1: sample with trajectories in between" 0 verdict sample --model m --n 64 --trajectories 1 --threads 1
expect "u1: hmc in the variables of a flow" 0 '"exp_dh":' hmc --model m --n 64 --therm 10 --json
expect "u1: forward ESS" 0 '"forward_ess":0\.[5-9]' measure lo.npy --model m --json
expect "u1: export" 0 'parameters in' export m --out m-array.h
expect "u1: train from a model of another extent" 0 '"extent":\[4,6\]' "${train[@]}" --extent 4x6 --init m --batch 64 --steps 8 \
    --out m46 --json
expect "u1: train with Adam from the identity" 0 '"parameters":10' "${train[@]}" --optimizer adam --init none --nodes 2 --steps 4 \
    --batch 32 --guard-every 2 --out adam --json
expect "u1: train the plaquette alone on 2x2" 0 '"parameters":4' "${train[@]}" --extent 2x2 --loops 1 --steps 8 --out y --json
expect "u1: train a net" 0 '"parameters":49' "${train[@]}" --batch 128 --steps 4 --units 3 --reach 2 --out net --json
expect "u1: loops have no names" 1 "how many classes, those that info lists, got 'chair'" "${train[@]}" --loops chair --out y
expect "u1: loops that close around the lattice" 0 'loops close around the lattice along axes of 2 sites' sample --flow nlo \
    --extent 2x2 --beta 1 --n 64 --threads 1
expect "u1: checkpoints go to --out where they have no other place" 0 '"status":"ok"' "${train[@]}" --extent 2x2 --steps 3 --batch 32 \
    --checkpoint-every 1e-9 --out y --json
expect "u1: info of loops that close around it" 0 'classes of loops that close around it' info y
expect "u1: info --memory knows the loops" 0 '"loops":13,"nodes":4,"integrator":"cf4"' info --memory --loops 13 --extent 8x8 --json
expect "u1: info of a net" 0 'net of plaquettes, 3 units, reach 2' info net
expect "u1: info --json of a net" 0 '"units":3,"reach":2' info net --json
expect "u1: sample from a net" 0 '"status":"ok"' sample --model net --n 200 --json --threads 1
expect "u1: train from a net" 0 '"parameters":49' "${train[@]}" --extent 4x6 --init net --batch 64 --steps 2 --out y --json
for net in "" "--units 3"; do
    # shellcheck disable=SC2086  # nothing, or two words
    expect "u1: one step from a model $net" 0 '"steps":1,' "${train[@]}" --init m --batch 64 --steps 1 $net --out "y${net:+n}" --json
    cp out "one${net:+n}"
done
py "u1: a net beside the loops of a model is nothing at first" '
a, b = last("one"), last("onen")
assert b["parameters"] > a["parameters"] and abs(a["loss"] - b["loss"]) < 1e-9 * abs(a["loss"]), (a, b)'
fit=(train --extent 8x8 --beta 2 --init n2lo --cut-off --seed 1 --ess-n 4000 --measure-logq 2 --threads 1 --fit 256)
expect "u1: fit" 0 'fit +[0-9.]+ s, no steps of training' "${fit[@]}" --steps 0 --out y
expect "u1: fit and steps" 0 'variance of log w, from the equation' "${fit[@]}" --steps 1 --batch 128 --out y
expect "u1: fit from a model" 0 '"steps":0,' "${fit[@]:0:5}" --init y --fit 64 --steps 0 --measure-logq 0 --out y2 --json
expect "u1: fit, as JSON" 0 '"steps":0,' "${fit[@]}" --steps 0 --out y --json
py "u1: fit, log Z" '
r = last("out")
assert r["ess"] > 0.3 and r["loss"] is None and abs(r["logz"] - 52.7355657) < 4 * r["logz_error"], r'
expect "u1: no steps without a fit" 1 'steps: expected' "${train[@]}" --steps 0 --out y
expect "u1: fit of scales" 1 'loop fit: layers' "${fit[@]}" --flow multiscale --steps 0 --out y
expect "u1: fit of a net" 1 'loop fit: units' "${fit[@]}" --units 2 --steps 0 --out y
expect "u1: fit of one configuration" 1 'fit: expected' "${train[@]}" --fit 1 --steps 0 --out y
expect "u1: a time budget" 0 'calibration: .* steps in 2 s' "${train[@]}" --extent 4x4 --seconds 2 --out y
straight=("${train[@]}" --extent 4x6 --batch 48 --steps 9)
expect "u1: train straight on" 0 verdict "${straight[@]}" --out straight --threads 2
for stop in 1 5; do
    expect "u1: train, stop after $stop" 0 "stopped at step $stop of 9" "${straight[@]}" --stop-after $stop --out part
    expect "u1: resume at $stop" 0 verdict train --resume part --out whole --ess-n 2000 --measure-logq 2 --threads 1
    same "u1: the same model, stopped at $stop" straight whole
done
interrupted "u1: SIGINT while training" INT 130 "${straight[@]}" --steps 100000 --out part
expect "u1: what is left is a model" 0 'checkpoint train --resume' info part

scales=(train --flow multiscale --beta 2 --seed 1 --threads 1)
expect "u1: train from one site on" 0 '"flow":"multiscale"' "${scales[@]}" --from 1x1 --extent 4x4 --steps 10 --batch 1024 --ess-n 4000 \
    --measure-logq 4 --out m4 --json
py "u1: its weights and log Z" '
r = last("out")
assert r["ess"] > 0.93 and r["layers"] == 8 and r["parameters"] == 160 and r["extent"] == [4, 4] and r["logq_n"] == 4, r
assert abs(r["logz"] - 13.1901932584) < 4 * r["logz_error"] + 2e-3, r'
expect "u1: info shows the scales" 0 'layer 6 +on 4x4: doubling, drawn' info m4
expect "u1: and the flows between them" 0 'layer 5 +on 4x2: loops through the new links of axis 0, 10 classes' info m4
expect "u1: sample from it" 0 '"flow":"multiscale"' sample --model m4 --n 20000 --seed 2 --threads 1 --json
py "u1: sample from it, exact numbers" '
r = last("out")
p = r["observables"]["plaquette"]
assert r["acceptance"] > 0.85 and p["reliable"] and abs(p["value"] - 0.6992519268) < 4 * p["error"], r'
expect "u1: two scales more" 0 '"extent":\[8,8\]' "${scales[@]}" --init m4 --extent 8x8 --steps 1 --rate 1e-6 --batch 512 --ess-n 2000 \
    --measure-logq 0 --out m8 --json
py "u1: as good as on the smaller lattice" 'r = last("out"); assert r["ess"] > 0.9 and r["layers"] == 12, r'
expect "u1: with flows of all links" 0 '"layers":7' "${scales[@]}" --from 2x2 --extent 4x4 --refine --init nlo --beta 0.5 --steps 2 \
    --batch 256 --ess-n 500 --measure-logq 0 --out y --json
expect "u1: circles" 0 '"integration_steps":0' "${scales[@]}" --conditional circle --extent 4x4 --beta 7 --steps 8 --batch 512 --harmonics 8 \
    --ess-n 4000 --measure-logq 2 --out c4 --json
py "u1: their weights, log Z and epsilon" '
r = last("out")
assert r["ess"] > 0.98 and r["layers"] == 8 and r["parameters"] == 32 and r["logq_error"] < 1e-11, r
assert abs(r["logz"] - 82.5064899) < 4 * r["logz_error"], r'
expect "u1: info shows them" 0 'layer 5 +on 4x2: circle maps of the new links of axis 0' info c4
expect "u1: circles on a larger lattice" 0 '"layers":16' "${scales[@]}" --init c4 --extent 16x16 --beta 7 --steps 1 --rate 1e-9 --batch 64 \
    --ess-n 1000 --measure-logq 0 --out c16 --json
py "u1: no worse per link" 'r = last("out"); assert r["ess"] > 0.8 and abs(r["logz"] - 1312.6381863) < 4 * r["logz_error"], r'
expect "u1: circles at another coupling" 0 '"ess":0.9' "${scales[@]}" --init c4 --extent 4x4 --beta 5 --steps 6 --batch 512 --ess-n 1000 \
    --measure-logq 0 --out c5 --json
expect "u1: HMC knows them" 0 '"flow":"multiscale"' sample --model c4 --n 2000 --trajectories 1 --threads 1 --json
expect "u1: circles in a fixed gauge" 0 '"flow":"multiscale"' "${scales[@]}" --conditional circle --fixed-gauge --extent 4x4 --beta 7 --steps 8 \
    --batch 512 --harmonics 8 --ess-n 4000 --measure-logq 2 --out f4 --json
py "u1: their weights, log Z and epsilon" '
r = last("out")
assert r["ess"] > 0.98 and r["parameters"] == 32 and r["logq_error"] < 1e-11, r
assert abs(r["logz"] - 82.5064899) < 4 * r["logz_error"], r'
expect "u1: info says so" 0 'doubling, drawn, V = 1' info f4
expect "u1: a larger lattice of theirs" 0 '"layers":12' "${scales[@]}" --init f4 --extent 8x8 --beta 7 --steps 1 --rate 1e-9 --batch 64 --ess-n 500 \
    --measure-logq 0 --out f8 --json
expect "u1: in the same gauge" 0 'layer 10 +on 8x8: doubling, drawn, V = 1' info f8
expect "u1: samples in any gauge" 0 '"acceptance":0.9' sample --model f4 --n 4000 --seed 2 --threads 1 --out f4.npy --json
py "u1: no link is 1, and the plaquette is exact" '
p = last("out")["observables"]["plaquette"]
shape, data = npy("f4.npy")
assert shape == (4000, 4, 4, 2, 1) and not any(x == 0 for x in data), [x for x in data if x == 0][:3]
assert abs(sum(__import__("math").cos(x) for x in data) / len(data)) < 0.02
assert p["reliable"] and abs(p["value"] - 0.9303566177) < 4 * p["error"], p'
circles=("${scales[@]}" --conditional circle --ess-n 4000 --measure-logq 0)
expect "u1: scale by scale" 0 'scale 4: layers 6 to 7, 16 sites at beta = 5: ESS 0.[89]' "${circles[@]}" --extent 4x4 --beta 5 --scale-steps 5 \
    --steps 5 --batch 512 --out scale --json
cp out together
for stop in 3 10 22; do
    expect "u1: scale by scale, stopped at $stop" 0 "stopped at step $stop of 25" "${circles[@]}" --extent 4x4 --beta 5 --scale-steps 5 \
        --steps 5 --batch 512 --stop-after $stop --out part
    expect "u1: scale by scale, resumed at $stop" 0 verdict train --resume part --out whole --ess-n 4000 --measure-logq 0 --threads 1
    same "u1: scale by scale, the same model, stopped at $stop" scale whole
done
interrupts=("${circles[@]}" --extent 2x2 --beta 5 --harmonics 4 --scale-steps 2000 --steps 5 --batch 64)
expect "u1: scale by scale, straight on" 0 '"steps":4005,' "${interrupts[@]}" --out straight --json --quiet
interrupted "u1: SIGINT while scales are trained" INT 130 "${interrupts[@]}" --out part
expect "u1: what is left is a model on the whole lattice" 0 '2x2 sites, beta = 5' info part
expect "u1: and is resumed" 0 verdict train --resume part --out whole --ess-n 4000 --measure-logq 0 --threads 1 --quiet
same "u1: the same model after SIGINT in a scale" straight whole
expect "u1: scale by scale in a time" 0 'calibration: .* steps in 2 s' "${circles[@]}" --extent 2x2 --beta 5 --scale-steps 3 --seconds 2 --out y
expect "u1: scale by scale and a fit" 1 'expected --scale-steps or --fit, got both' "${scales[@]}" --extent 4x4 --scale-steps 3 --fit 64 --out y
expect "u1: all scales together" 0 '"status":"ok"' "${circles[@]}" --extent 4x4 --beta 5 --steps 10 --batch 512 --out y --json
py "u1: as good as together, log Z exact" '
for r in last("together"), last("out"):
    assert r["ess"] > 0.998 and abs(r["logz"] - 53.1608578) < 4 * r["logz_error"] + 1e-4, r'
expect "u1: a coarse model" 0 '"ess":0.99' "${circles[@]}" --extent 4x4 --beta 1.34719 --steps 5 --batch 256 --out coarse --json
behind=("${circles[@]}" --extent 8x8 --beta 4 --init coarse --freeze --steps 5 --batch 256)
expect "u1: finer scales behind it" 0 '"layers":12' "${behind[@]}" --out behind --json
py "u1: where they can get, and what is frozen is the same" '
def tensors(file):
    data = open(file, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    return {k: data[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]] for k, v in json.loads(data[8:8 + n]).items()
            if k != "__metadata__" and k.startswith("layer") and not k.endswith(".spec")}
coarse, behind, ess = tensors("coarse"), tensors("behind"), last("out")["ess"]
assert 0.6 < ess < 0.9 and len(coarse) == 4 and len(behind) == 6, (ess, list(coarse), list(behind))
assert all(behind[k] == coarse[k] for k in coarse)'
expect "u1: the same, stopped" 0 'stopped at step 2 of 5' "${behind[@]}" --stop-after 2 --out part
expect "u1: and resumed" 0 verdict train --resume part --out whole --ess-n 4000 --measure-logq 0 --threads 1
same "u1: the same model, frozen and resumed" behind whole
expect "u1: behind it, scale by scale" 0 'scale 2: layers 10 to 11, 64 sites at beta = 4: ESS' "${behind[@]}" --scale-steps 2 --steps 2 --out behinds
expect "u1: the same, stopped in the second scale" 0 'stopped at step 3 of 6' "${behind[@]}" --scale-steps 2 --steps 2 --stop-after 3 --out part
expect "u1: and resumed in it" 0 verdict train --resume part --out whole --ess-n 4000 --measure-logq 0 --threads 1
same "u1: the same model, behind one and scale by scale" behinds whole
expect "u1: then all of it" 0 '"ess":0.99' "${scales[@]}" --init behind --extent 8x8 --beta 4 --steps 5 --batch 512 --ess-n 2000 --measure-logq 0 \
    --out y --json
expect "u1: a flat flow as the coarse one" 0 '"layers":3' "${scales[@]}" --init m46 --freeze --beta 1 --extent 8x6 --steps 2 --batch 256 --ess-n 500 \
    --measure-logq 0 --out y --json
expect "u1: nothing to freeze" 1 'freeze: expected --init FILE' "${scales[@]}" --extent 8x8 --freeze --out y
expect "u1: nothing behind it" 1 'expected a finer lattice than that of --init' "${circles[@]}" --extent 4x4 --init coarse --freeze --out y
expect "u1: frozen without scales" 1 'freeze is one of the options of --flow multiscale' "${train[@]}" --init coarse --freeze --out y
expect "u1: a beginning of its own" 1 'from: expected --freeze without it' "${behind[@]}" --from 2x2 --out y
expect "u1: scale by scale from a model" 1 'scale-steps: expected a start without a model' "${scales[@]}" --extent 8x8 --init coarse \
    --scale-steps 3 --out y
expect "u1: scale by scale in a resumed training" 1 'scale-steps is part of the checkpoint' train --resume part --scale-steps 3 --out y
expect "u1: a fixed gauge is part of a model" 1 '--fixed-gauge is part of the model' "${scales[@]}" --init c4 --extent 4x4 --fixed-gauge --out y
expect "u1: and of scales" 1 '--fixed-gauge is one of the options of --flow multiscale' "${train[@]}" --fixed-gauge --out y
expect "u1: harmonics of loops" 1 'harmonics: expected --conditional circle' "${scales[@]}" --extent 4x4 --harmonics 3 --out y
expect "u1: an estimator of Gauss-Newton" 1 'estimator: expected for Adam path or total' "${train[@]}" --optimizer adam --estimator natural \
    --out y
expect "u1: no way to get there" 1 'expected 3, where it begins, times a power of two, got 16' "${scales[@]}" --from 3x2 \
    --extent 16x16 --out y
expect "u1: bad extents" 1 '--from: expected 2 numbers' "${scales[@]}" --from 3 --extent 16x16 --out y
expect "u1: extents of a flow without scales" 1 '--from is one of the options of --flow multiscale' "${train[@]}" --from 2x2 --out y

expect "u1: scales from exact draws" 0 '"layers":9' "${circles[@]}" --prior exact --from 4x4 --extent 8x8 --beta 4 --steps 6 --batch 512 \
    --out exact --json
py "u1: their weights, log Z exact" '
r = last("out")
assert r["ess"] > 0.98 and r["parameters"] == 24 and abs(r["logz"] - 155.198425236) < 4 * r["logz_error"], r'
expect "u1: sample from them" 0 '"acceptance":0.9' sample --model exact --n 4000 --seed 2 --threads 1 --json
expect "u1: the same, stopped" 0 'stopped at step 2 of 6' "${circles[@]}" --prior exact --from 4x4 --extent 8x8 --beta 4 --steps 6 --batch 512 \
    --stop-after 2 --out part
expect "u1: and resumed" 0 verdict train --resume part --out whole --ess-n 4000 --measure-logq 0 --threads 1
same "u1: the same model behind exact draws" exact whole
expect "u1: finer scales behind them" 0 '"layers":13' "${circles[@]}" --init exact --freeze --extent 16x16 --beta 16 --steps 1 --batch 64 \
    --out y --json
expect "u1: exact draws are of one coupling" 1 'beta = 4 of its exact prior' "${scales[@]}" --init exact --extent 8x8 --beta 5 --steps 1 --out y
expect "u1: exact draws and no scales" 1 'prior exact: expected --flow multiscale in two dimensions, got continuous' "${train[@]}" \
    --prior exact --out y
expect "u1: exact draws elsewhere" 1 'where it begins, times a power of two' "${scales[@]}" --prior exact --from 3x3 --extent 8x8 --out y
expect "u1: scales from a heat bath" 0 '"layers":4' "${circles[@]}" --prior heatbath --from 4x4 --extent 8x8 --beta 4 --steps 6 --batch 512 \
    --out bath --json
py "u1: usable, log Z exact" '
r = last("out")
assert 0.6 < r["ess"] < 0.95 and abs(r["logz"] - 155.198425236) < 4 * r["logz_error"] and r["logz_over_prior"] is None, r'
expect "u1: the same, stopped" 0 'stopped at step 3 of 6' "${circles[@]}" --prior heatbath --from 4x4 --extent 8x8 --beta 4 --steps 6 \
    --batch 512 --stop-after 3 --out part
expect "u1: and resumed" 0 verdict train --resume part --out whole --ess-n 4000 --measure-logq 0 --threads 1
same "u1: the same model behind a heat bath" bath whole
expect "u1: info names the prior" 0 'prior heatbath, 24 parameters' info bath
expect "u1: the same at another coupling" 0 '"status":"ok"' "${scales[@]}" --init bath --extent 8x8 --beta 5 --steps 1 --batch 256 \
    --ess-n 1000 --measure-logq 0 --out y --json
expect "u1: and on a larger lattice, from 2x2" 0 '"layers":12' "${scales[@]}" --init bath --extent 16x16 --beta 5 --steps 1 --batch 256 \
    --ess-n 1000 --measure-logq 0 --out y --json
expect "u1: from one coupling to another" 0 '"layers":1' train --prior heatbath --prior-beta 3.5 --extent 8x8 --beta 4 --init none --fit 2048 \
    --steps 0 --seed 1 --measure-logq 0 --ess-n 4000 --out between --threads 1 --json
py "u1: which the fit does well, log Z exact" '
r = last("out")
assert r["ess"] > 0.85 and abs(r["logz"] - 155.198425236) < 4 * r["logz_error"] + 1e-3, r'
expect "u1: taken further, its loops in proportion" 0 '"status":"ok"' train --init between --extent 8x8 --beta 4.2 --steps 1 --rate 1e-9 \
    --batch 64 --seed 1 --measure-logq 0 --ess-n 4000 --out y --threads 1 --json
py "u1: which is as good as a fit" 'r = last("out"); assert r["ess"] > 0.84, r'
expect "u1: and back to the heat bath, the identity" 0 '"status":"ok"' train --init between --extent 8x8 --beta 3.5 --steps 1 --rate 1e-9 \
    --batch 64 --seed 1 --measure-logq 0 --ess-n 4000 --out y --threads 1 --json
py "u1: all weights are equal" 'r = last("out"); assert r["ess"] > 0.9999, r'
expect "u1: taken further and fitted" 0 '"status":"ok"' train --init between --extent 8x8 --beta 4.2 --fit 1024 --steps 0 --seed 1 \
    --measure-logq 0 --ess-n 4000 --out y --threads 1 --json
py "u1: from where the heat bath is" 'r = last("out"); assert r["ess"] > 0.84, r'
expect "u1: HMC in the variables of that flow" 0 '"status":"ok"' hmc --model between --n 500 --threads 1 --json
expect "u1: a heat bath of no coupling" 1 'prior heatbath: expected --prior-beta' "${train[@]}" --prior heatbath --out y
expect "u1: a coupling of no heat bath" 1 'prior-beta: expected --prior heatbath beside it, got haar' "${train[@]}" --prior-beta 1 --out y
expect "u1: a heat bath of one site" 1 'expected extents of at least 2 for a heat bath, got 1' "${scales[@]}" --prior heatbath --from 1x1 \
    --extent 4x4 --out y
expect "u1: no updates" 1 'prior-updates: expected an integer from 1 to 65535' "${train[@]}" --prior heatbath --prior-beta 1 \
    --prior-updates 0 --out y
expect "u1: a prior beside a model" 1 '--prior is part of the model' "${scales[@]}" --init bath --prior heatbath --extent 8x8 --out y
expect "u1: a prior beside one that stays" 1 'prior: expected --freeze without it' "${behind[@]}" --prior heatbath --out y

expect "u1: sample exact" 0 '"flow":"exact"' sample --flow exact --extent 16x16 --beta 7 --n 20000 --seed 1 --real f64 --wilson 2x2 \
    --threads 1 --json
py "u1: its weights and what is known exactly" '
r = last("out")
o = r["observables"]
assert abs(r["ess"] - 1) < 1e-12 and abs(r["logz"] - 1312.6381862662) < 1e-9 and r["acceptance"] == 1, r
assert abs(o["q2"]["value"] - 1.0064141579) < 3.5 * o["q2"]["error"] and o["q2"]["tau_int"] < 0.6, o["q2"]
assert abs(o["wilson_2x2"]["value"] - 0.733780) < 3.5 * o["wilson_2x2"]["error"], o["wilson_2x2"]'
expect "u1: sample exact, in single precision and odd extents" 0 'log q is that of the draws' sample --flow exact --extent 5x7 \
    --beta 2 --n 500 --threads 1 --out exact.npy
py "u1: shape of its npy file" 'assert npy("exact.npy")[0] == (500, 5, 7, 2, 1)'
expect "u1: exact at too large a beta" 1 'beta: expected one at which' sample --flow exact --extent 8x8 --beta 12.5 --n 10
expect "u1: the number that it got" 1 'got 1\.25e\+1$' sample --flow exact --extent 8x8 --beta 12.5 --n 10
expect "u1: exact has no steps" 1 '--int-steps: expected a flow that integrates' sample --flow exact --extent 8x8 --beta 1 \
    --int-steps 3
expect "u1: sample the third order" 0 '"command":"sample"' sample --flow n2lo --extent 8x8 --beta 1 --n 2000 --seed 2 --json --measure-logq 0
cp out expanded
expect "u1: sample the third order, cut off" 0 '"command":"sample"' sample --flow n2lo --cut-off --extent 8x8 --beta 1 --n 2000 --seed 2 \
    --json --measure-logq 0
py "u1: the better start, exact log Z" '
r, e = last("out"), last("expanded")
assert 1 - r["ess"] < 0.6 * (1 - e["ess"]), (r["ess"], e["ess"])
for x in r, e: assert abs(x["logz"] - 15.0985189445) < 4 * x["logz_error"] + 1e-3, x["logz"]' out
expect "u1: correlate" 0 '"command":"correlate"' correlate --extent 8x8 --from-beta 1 --beta 1.1 --flow n2lo --n 20000 --seed 3 --json \
    --threads 1
py "u1: exact changes, errors smaller than by reweighting" '
def bessel(n, x):
    term, total = 1.0, 0.0
    for k in range(1, n + 1): term *= x / 2 / k
    for k in range(1, 60): total, term = total + term, term * x * x / 4 / (k * (n + k))
    return total
def logz(b): return __import__("math").log(sum(bessel(abs(n), b) ** 64 for n in range(-10, 11)))
def plaquette(b): return (logz(b + 1e-4) - logz(b - 1e-4)) / 2e-4 / 64
r = last("out"); o, w = r["observables"]["plaquette"], r["reweighted"]["plaquette"]
for e in o, w: assert e["reliable"] and abs(e["value"] - plaquette(1.1) + plaquette(1)) < 3.5 * e["error"], (e, plaquette(1.1) - plaquette(1))
assert abs(r["logz"] - logz(1.1) + logz(1)) < 3.5 * r["logz_error"] < 0.01, (r["logz"], r["logz_error"])
assert o["error"] < 0.5 * w["error"] and r["ess"] > 0.95 > r["ess_reweighted"] and r["from_beta"] == 1 and r["couplings"]["beta"] == 1.1, r
a, b = r["observables"]["action"], r["reweighted"]["action"]
assert abs(a["value"] - b["value"]) < 3.5 * (a["error"] ** 2 + b["error"] ** 2) ** 0.5, (a, b)' out
expect "u1: correlate without --from-beta" 1 'expected --from-beta' correlate --extent 8x8 --beta 1
expect "u1: correlate with the exact flow" 1 '--flow' correlate --extent 8x8 --beta 1 --from-beta 1.1 --flow exact
expect "u1: correlate for people" 0 'ratio of the errors' correlate --extent 4x4 --from-beta 1 --beta 0.9 --n 500
expect "u1: correlate too far" 0 'the weights of a few samples decide' correlate --extent 8x8 --from-beta 1 --beta 5 --n 500 --threads 1
expect "u1: correlate farther still" 0 'verdict +errors not reliable' correlate --extent 8x8 --from-beta 1 --beta 100 --n 500 --threads 1
expect "u1: correlate nowhere" 0 'plaquette +0 +0 +-  not reliable' correlate --extent 4x4 --from-beta 1 --beta 1 --n 100 --threads 1
expect "u1: correlate, reweighting too far" 0 'reweighting not reliable' correlate --extent 8x8 --from-beta 0 --beta 1 --n 1000 --threads 1
expect "u1: too few integration steps are in the verdict" 0 'verdict .*log q is NOT exact enough' "${untrained[@]}" --flow nlo --int-steps 1 --n 200
expect "u1: exact without a beta" 1 'expected --beta' sample --flow exact --extent 8x8
use lft-su2-2d
expect "su2: sample exact" 0 '"flow":"exact"' sample --flow exact --extent 16x16 --beta 2.2 --n 10000 --seed 1 --real f64 --json \
    --threads 1
py "su2: its weights and plaquette" '
r = last("out")
p = r["observables"]["plaquette"]
assert abs(r["ess"] - 1) < 1e-12 and abs(r["logz"] - 141.80724831) < 1e-7, r
assert abs(p["value"] - 0.4644790253) < 3.5 * p["error"], p'
use lft-su3-2d
expect "su3: sample exact" 0 '"flow":"exact"' sample --flow exact --extent 8x8 --beta 6 --n 2000 --seed 1 --real f64 --json --threads 1
py "su3: its weights and plaquette" '
r = last("out")
p = r["observables"]["plaquette"]
assert abs(r["ess"] - 1) < 1e-12 and abs(r["logz"] - 79.09696586) < 1e-7, r
assert abs(p["value"] - 0.4225317396) < 3.5 * p["error"], p'
use lft-u1-2d

expect "flow: nothing to sample" 1 'expected --model FILE, or --flow' sample --n 5
expect "flow: a model and a map" 1 '--flow is part of the model' sample --model m --flow nlo
expect "flow: a model at another beta" 1 '--beta is part of the model' sample --model m --beta 2
expect "flow: no beta" 1 'expected --beta' sample --flow nlo --extent 8x8
expect "flow: an unknown map" 1 'expected lo, nlo' "${untrained[@]}" --flow nnlo
expect "flow: an unknown start" 2 'nnlo: expected a file' "${train[@]}" --init nnlo --out y
expect "flow: train another kind" 1 'expected continuous' "${train[@]}" --flow nlo --out y
expect "flow: too many loops" 1 'loops: expected fewer' "${train[@]}" --loops 500 --out y
expect "flow: too small a lattice" 1 'at least 2' "${train[@]}" --extent 1x4 --out y
expect "flow: loops that close around a lattice" 0 '"status":"ok"' "${train[@]}" --extent 2x4 --init nlo --steps 6 --batch 256 --out y --json
py "flow: loops that close around a lattice, log Z" 'r = last("out"); assert r["ess"] > 0.95 and abs(r["logz"] - 1.8904631) < 4 * r["logz_error"], r'
expect "flow: more of them" 0 '"status":"ok"' "${train[@]}" --extent 4x6 --init n3lo --steps 2 --batch 512 --out y --json
py "flow: more of them, log Z" 'r = last("out"); assert r["ess"] > 0.99 and abs(r["logz"] - 5.6619446) < 4 * r["logz_error"] + 1e-4, r'
expect "flow: one loop to next to leading order" 1 'all of the order at the start' "${train[@]}" --loops 1 --init nlo --out y
expect "flow: shape of a model" 1 '--nodes is part of the model' "${train[@]}" --init m --nodes 3 --out y
expect "flow: units beside those of a model" 1 'a model of one flow of loops without a net, got 1, the first loops with a net' "${train[@]}" \
    --init net --units 3 --out y
expect "flow: units beside a model of scales" 1 'a model of one flow of loops without a net, got' "${train[@]}" --init coarse --units 3 --out y
expect "flow: reach without units" 1 'reach: expected 1 to 4, with units, got 2' "${train[@]}" --reach 2 --out y
expect "flow: reach too far" 1 'expected .*1 to 4' "${train[@]}" --units 2 --reach 5 --out y
expect "flow: a net of new links" 1 'units: expected 0 for the new links of a doubled axis' "${train[@]}" --flow multiscale --units 2 --out y
expect "flow: no model" 2 'nowhere: expected a file' "${train[@]}" --init nowhere --out y
expect "flow: a batch of fewer samples than parameters" 1 'at least as many as parameters' "${train[@]}" --batch 8 --steps 2 --out y
expect "flow: an option of Adam" 1 '--accumulate is an option of --optimizer adam' "${train[@]}" --accumulate 2 --out y
expect "flow: no other training" 1 '--loops is part of the checkpoint' train --resume part --loops 2 --out y
expect "flow: resume a model" 2 'got a model alone' train --resume m --out y

# ---- SU(3) in four dimensions -------------------------------------------------------------------------------------------
use lft-su3-4d
expect "su3: selftest" 0 '"passed":28,"failed":0' selftest --json
expect "su3: bench" 0 '"staples_fraction":0\.[0-9]' bench --extent 2x2x2x2 --real f32 --json
expect "su3: bench, as text" 0 'GFLOP/s' bench --extent 2x2x2x2
expect "su3: heatbath with files" 0 '"status":"ok"' heatbath --extent 2x3x4x2 --beta 5.5 --n 3 --chains 3 --therm 20 --out c.nersc \
    --json --quiet --threads 1
cp out made
expect "su3: check NERSC" 0 '"checksum_ok":true' check c-000001.nersc --json
py "su3: its plaquette is the stated one" '
r = last("out")
assert r["file_format"] == "NERSC" and r["extent"] == [2, 3, 4, 2] and r["unitarity"] < 1e-12, r
assert abs(r["plaquette"] - r["plaquette_stated"]) < 1e-9 and abs(r["link_trace"] - r["link_trace_stated"]) < 1e-9, r
'
expect "su3: convert to ILDG" 0 'ILDG' convert c-000001.nersc c.ildg
expect "su3: check ILDG" 0 'checksum right' check c.ildg
expect "su3: and back" 0 'NERSC' convert c.ildg back.nersc
same "su3: the same bytes" c-000001.nersc back.nersc
expect "su3: two rows in single precision" 0 'NERSC' convert c.ildg two.nersc --rows 2 --real f32
expect "su3: check them" 0 'F32, 2 of 3 rows' check two.nersc
expect "su3: convert to npy" 0 'npy' convert c.ildg c.npy
expect "su3: measure it" 0 'plaquette_space' measure c.npy
expect "su3: measure files" 0 '"n":3,' measure c-000000.nersc c-000001.nersc c-000002.nersc --flow-time 0.2 --wilson 1x1 --json
py "su3: as when they were made" '
a, b = (last(f)["observables"] for f in sys.argv[1:])
assert abs(a["plaquette"]["value"] - b["plaquette"]["value"]) < 1e-12
assert "q2" in b and "wilson_1x1" in b and "energy_flow" in b, list(b)
' made out
expect "su3: hmc from a file" 0 '"status":"ok"' hmc --extent 2x3x4x2 --beta 5.5 --from c.ildg --n 16 --therm 2 --json --threads 1
expect "su3: c1" 0 'c1 = -0.331' hmc --extent 2x2x2x2 --beta 2.2 --c1 -0.331 --n 32 --therm 5 --threads 1

# ---- checkpoints ---------------------------------------------------------------------------------------------------------
run=(heatbath --extent 2x2x2x2 --beta 5.5 --chains 3 --therm 2 --threads 1)
expect "su3: a start" 0 '"status":"ok"' "${run[@]}" --n 1 --chains 1 --out seed.nersc --json --quiet
mv seed-000000.nersc seed.nersc
expect "su3: six files" 0 '"status":"ok"' "${run[@]}" --n 6 --from seed.nersc --out six.nersc --json --quiet
expect "su3: three of them" 0 '"status":"ok"' "${run[@]}" --n 3 --from seed.nersc --out three.nersc --checkpoint ck --json \
    --quiet
expect "su3: and the others" 0 '"n":6,' "${run[@]}" --n 6 --from seed.nersc --out three.nersc --resume ck --json --quiet
for i in 2 3 5; do same "su3: file $i is the same" six-00000$i.nersc three-00000$i.nersc; done
expect "checkpoint: another start" 2 'start: expected 2 as in the command, got 1' "${run[@]}" --start hot --n 3 --out x.nersc \
    --resume ck
expect "checkpoint: no files" 2 'out_files: expected 0 as in the command, got 1' "${run[@]}" --n 3 --resume ck
expect "checkpoint: of six" 0 verdict "${run[@]}" --n 6 --checkpoint ck
expect "checkpoint: fewer configurations" 2 'chains.series: expected [0-9]* numbers F64 at this --n' "${run[@]}" --n 3 --resume ck
use lft-u1-2d
goes_on "u1 hmc" hmc --extent 4x6 --beta 2 --n 10000 --chains 16 --every 2 --seed 5 --threads 1 --wilson 2x2 --therm 0
goes_on "u1 hmc, its thermalisation" hmc --extent 4x6 --beta 2 --n 40 --chains 8 --therm 4000 --threads 1
run=(heatbath --extent 4x6 --beta 2 --n 10000 --chains 16 --overrelax 1 --real f32 --threads 1 --therm 0)
goes_on "u1 heatbath" "${run[@]}"
run+=(--resume ck)
expect "checkpoint: another seed" 2 'ck: seed: expected 7 as in the command, got 1' "${run[@]}" --seed 7
expect "checkpoint: another coupling" 2 'ck: beta: expected 2.5 as in the command, got 2' "${run[@]}" --beta 2.5
expect "checkpoint: other loops" 2 'ck: wilson_R: expected 1 as in the command, got 0' "${run[@]}" --wilson 1x1 --out whole.npy
expect "checkpoint: another real" 2 'ck: real: expected f64, got f32' "${run[@]}" --real f64
expect "checkpoint: another sampler" 2 'ck: command: expected hmc, got heatbath' hmc --extent 4x6 --beta 2 --resume ck
expect "checkpoint: no npy file" 2 'no.npy.part: expected the file of the configurations so far' "${run[@]}" --out no.npy
{ head -c 128 straight.npy; head -c 3000000 /dev/zero; } >other.npy.part # the links 1 all over
expect "checkpoint: another npy file" 2 'other.npy.part: expected the [0-9]* configurations of ck, got others' "${run[@]}" \
    --out other.npy
damaged "u1 heatbath" heatbath --extent 4x4 --beta 2 --n 8 --chains 4 --therm 2 --threads 1
goes_on "u1 untrained map with hmc" sample --flow lo --extent 4x4 --beta 1 --n 4000 --chains 12 --trajectories 2 --threads 1 --wilson 1x2 \
    --measure-logq 0 --therm 0
goes_on "u1 circles in a fixed gauge, turned at random" sample --model f4 --n 20000 --chains 24 --threads 1
goes_on "u1 exact flow, few chains" sample --flow exact --extent 4x6 --beta 2 --n 40000 --chains 3 --threads 1 --therm 0
use lft-u1-3d
expect "checkpoint: another dimension" 2 "ck: dim: expected 3, got 2" heatbath --extent 2x2x2 --beta 2 --resume ck
use lft-su3-4d

# ---- flows of SU(3) ------------------------------------------------------------------------------------------------------
use lft-su3-4d
expect "su3: sample nlo" 0 '"ess":0\.99' sample --flow nlo --extent 3x3x3x3 --beta 1 --n 64 --measure-logq 0 --threads 1 --json
expect "su3: no Jacobian of 3456 rows" 0 '"finer_n":64' sample --flow lo --extent 4x3x3x3 --beta 1 --n 64 --threads 1 --json
expect "su3: train" 0 '"parameters":44' train --extent 3x3x3x3 --beta 1 --batch 64 --steps 2 --int-steps 2 --ess-n 64 \
    --measure-logq 0 --threads 1 --out m3 --json
expect "su3: info" 0 '3 tr xyXY' info m3
expect "su3: a model of another group" 2 "'group': expected|group" sample --model m
use lft-u1-3d
expect "u1: a model of another dimension" 2 "'dim'" sample --model m
use lft-su3-4d

# ---- bad input -----------------------------------------------------------------------------------------------------------
printf '\1\2\3\4' | dd of=c.ildg bs=1 seek=4000 conv=notrunc 2>/dev/null
expect "a damaged file" 2 'c.ildg: .*checksum' check c.ildg
head -c 3000 c-000000.nersc >short.nersc
expect "a short file" 2 'short.nersc: ' check short.nersc
expect "no gauge file" 2 'expected BEGIN_HEADER' check "$top/README.md"
expect "no file" 2 'expected a file that can be read' check nowhere.nersc
expect "one file to convert" 1 'expected two files' convert c.npy
expect "other extents" 2 'extent' hmc --extent 2x2x2x2 --beta 1 --from back.nersc --n 16
expect "no beta" 1 'expected --beta, got none' hmc --extent 2x2x2x2
expect "extent 1 in the heat bath" 1 'extent: expected at least 2' heatbath --extent 1x2x2x2 --beta 1
expect "c1 in the heat bath" 1 'unknown option --c1' heatbath --extent 2x2x2x2 --beta 1 --c1 1
expect "Wilson loops beyond the lattice" 1 'loops shorter than' hmc --extent 2x2x2x2 --beta 1 --wilson 3x3
expect "bad Wilson loops" 1 'expected RxT' hmc --extent 2x2x2x2 --beta 1 --wilson 3
expect "unknown command" 1 'did you mean heatbath' heatbth
finish
