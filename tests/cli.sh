#!/bin/bash
# usage: tests/cli.sh [quick|full]
# The command-line program: its commands with tiny budgets, what it says about bad input, interruption, resumption, full
# disks. One line per case. full also runs the demonstration. LFT_CLI=<program> is tested instead of build/lft-phi4-2d.
set -u
cd "$(dirname "$0")/.." || exit 1
if [ -n "${LFT_CLI-}" ]; then case $LFT_CLI in */*) LFT_CLI=$(realpath "$LFT_CLI") ;; esac; fi
. tests/cli_common.sh
use lft-phi4-2d

physics=(--extent 4x4 --m2 -4 --lambda 6.975)
small=(--sines 3 --nodes 3 --gates 1 --zeros 1 --int-steps 4 --batch 32 --ess-n 500 --measure-logq 4)
train=(train "${physics[@]}" "${small[@]}" --threads 1)

# ---- help ------------------------------------------------------------------------------------------------------------
expect "help" 0 'usage: .* COMMAND' --help
for command in train sample curve hmc measure info export selftest bench demo; do
    expect "$command --help" 0 "usage: .* $command" "$command" --help
done
expect "no command" 1 'expected a command'
expect "unknown command names the nearest" 1 'did you mean train\?' trian
expect "unknown option names the nearest" 1 'unknown option --lamda; did you mean --lambda\?' hmc --lamda 1
expect "unknown option of this command" 1 'unknown option --gates' hmc --gates 1

# ---- the commands ----------------------------------------------------------------------------------------------------
expect "train" 0 '"status":"ok"' "${train[@]}" --steps 20 --seed 1 --out m.safetensors --history h.jsonl --json
cp out train.json
py "train: epsilon is measured" 'r = last("train.json"); assert r["unmeasured"] is None and r["logq_n"] == 4, r'
expect "info" 0 '4x4 sites, m2 = -4, lambda = 6.975' info m.safetensors
expect "info --json" 0 '"steps":20' info m.safetensors --json
expect "info --memory" 0 'flow_and_training_f32' info --memory --extent 6x6
expect "sample" 0 '"status":"ok"' sample --model m.safetensors --n 2000 --seed 2 --out phi.npy --json --threads 1
cp out sample.json
expect "hmc" 0 '"status":"ok"' hmc "${physics[@]}" --n 2000 --seed 3 --json --threads 1 --out hmc.npy
cp out hmc.json
expect "measure" 0 '"status":"ok"' measure phi.npy --chains 16 --m2 -4 --lambda 6.975 --json --threads 1
cp out measure.json
expect "measure with a model: forward ESS" 0 '"forward_ess":0\.' measure hmc.npy --chains 16 --model m.safetensors --json
expect "measure without couplings" 0 'chi2' measure phi.npy --chains 16
expect "sample in f64, as text" 0 'verdict' sample --model m.safetensors --n 500 --real f64 --threads 1
expect "no Jacobian of 4096 rows" 0 'no guard: epsilon of 2 samples' train --extent 64x64 --m2 1 --lambda 1 --sines 1 --nodes 1 \
    --gates 0 --zeros 0 --int-steps 4 --batch 16 --ess-n 64 --seconds 1 --threads 1 --out large.safetensors --json
py "twice the steps in its place" 'r = last("out"); assert r["finer_n"] == 64 and r["logq_n"] == 0 and r["finer_std"] < 1e-2, r'
expect "sample --double-steps" 0 '"finer_n":16' sample --model m.safetensors --n 100 --double-steps 16 --json --threads 1
expect "sample --measure-logq" 0 '"logq_n":3' sample --model m.safetensors --n 100 --measure-logq 3 --json --threads 1
expect "sample, neither" 0 'epsilon +std .* on 4 samples' sample --model m.safetensors --n 100 --double-steps 0 --threads 1
expect "train, neither" 0 'epsilon +not measured: log q may be off$' "${train[@]}" --steps 2 --out y --double-steps 0 --measure-logq 0
expect "train on 64x64, neither" 0 '"logq_n":0,.*"finer_n":0,"unmeasured":null' train --extent 64x64 --m2 1 --lambda 1 --sines 1 --nodes 1 \
    --gates 0 --zeros 0 --int-steps 2 --batch 16 --ess-n 64 --steps 1 --guard-every 0 --double-steps 0 --threads 1 --out y --json
expect "one sample of twice the steps" 1 'double-steps: expected 0 or an integer from 2 to 1048576, got 1' sample --model nowhere \
    --double-steps 1
expect "train: one sample of twice the steps" 1 'double-steps: expected 0 or an integer from 2' "${train[@]}" --double-steps 1 --out y
expect "hmc, leapfrog from a hot start" 0 'integration steps' hmc "${physics[@]}" --n 2000 --integrator=leapfrog --start=hot \
    --md-steps 10 --therm 50 --every 2 --length 0.5 --jitter 0
expect "values after =, integers like 1e2" 0 '"n":100,' hmc --extent=4x4 --m2=-4 --lambda=6.975 --n=1e2 --json
expect "selftest" 0 '0 failed' selftest
expect "bench" 0 'train_step_ms' bench --extent 4x4 --batch 16 --threads 1

expect "train --init on twice the extent" 0 '"extent":\[8,8\].*"ess":0\.' train --init m.safetensors --extent 8x8 --m2 -4 \
    --lambda 6.975 --steps 5 --batch 32 --rate 1e-3 --ess-n 500 --measure-logq 0 --threads 1 --out m8.safetensors --json
expect "train --init keeps the integration steps of the model" 0 '4 integration steps' info m8.safetensors
expect "train --init with the shape of a flow" 1 '--gates is part of the model' train --init m.safetensors --gates 3 \
    "${physics[@]}" --out no.safetensors
expect "train --init from nothing" 2 'nowhere.safetensors' train --init nowhere.safetensors "${physics[@]}" --out no.safetensors
expect "info --memory of a coupling flow" 0 'flow_and_training_f32' info --memory --extent 6x6 --flow coupling
expect "bench of a coupling flow" 0 'train_step_ms' bench --extent 4x4 --flow coupling --layers 2 --threads 1

scales=(train --flow multiscale --from 2x2 --extent 4x4 --m2 -4 --batch 64 --seed 1 --threads 1 --int-steps 6 --sines 4)
expect "train, multiscale" 0 '"flow":"multiscale","layers":4,' "${scales[@]}" --lambda 6.975 --steps 150 --ess-n 2000 --out s4 --json
py "multiscale: its weights" 'r = last("out"); assert r["ess"] > 0.9 and r["extent"] == [4, 4] and r["logq_n"] == 32, r'
expect "info, multiscale: the scales" 0 'layer 1 +on 4x2: doubling of axis 0, drawn given the coarse field, 2 sines' info s4
expect "info, multiscale: the flows" 0 'layer 3 +on 4x4: continuous, [0-9]+ integration steps' info s4
expect "sample, multiscale" 0 '"flow":"multiscale"' sample --model s4 --n 4000 --seed 2 --threads 1 --out phis.npy --json
py "sample, multiscale: identity of the action, acceptance" '
r = last("out")
i = r["observables"]["identity"]
assert r["acceptance"] > 0.8 and abs(i["value"] - 0.5) < 4 * i["error"] + 1e-9, r'
expect "measure with a multiscale model" 0 '"forward_ess":0\.[89]' measure phis.npy --chains 16 --model s4 --json
expect "multiscale: --init on twice the extent, another coupling" 0 '"extent":\[8,8\].*"layers":4,' train --init s4 --extent 8x8 --m2 -4 \
    --lambda 6 --steps 3 --batch 32 --rate 1e-3 --ess-n 500 --measure-logq 0 --threads 1 --out s8 --json
expect "multiscale: the same doublings there" 0 'layer 1 +on 8x4: doubling of axis 0' info s8
behind=(train --flow multiscale --m2 -4 --lambda 6.975 --batch 64 --seed 1 --threads 1 --int-steps 6 --sines 4 --ess-n 2000)
expect "multiscale: behind a frozen model" 0 '"layers":6,' "${behind[@]}" --init s4 --freeze --extent 8x4 --steps 60 --out s84 --json
py "multiscale: behind a frozen model, its weights" 'r = last("out"); assert r["ess"] > 0.25 and r["extent"] == [8, 4] and r["logq_n"] == 32, r'
expect "info: the model's layers, then the others" 0 'layer 5 +on 8x4: continuous, [0-9]+ integration steps' info s84
py "multiscale: what is frozen has the same bits" '
def tensors(name):
    data = open(name, "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    head = loads(data[8:8 + n].decode())
    head.pop("__metadata__")
    return {k: data[8 + n + t["data_offsets"][0]:8 + n + t["data_offsets"][1]] for k, t in head.items()}
a, b = tensors("s4"), tensors("s84")
kept = [k for k in a if k.startswith(("layer", "prior")) and not k.endswith(".spec")]
assert len(kept) > 8 and all(a[k] == b[k] for k in kept), [k for k in kept if a[k] != b.get(k)]
assert any(k.startswith("layer5.") for k in b)'
expect "multiscale: behind a frozen model, stopped" 0 'stopped at step 3 of 9' "${behind[@]}" --init m.safetensors --freeze --extent 8x8 --steps 9 \
    --stop-after 3 --out part
expect "multiscale: behind a frozen model, resumed" 0 verdict train --resume part --out whole --ess-n 2000 --threads 1
expect "multiscale: behind a frozen model, straight on" 0 verdict "${behind[@]}" --init m.safetensors --freeze --extent 8x8 --steps 9 \
    --out straight
same "multiscale: behind a frozen model, the same" straight whole
expect "multiscale: behind a frozen model, scale by scale" 0 'scale 1: layers 4 to 5, 32 sites' "${behind[@]}" --init s4 --freeze --extent 8x8 \
    --scale-steps 4 --steps 4 --refine --out y
expect "multiscale: frozen on the same lattice" 1 'expected a finer lattice than that of --init' "${behind[@]}" --init s4 --freeze \
    --extent 4x4 --steps 2 --out y
expect "multiscale: frozen, and no model" 1 'freeze: expected --init FILE' "${behind[@]}" --freeze --extent 8x8 --steps 2 --out y
expect "multiscale: frozen, and a way there" 1 'from: expected --freeze without it' "${behind[@]}" --init s4 --freeze --from 4x4 \
    --extent 8x8 --steps 2 --out y
expect "multiscale: frozen, and a family" 1 'expected a model of one set of couplings' "${behind[@]}" --lambda 6:8 --degree 2 --init s4 \
    --freeze --extent 8x8 --steps 2 --out y
expect "multiscale: --init on an extent that is none" 1 'extent: expected a multiple of 2, as axis 1 is doubled in --init, got 7' \
    train --init s4 --extent 8x7 --m2 -4 --lambda 6 --steps 3 --out y
expect "multiscale: a flow behind each doubling" 0 '"layers":5,' "${scales[@]}" --lambda 6.975 --refine --doubling-sines 0 --steps 2 \
    --ess-n 100 --measure-logq 0 --out y --json
by_scale=("${scales[@]}" --lambda 6.975 --scale-steps 12 --steps 8 --ess-n 500 --measure-logq 0)
expect "multiscale: scale by scale" 0 'scale 2: layers 1 to 3, 16 sites at m2 = -4: ESS 0\.' "${by_scale[@]}" --out scale --history hs
py "multiscale: the history says which scale" '
lines = [loads(l) for l in open("hs")]
assert [l["step"] for l in lines] == list(range(1, 33)) and [l.get("scale") for l in lines] == [1] * 12 + [2] * 12 + [None] * 8'
for stop in 5 12 20 30; do
    expect "multiscale: scale by scale, stopped at $stop" 0 "stopped at step $stop of 32" "${by_scale[@]}" --stop-after $stop --out part
    expect "multiscale: scale by scale, resumed at $stop" 0 verdict train --resume part --out whole --ess-n 500 --measure-logq 0 --threads 1
    same "multiscale: the same model, stopped at $stop" scale whole
done
expect "multiscale: scale by scale, straight on" 0 '"steps":608,' "${by_scale[@]}" --scale-steps 300 --out straight --json --quiet
interrupted "multiscale: SIGTERM while scales are trained" TERM 143 "${by_scale[@]}" --scale-steps 300 --out part
expect "multiscale: what is left is a model on the whole lattice" 0 '4x4 sites, m2 = -4' info part
expect "multiscale: and is resumed" 0 verdict train --resume part --out whole --ess-n 500 --measure-logq 0 --threads 1 --quiet
same "multiscale: the same model after SIGTERM in a scale" straight whole
expect "multiscale: a family scale by scale" 0 '"family":\{"degree":2' "${scales[@]}" --lambda 6:8 --degree 2 --scale-steps 4 --steps 4 \
    --ess-n 100 --measure-logq 0 --out y --json
expect "multiscale: scale by scale from a model" 1 'scale-steps: expected a start without a model' "${scales[@]}" --lambda 6.975 --init s4 \
    --scale-steps 3 --out y
expect "multiscale: scale by scale in a resumed training" 1 'scale-steps is part of the checkpoint' train --resume part --scale-steps 3 --out y
expect "hmc through a multiscale flow" 1 'a flow that keeps its extents' hmc --model s4 --n 100
expect "info --memory of a multiscale flow" 0 'flow_and_training_f32' info --memory --extent 8x8 --flow multiscale

coupling=(train "${physics[@]}" --flow coupling --layers 3 --hidden "3,2" --batch 16 --ess-n 500 --measure-logq 4 --threads 1)
expect "train, coupling" 0 '"status":"ok"' "${coupling[@]}" --z2 1 --bound 0.5 --steps 20 --out c.safetensors --history hc --json
cp out coupling.json
expect "train, coupling, as text" 0 '3 coupling layers, .* rolled back 0 times' "${coupling[@]}" --steps 5 --out y
expect "train, coupling: no hidden channels, no bound, a free field" 0 verdict train "${physics[@]}" --flow coupling --layers 2 \
    --hidden 0 --bound 0 --kernel 1 --prior free --prior-mass2 2 --steps 3 --out y --threads 1 --ess-n 100
expect "info of it" 0 'coupling, parity 1, hidden 0, kernel 1, bound 0$' info y
expect "train, coupling: odd extents" 0 verdict train --extent 3x5 --m2 -4 --lambda 8 --flow coupling --layers 4 --steps 3 --out y \
    --threads 1 --ess-n 100
expect "train, coupling: most layers" 0 verdict "${coupling[@]}" --layers 400 --hidden 1 --steps 1 --out y
expect "info of most layers" 0 'layer 399  coupling, parity 1, hidden 1' info y
expect "train, coupling: seconds" 0 'coupling layers' train "${physics[@]}" --flow coupling --seconds 2 --out y --threads 1
expect "info, coupling" 0 'layer 1    coupling, parity 1, hidden 3,2, kernel 3, bound 0.5, z2' info c.safetensors
expect "info, coupling, --json" 0 '"flow":"coupling","layers":3,' info c.safetensors --json
expect "sample, coupling" 0 '"status":"ok"' sample --model c.safetensors --n 2000 --seed 2 --out phic.npy --json --threads 1
cp out samplec.json
expect "sample, coupling, no steps to double" 1 'double-steps: expected a flow with integration steps, got none' sample \
    --model c.safetensors --n 100 --double-steps 8
expect "sample, coupling, no steps doubled" 0 '"status":"ok"' sample --model c.safetensors --n 100 --double-steps 0 --json --threads 1
expect "sample, coupling, --measure-logq" 0 '"logq_n":3' sample --model c.safetensors --n 100 --measure-logq 3 --json --threads 1
expect "measure with a coupling model" 0 '"forward_ess":[0-9]' measure phic.npy --chains 16 --model c.safetensors --json
py "coupling: log q is exact to rounding, nothing is refined" '
for name in ("coupling.json", "samplec.json"):
    r = last(name)
    assert r["logq_error"] < 1e-12 and abs(r["logz_shift"]) < 1e-12 and r["logq_n"] == 4 and r["integration_steps"] == 0, r
assert last("coupling.json")["refined"] == 0 and last("coupling.json")["batch"] == 16
for l in open("hc"): assert loads(l)["guard_std"] is None'

expect "train a family" 0 '"family":\{"degree":2,"m2":\[-4,-4\],"lambda":\[6,8\],"points":\[\{"m2":-4,"lambda":7,"ess":0\.' \
    train --extent 4x4 --m2 -4 --lambda 6:8 --degree 2 "${small[@]}" --steps 20 --threads 1 --out f.safetensors --json
expect "info of a family" 0 'lambda 6 to 8, degree 2' info f.safetensors
expect "sample a family" 0 '"couplings":\{"m2":-4,"lambda":7\.5\}.*"logq_n":3' sample --model f.safetensors --lambda 7.5 --n 500 \
    --measure-logq 3 --threads 1 --json
expect "sample a family beyond its bounds" 1 'expected 6 to 8, the bounds of the family, got 9' sample --model f.safetensors --lambda 9
expect "sample at other couplings than the model's" 1 'expected neither --m2 nor --lambda' sample --model m.safetensors --lambda 7
expect "an interval the wrong way round" 1 'interval A:B with A < B' train --extent 4x4 --m2 -4 --lambda 8:6 --out no
expect "a degree without an interval" 1 'expected an interval' "${train[@]}" --degree 3 --out no
expect "curve of a family" 0 '"lambda":8,"ess":0\.' curve --model f.safetensors --m2 -4 --lambda 6:8 --points 3 --n 1000 --threads 1 --json
cp out curve.json
expect "curve by reweighting" 0 'reweighted to each point' curve --model m.safetensors --m2 -4.1:-3.9 --lambda 6.975 --points 2 --n 1000
expect "curve beyond the bounds" 1 'the bounds of the family' curve --model f.safetensors --m2 -4 --lambda 6:9 --points 2 --n 1000
expect "curve without a bound below" 1 'no lower bound' curve --model m.safetensors --m2 -4 --lambda -1:8 --points 3 --n 1000

expect "sample with trajectories in between" 0 '"status":"ok"' sample --model m.safetensors --n 2000 --trajectories 2 --length 0.5 \
    --threads 1 --json
cp out mixed.json
expect "hmc in the variables of a flow" 0 '"status":"ok"' hmc --model m.safetensors --n 1000 --json --length 1.5
cp out through.json
py "both agree with HMC within 5 sigma" '
b = last("hmc.json")["observables"]
for a in (last("mixed.json")["observables"], last("through.json")["observables"]):
    for k in a: assert abs(a[k]["value"] - b[k]["value"]) < 5 * (a[k]["error"] ** 2 + b[k]["error"] ** 2) ** .5, k'
expect "a length without trajectories" 1 'expected --trajectories' sample --model m.safetensors --length 1
expect "hmc of a model on another extent" 1 'expected --model or --extent' hmc --model m.safetensors --extent 6x6
expect "export" 0 '"status":"ok"' export m.safetensors --out small.safetensors --json
expect "export: what it says of itself" 0 'ESS ' info small.safetensors
expect "sample from it" 0 '"status":"ok"' sample --model small.safetensors --n 500 --threads 1 --json
expect "export as C" 0 'parameters in' export m.safetensors --out small-model.h
cat >array.c <<'C'
#include <stdio.h>
#include "small-model.h"
int main(void) { return fwrite(small_model, 1, sizeof small_model, stdout) != sizeof small_model; }
C
if ${CC:-cc} -std=c99 -Wall -Wextra -Werror array.c -o array 2>why && ./array >array.out 2>why; then
    same "export as C: the bytes of the file" array.out small.safetensors
else bad "cli: export as C: the bytes of the file" why; fi
expect "export in full" 0 'parameters in' export m.safetensors --params f64 --out full.safetensors
py "F32 is four bytes a parameter less" '
assert os.path.getsize("full.safetensors") - os.path.getsize("small.safetensors") >= 4 * last("train.json")["parameters"]'
expect "export of nothing" 1 'expected a model' export --out x.h
expect "export to a name that is none" 1 'expected a C name' export m.safetensors --out x.h --name 4x

py "curve: the couplings, and the identity" '
points = last("curve.json")["curve"]
assert [p["lambda"] for p in points] == [6, 7, 8]
for p in points: assert abs(p["observables"]["identity"]["value"] - 0.5) < 5 * p["observables"]["identity"]["error"]'
py "JSON of train" '
r = last("train.json")
assert r["format"] == 1 and r["command"] == "train" and r["theory"] == "phi4" and r["dim"] == 2 and r["extent"] == [4, 4]
assert r["couplings"] == {"m2": -4, "lambda": 6.975} and r["seed"] == "1" and r["real"] == "f32" and r["steps"] == 20
finite(*[r[k] for k in ("lanes threads ess logz logz_error logq_error logz_shift seconds parameters batch loss "
                        "train_seconds ms_per_step integration_steps".split())])'
py "JSON of sample" '
r = last("sample.json")
finite(*[r[k] for k in ("n ess acceptance tau_int longest_rejection logz logz_error logq_error logz_shift seconds "
                        "samples_per_second parameters".split())])
assert r["n"] == 2000 and 0 < r["ess"] <= 1 and 0 < r["acceptance"] <= 1 and r["seed"] == "2"
assert list(r["observables"]) == "chi2 mass_l xi_2nd binder abs_m phi2 phi4 identity".split()
for o in r["observables"].values(): assert set(o) == {"value", "error", "tau_int", "reliable"}
assert abs(r["observables"]["identity"]["value"] - 0.5) < 5 * r["observables"]["identity"]["error"]'
py "JSON of hmc" '
r = last("hmc.json")
finite(*[r[k] for k in "n acceptance tau_int exp_dh exp_dh_error seconds samples_per_second md_steps".split()])
assert abs(r["exp_dh"] - 1) < 5 * r["exp_dh_error"]'
py "flow and HMC agree within 5 sigma" '
a, b = last("sample.json")["observables"], last("hmc.json")["observables"]
for k in a: assert abs(a[k]["value"] - b[k]["value"]) < 5 * (a[k]["error"] ** 2 + b[k]["error"] ** 2) ** .5, k'
py "measure gives what sample gave" '
a, b = last("sample.json")["observables"], last("measure.json")["observables"]
for k in a:
    assert abs(a[k]["value"] - b[k]["value"]) < 1e-4 * abs(a[k]["value"]), k
    assert abs(a[k]["error"] - b[k]["error"]) < 1e-2 * a[k]["error"], k'
py "the npy file holds these configurations" '
shape, x = npy("phi.npy")
assert shape == (2000, 4, 4)
r = last("sample.json")["observables"]
chi2 = sum(sum(x[i:i + 16]) ** 2 for i in range(0, len(x), 16)) / 16 / 2000
phi2 = sum(v * v for v in x) / len(x)
assert abs(chi2 - r["chi2"]["value"]) < 1e-5 and abs(phi2 - r["phi2"]["value"]) < 1e-6'
py "the model file by its format" '
data = open("m.safetensors", "rb").read()
n = struct.unpack("<Q", data[:8])[0]
head = loads(data[8:8 + n].decode())
meta = head.pop("__metadata__")
assert meta["format"] == "lftflow-model" and meta["format_version"] == "1" and meta["dim"] == "2" and meta["seed"] == "1"
b, e = head["couplings"]["data_offsets"]
assert struct.unpack("<2d", data[8 + n + b:8 + n + e]) == (-4, 6.975)
assert max(t["data_offsets"][1] for t in head.values()) == len(data) - 8 - n'
py "the history: one JSON object per step" '
lines = [loads(l) for l in open("h.jsonl")]
assert [l["step"] for l in lines] == list(range(1, 21))
for l in lines: finite(l["loss"], l["ess"], l["rate"], l["norm"], l["seconds"])'

# ---- the same bits ---------------------------------------------------------------------------------------------------
straight=("${train[@]}" --guard-every 5 --guard-std 2e-4 --guard-mean 2e-3 --rate 0.05 --steps 20)
expect "train straight on" 0 'refined [1-9]' "${straight[@]}" --out straight
for t in 2 3; do
    expect "train, $t threads" 0 verdict "${straight[@]}" --threads $t --out threads$t
    same "the same model for $t threads" straight threads$t
    expect "sample, $t threads" 0 verdict sample --model m.safetensors --n 2000 --seed 2 --out phi$t.npy --threads $t
    same "the same configurations for $t threads" phi.npy phi$t.npy
done
for stop in 3 12; do
    expect "train, stop after $stop steps" 0 "stopped at step $stop of 20" "${straight[@]}" --stop-after $stop --out part
    expect "a checkpoint is a model" 0 verdict sample --model part --n 200 --measure-logq 2 --threads 1
    expect "resume at $stop" 0 verdict train --resume part --out whole --threads 2 --ess-n 500 --measure-logq 4
    same "the same model as straight on, stopped at $stop" straight whole
done
expect "resume: no other training" 1 'gates is part of the checkpoint' train --resume part --gates 3 --out whole
expect "resume: a model alone" 2 'got a model alone' train --resume straight --out whole
expect "periodic checkpoint" 0 verdict "${straight[@]}" --out other --checkpoint check --checkpoint-every 1e-9
expect "resume from it" 0 verdict train --resume check --out whole --threads 1 --ess-n 500 --measure-logq 4
same "the same model as straight on, from a periodic checkpoint" straight whole

# A measurement that fails after the last step does not lose the model: of a flow that overflows, in too little memory.
if [ -n "$python" ]; then
    "$python" - <<'EOF'
import json, struct
data = bytearray(open("check", "rb").read())
n = struct.unpack("<Q", data[:8])[0]
b, e = json.loads(bytes(data[8:8 + n]))["layer0.kernel"]["data_offsets"]
values = [1e6 * v for v in struct.unpack("<%dd" % ((e - b) // 8), data[8 + n + b:8 + n + e])]
data[8 + n + b:8 + n + e] = struct.pack("<%dd" % len(values), *values)
open("poor", "wb").write(data)
EOF
    for measure in "--measure-logq 4" "--double-steps 4"; do
        rm -f whole
        # shellcheck disable=SC2086 # two words
        expect "not finite at the end, $measure" 0 '^not measured: .* not finite' train --resume poor --out whole --ess-n 64 --threads 1 \
            --json $measure
        py "not finite at the end, $measure: the result says so" '
r = last("out")
assert r["logq_n"] == r["finer_n"] == 0 and r["logq_error"] is r["logz_shift"] is r["finer_std"] is None, r
assert "not finite" in r["unmeasured"] and r["verdict"].startswith("poor") and "could not be measured" in r["verdict"], r'
        expect "not finite at the end, $measure: the model is there" 0 'epsilon +not measured' info whole
    done
    expect "not finite at the end, as text" 0 'epsilon +not measured: log q may be off: epsilon: .* not finite' train --resume poor \
        --out whole --ess-n 64 --threads 1 --measure-logq 4 --quiet
else skip "cli: not finite at the end" "no python3"; fi
printf '#!/bin/sh\nulimit -v 150000\nexec "%s" "$@"\n' "$program" >limited && chmod +x limited
if ./limited info m.safetensors >/dev/null 2>&1; then
    whole=$program program=./limited
    expect "no memory for epsilon" 0 '"unmeasured":"epsilon: memory: expected' train --extent 64x64 --m2 1 --lambda 1 --sines 1 --nodes 1 \
        --gates 0 --zeros 0 --int-steps 2 --batch 16 --ess-n 64 --steps 1 --guard-every 0 --measure-logq 1 --threads 1 --out large --json
    expect "no memory for epsilon: the model is there" 0 'epsilon +not measured' info large
    expect "no memory for the ESS" 2 'y holds what was trained, without the measurements' "${train[@]}" --steps 2 --measure-logq 0 \
        --ess-n 1e8 --out y
    program=$whole
    expect "no memory for the ESS: measured later" 0 'verdict' train --resume y --out y --ess-n 100 --measure-logq 2 --threads 1
else skip "cli: too little memory" "the program has no room for itself"; fi

straight_coupling=("${coupling[@]}" --steps 20)
expect "train a coupling flow straight on" 0 verdict "${straight_coupling[@]}" --out straight
expect "train a coupling flow, 3 threads" 0 verdict "${straight_coupling[@]}" --threads 3 --out threads3
same "coupling: the same model for 3 threads" straight threads3
expect "train a coupling flow, stop after 7 steps" 0 'stopped at step 7 of 20' "${straight_coupling[@]}" --stop-after 7 --out part
expect "resume a coupling flow" 0 verdict train --resume part --out whole --threads 2 --ess-n 500 --measure-logq 4
same "coupling: the same model as straight on" straight whole
expect "resume a coupling flow: no other training" 1 'layers is part of the checkpoint' train --resume part --layers 4 --out whole

# ---- interruption ----------------------------------------------------------------------------------------------------
wait_for() { # file: until it has three lines, 20 seconds at most
    local i
    for ((i = 0; i < 200; ++i)); do
        if [ -e "$1" ] && [ "$(wc -l <"$1")" -ge 3 ]; then return; fi
        sleep 0.1
    done
}
interrupt() { # signal, expected exit status
    rm -f stopped h
    "$program" "${train[@]}" --steps 100000 --out stopped --history h --json >out 2>err </dev/null &
    child=$!
    wait_for h
    kill "-$1" $child
    wait $child
    local got=$?
    child=
    if [ $got -eq "$2" ] && grep -q '"status":"stopped"' out && grep -q 'holds a checkpoint' err; then
        ok "cli: SIG$1 while training: exit status $2, a message"
    else
        { echo "exit status $got, expected $2"; cat out err; } >why
        bad "cli: SIG$1 while training: exit status $2, a message" why
    fi
    expect "SIG$1: what is left is a model" 0 'checkpoint train --resume' info stopped
    local step
    step=$(sed -n 's/.*"steps":\([0-9]*\).*/\1/p' out)
    "$program" info stopped --json >out 2>err
    step=$(sed -n 's/.*"steps":\([0-9]*\).*/\1/p' out)
    expect "SIG$1: training goes on" 0 verdict train --resume stopped --steps $((step + 5)) --out whole --threads 1 --ess-n 100
    gone "SIG$1: no temporary file is left" stopped.tmp
}
interrupt INT 130
interrupt TERM 143
sample_stopped() { # arguments...: sampling, stopped when the first round has been; sets got
    local i
    : >err
    "$program" sample --model m.safetensors --threads 1 "$@" >out 2>err </dev/null &
    child=$!
    for ((i = 0; i < 400; ++i)); do
        if grep -q '^sample [0-9]' err; then break; fi
        sleep 0.05
    done
    kill -INT $child
    wait $child
    got=$?
    child=
}
cp phi.npy keep.npy
sample_stopped --n 100000000 --out keep.npy
if [ $got -eq 130 ]; then ok "cli: SIGINT while sampling: exit status 130"; else bad "cli: SIGINT while sampling: exit status 130" err; fi
same "SIGINT while sampling: the old file stays" phi.npy keep.npy
gone "SIGINT while sampling: no temporary file is left" keep.npy.tmp
sample_stopped --n 10000000 --json
if [ $got -eq 130 ] && grep -q 'the numbers are of these' err &&
    [ "$(sed -n 's/^stopped after \([0-9]*\) of .*/\1/p' err)" = "$(sed -n 's/.*"status":"stopped".*"n":\([0-9]*\),"ess":0.*/\1/p' out)" ]; then
    ok "cli: SIGINT while sampling to no file: the numbers of what there is"
else
    { echo "exit status $got, expected 130"; cat out err; } >why
    bad "cli: SIGINT while sampling to no file: the numbers of what there is" why
fi

goes_on "sample" sample --model m.safetensors --n 20000 --chains 12 --every 2 --threads 1
expect "sample: a checkpoint of another model" 2 'ck: model: expected [0-9]* as in the command, got ' sample --model m.safetensors \
    --n 20000 --chains 12 --every 2 --threads 1 --int-steps 16 --measure-logq 0 --out whole.npy --resume ck
goes_on "sample with hmc" sample --model m.safetensors --n 4000 --chains 20 --therm 3 --trajectories 2 --length 1.5 --threads 1
longer=(sample --model m.safetensors --chains 16 --therm 3 --threads 1 --json --quiet)
expect "sample: a longer run at once" 0 '"n":2000' "${longer[@]}" --n 2000
cp out straight.json
expect "sample: a part of it" 0 '"n":1000' "${longer[@]}" --n 1000 --checkpoint ck
expect "sample: and the rest" 0 '"n":2000' "${longer[@]}" --n 2000 --resume ck
py "sample: the same numbers" '
a, b = last("straight.json"), last("out")
for key in "seconds samples_per_second memory_bytes".split(): del a[key], b[key]
assert a == b, (a, b)'
damaged "sample" sample --model m.safetensors --n 16 --chains 8 --therm 3 --threads 1
expect "sample: other integration steps, their epsilon" 0 '"logq_n":2,.*"integration_steps":16,' sample --model m.safetensors --n 100 \
    --int-steps 16 --measure-logq 2 --threads 1 --json
expect "sample: integration steps beyond the most" 1 'steps: expected 1 to [0-9]+ \(most_steps\), got 17' sample --model m.safetensors --n 100 \
    --int-steps 17
goes_on "hmc" hmc "${physics[@]}" --n 10000 --chains 16 --therm 0 --threads 1
expect "checkpoint: another coupling" 2 'ck: lambda: expected 7 as in the command, got 6.975' hmc "${physics[@]}" --lambda 7 \
    --n 10000 --chains 16 --therm 0 --out whole.npy --resume ck
goes_on "hmc through a flow" hmc --model m.safetensors --n 1000 --chains 16 --therm 0 --threads 1
expect "checkpoint: without its model" 2 'ck: model: expected 0 as in the command, got ' hmc "${physics[@]}" --n 1000 --chains 16 \
    --therm 0 --out whole.npy --resume ck
expect "a model is no such checkpoint" 2 'format: expected lftflow-chains, got lftflow-model' hmc "${physics[@]}" \
    --resume m.safetensors
expect "nor the other way round" 2 "'format'" train --resume ck --out no
damaged "hmc" hmc "${physics[@]}" --n 16 --chains 16 --therm 3 --threads 1

# ---- bad input -------------------------------------------------------------------------------------------------------
t2=(train "${small[@]}" --threads 1 --steps 2 --out x)
expect "negative extent" 1 'extent: expected an integer >= 1, got -4' "${t2[@]}" --extent -4x4 --m2 -4 --lambda 1
expect "extent 0" 1 'extent: expected an integer >= 1, got 0' hmc --extent 0x4 --m2 -4 --lambda 1
expect "too few extents" 1 'expected 2 numbers .*, got 1' "${t2[@]}" --extent 4 --m2 -4 --lambda 1
expect "too many extents" 1 'expected 2 numbers .*, got 3' hmc --extent 4x4x4 --m2 -4 --lambda 1
expect "an extent that is no number" 1 'expected integers with an x' hmc --extent 4y4 --m2 -4 --lambda 1
expect "lambda < 0: no lower bound" 1 'no lower bound' "${t2[@]}" --extent 4x4 --m2 -4 --lambda -1
expect "lambda = 0, m2 < 0: no lower bound" 1 'no lower bound' hmc --extent 4x4 --m2 -4 --lambda 0
expect "NaN coupling" 1 'm2: expected a finite number' "${t2[@]}" --extent 4x4 --m2 nan --lambda 1
expect "infinite coupling" 1 'lambda: expected a finite number' hmc --extent 4x4 --m2 1 --lambda inf
expect "a coupling that is no number" 1 "expected a number, got 'x'" hmc --extent 4x4 --m2 x --lambda 1
expect "no coupling" 1 'expected --lambda, got none' hmc --extent 4x4 --m2 1
expect "an option without its value" 1 'm2: expected a value, got --lambda' hmc --extent 4x4 --m2 --lambda 1
expect "a flag with a value" 1 'json: expected no value' hmc --json=1
expect "a word that is none of the legal ones" 1 'expected free, normal, got' "${t2[@]}" "${physics[@]}" --prior flat
c2=(train "${physics[@]}" --steps 2 --out x --threads 1 --flow coupling)
expect "a kind of flow that is none" 1 'flow: expected continuous, coupling, multiscale, got' train "${physics[@]}" --flow spline --out x
for o in sines linear gates zeros nodes int-steps most-int-steps guard-every guard-samples guard-std guard-mean; do
    expect "coupling: --$o" 1 "$o is an option of --flow continuous: expected --flow coupling without it" "${c2[@]}" --$o 1
done
expect "coupling: --basis" 1 'basis is an option of --flow continuous' "${c2[@]}" --basis hat
for o in layers hidden kernel bound z2; do
    expect "continuous: --$o" 1 "$o is an option of --flow coupling: expected --flow continuous without it" "${t2[@]}" \
        "${physics[@]}" --$o 1
done
for o in "from 2x2" refine "doubling-sines 1" "scale-steps 3" freeze; do
    # shellcheck disable=SC2086 # two words
    expect "continuous: --$o" 1 "${o%% *} is an option of --flow multiscale: expected --flow continuous without it" "${t2[@]}" \
        "${physics[@]}" --$o
done
s2=(train --flow multiscale --m2 -4 --lambda 6.975 --steps 2 --out x --threads 1)
expect "multiscale: --layers" 1 'layers is an option of --flow coupling: expected --flow multiscale without it' "${s2[@]}" \
    --extent 4x4 --from 2x2 --layers 2
expect "multiscale: no way to get there" 1 'expected 3, where it begins, times a power of two, got 8' "${s2[@]}" --extent 8x8 --from 3x2
expect "multiscale: nothing to double" 1 'expected extents to double, got none' "${s2[@]}" --extent 3x3
expect "multiscale: bad extents" 1 'from: expected 2 numbers' "${s2[@]}" --extent 8x8 --from 4
expect "coupling: no layers" 1 'layers: expected an integer from 1 to 400' "${c2[@]}" --layers 0
for list in 8,x "8," ,8 8,0 0,8 -1 1001 1,2,3,4,5,6,7,8,9 ''; do
    expect "coupling: --hidden $list" 1 'hidden: expected up to 8 integers' "${c2[@]}" --hidden "$list"
done
expect "coupling: an even kernel" 1 'kernel: expected an odd number from 1 to 15, got 4' "${c2[@]}" --kernel 4
expect "coupling: a negative bound" 1 'bound: expected a number >= 0' "${c2[@]}" --bound -1
expect "coupling: a bound that is none" 1 'bound: expected a finite number' "${c2[@]}" --bound nan
expect "coupling: z2 neither 0 nor 1" 1 'z2: expected an integer from 0 to 1' "${c2[@]}" --z2 2
expect "a mass of the normal prior" 1 'prior-mass2: expected --prior free' "${c2[@]}" --prior normal --prior-mass2 1
expect "negative n" 1 'n: expected an integer from 1' sample --model m.safetensors --n -5
expect "n that is no integer" 1 'n: expected an integer from 1' sample --model m.safetensors --n 1.5
expect "steps and seconds" 1 'steps or --seconds, got both' "${t2[@]}" "${physics[@]}" --seconds 3
expect "a stray argument" 1 "expected options --key value, got 'stray'" hmc stray
expect "no model" 1 'expected --model' sample --n 5
expect "a model that is not there" 2 'nowhere: expected a file that can be read' sample --model nowhere
expect "a model that is none" 2 'length of the header' sample --model phi.npy
expect "a file that is no npy" 2 'no npy file' measure m.safetensors
expect "more memory than there is" 2 'memory: expected|arena' "${t2[@]}" --extent 4096x4096 --m2 1 --lambda 1
expect "errors as JSON" 1 '^\{.*"status":"error","error":"phi4: lambda' hmc --extent 4x4 --m2 -4 --lambda -1 --json
py "they are JSON" 'assert last("out")["status"] == "error"'
if [ "$(id -u)" != 0 ]; then
    touch locked && chmod 000 locked
    expect "a file without permission" 2 'Permission denied' info locked
else skip "cli: a file without permission" "root may read everything"; fi

if [ -n "$python" ]; then
    "$python" - <<'EOF'
import struct
data = open("m.safetensors", "rb").read()
n = struct.unpack("<Q", data[:8])[0]
def write(name, d): open(name, "wb").write(d)
write("three", data.replace(b'"dim":"2"', b'"dim":"3"'))
write("u1", data.replace(b'"theory":"phi4"', b'"theory":"phi6"'))
write("newer", data.replace(b'"format_version":"1"', b'"format_version":"9"'))
import json
head = json.loads(data[8:8 + n])
b, _ = head["couplings"]["data_offsets"]
write("nan", data[:8 + n + b] + struct.pack("<d", float("nan")) + data[8 + n + b + 8:])
for i, k in enumerate((0, 5, 8, 100, n, len(data) - 1)): write("cut%d" % i, data[:k])
x = open("phi.npy", "rb").read()
write("cut.npy", x[:-1])
write("nan.npy", x[:-4] + struct.pack("<f", float("nan")))
write("cube.npy", x.replace(b"(2000, 4, 4)", b"(500, 4,4,4)"))
EOF
    expect "a model of another dimension" 2 "'dim': expected 2, got '3'" sample --model three
    expect "a model of another theory" 2 "theory: expected phi4" sample --model u1
    expect "a model of a newer format" 2 "'format_version'" sample --model newer
    expect "a model with a NaN coupling" 1 'm2: expected a finite number' sample --model nan
    for i in 0 1 2 3 4 5; do expect "a model that is cut, $i" 2 'data end early|expected' sample --model cut$i; done
    expect "configurations that are cut" 2 'data end early' measure cut.npy
    expect "configurations with NaN" 2 'configuration 1999: expected finite numbers' measure nan.npy
    expect "configurations of another dimension" 2 'expected \(n, 2 extents\), got 4 numbers' measure cube.npy
else skip "cli: damaged files" "no python3"; fi

# ---- full disks ------------------------------------------------------------------------------------------------------
if [ -c /dev/full ]; then
    expect "full disk: train" 2 'full' "${t2[@]}" "${physics[@]}" --out /dev/full
    expect "full disk: sample" 2 'full' sample --model m.safetensors --n 5000 --out /dev/full --threads 1
    expect "full disk: hmc" 2 'full' hmc "${physics[@]}" --n 5000 --out /dev/full --threads 1
    expect "full disk: history; the model is written" 2 'the model was written' "${t2[@]}" "${physics[@]}" --history /dev/full
    expect "full disk: checkpoints; the model is written" 2 'last checkpoint, got none; the model was written' "${t2[@]}" "${physics[@]}" \
        --checkpoint /dev/full --checkpoint-every 1e-9 --out kept
    expect "full disk: checkpoints; the model that was written" 0 verdict sample --model kept --n 100 --threads 1
    if [ -c /dev/full ]; then ok "cli: /dev/full is still a device"; else bad "cli: /dev/full is still a device"; fi
    "$program" info m.safetensors >/dev/full 2>err
    if [ $? -eq 2 ]; then ok "cli: full disk: stdout"; else bad "cli: full disk: stdout" err; fi
else skip "cli: full disks" "no /dev/full"; fi
expect "a directory that is not there" 2 'No such file or directory' "${t2[@]}" "${physics[@]}" --out nowhere/x
expect "a directory instead of a file" 2 'got a directory' sample --model m.safetensors --out . --n 5
mkdir -p full
if mount -t tmpfs -o size=8k tmpfs full 2>/dev/null; then
    cp m.safetensors full/old 2>/dev/null
    head -c 1000 phi.npy >full/old 2>/dev/null
    expect "a small disk: sample" 2 'No space left on device|room|full' sample --model m.safetensors --n 5000 --out full/old --threads 1
    head -c 1000 phi.npy >old
    same "a small disk: the old file stays" old full/old
    gone "a small disk: no temporary file is left" full/old.tmp
    umount full
else skip "cli: a small disk" "may not mount one"; fi

# ---- time and terminal -----------------------------------------------------------------------------------------------
begin=$SECONDS
expect "a time budget of 3 seconds" 0 'calibration: .* steps in 3 s' train "${physics[@]}" --seconds 3 --out timed --threads 1
if [ $((SECONDS - begin)) -le 20 ]; then ok "cli: within 20 seconds"; else bad "cli: within 20 seconds"; fi
expect "its steps and seconds are stored" 0 'training .* steps .*, [0-9.]+ s' info timed
py "a live line in a terminal" '
import pty
out = b""
pid, fd = pty.fork()
if pid == 0: os.execv(sys.argv[1], sys.argv[1:])
while True:
    try: piece = os.read(fd, 4096)
    except OSError: break
    if not piece: break
    out += piece
os.waitpid(pid, 0)
assert out.count(b"\r\x1b[K") > 5 and b"verdict" in out, out[-500:]' "$program" "${train[@]}" --steps 2000 --out y
expect "--quiet" 0 verdict "${straight[@]}" --out y --quiet
if [ -s err ]; then bad "cli: --quiet: nothing on stderr" err; else ok "cli: --quiet: nothing on stderr"; fi

if [ "${1-}" = full ]; then
    begin=$SECONDS
    expect "demo" 0 '"status":"ok"' demo --json
    took=$((SECONDS - begin))
    py "demo: flow and HMC agree" '
r = last("out")
assert r["worst_sigma"] < 4 and r["ess"] > 0.9 and set(r["flow"]) == set(r["hmc"])'
    if [ $took -lt 90 ]; then ok "cli: demo in $took s"; else bad "cli: demo in $took s"; fi
fi
finish
