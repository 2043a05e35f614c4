#!/usr/bin/python3
"""What an independent configuration costs with a flow and without, for every model in a directory.

    bench/cost.py [--models examples/models] [--program-dir build] [--scale X] [--out FILE.md] [--plot FILE.svg]

Four sides: independence Metropolis with the flow, HMC, HMC in the variables of the flow, and HMC between the steps of the flow.
All take one thread, single precision and the same header, and measure all observables on the way. Each is tuned by short runs:
trajectory lengths, with as many steps as 80 % acceptance needs. Then the sides take turns. The cost is CPU seconds per configuration
(median of the turns) times 2 tau_int of the slowest observable (mean of the turns). Training is the steps of the model and of
all smaller ones of its dimension, times the CPU time of a step. --scale multiplies all times. The plot needs matplotlib."""
import argparse
import glob
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

TURNS, SECONDS, PILOT_SECONDS = 3, 6, 1.5  # of a side: how often, how long each time and for each setting that is tried
CHAINS = 16
LEAST = {"flow": 100, "hmc": 2000, "through": 8, "mixed": 8}  # configurations of a chain
SIDES = {"flow": "flow + Metropolis", "hmc": "HMC", "through": "HMC through the flow", "mixed": "flow and HMC in turn"}
LENGTHS, THROUGH_LENGTHS, MIXED_LENGTHS = (0.5, 1, 2, 4, 8), (0.5, 1, 1.5, 2), (0.5, 1, 2)
SETTINGS = {"flow": [()], "hmc": [(x,) for x in LENGTHS], "through": [(x,) for x in THROUGH_LENGTHS],
            "mixed": [(x, n) for n in (1, 2) for x in MIXED_LENGTHS]}
THERM = {"flow": 20, "hmc": 200, "through": 10, "mixed": 10}  # with a flow the chains start where it is


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def command(side, setting, theory, model):
    """Of the program, without the numbers of configurations."""
    model = ["--model", model]
    return [*{"flow": ["sample", *model],
              "hmc": ["hmc", *theory, "--real", "f32"],
              "through": ["hmc", *model, "--real", "f32", "--start", "hot"],
              "mixed": ["sample", *model, "--trajectories", *setting[1:]]}[side],
            *(["--length", setting[0]] if setting else []), "--therm", THERM[side]]


def call(*line):
    """The program's JSON, with "share": how much of a core it had, which is less than 1 if others wanted it."""
    line = [*map(str, line), "--threads", "1", "--json", "--quiet"]
    print("+", " ".join(line), file=sys.stderr, flush=True)
    before, begin = cpu(), time.time()
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True)
    share = (cpu() - before) / (time.time() - begin)
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if done.returncode or result["status"] != "ok":
        sys.exit(f"{' '.join(line)}: {result}")
    result["share"] = min(share, 1)
    return result


def training_seconds(program, theory, model, about):
    """CPU seconds of the steps that the model was trained for; their integration is taken as that of the last one."""
    with tempfile.TemporaryDirectory() as directory:
        few = call(program, "train", "--init", model, *theory, "--batch", about["batch"], "--steps", 4, "--guard-every", 0, "--ess-n", 256,
                   "--measure-logq", 1, "--out", f"{directory}/model.safetensors")
    return about["steps"] * few["ms_per_step"] / 1e3 * few["share"]


def run(program, side, setting, theory, model, n, seed):
    """The program's JSON, with "cpu": CPU seconds per configuration."""
    n = CHAINS * max(LEAST[side], round(n / CHAINS))
    result = call(program, *command(side, setting, theory, model), "--n", n, "--seed", seed, "--chains", CHAINS)
    timed = n + CHAINS * THERM[side] if result["command"] == "sample" else n  # hmc leaves the thermalisation out of its seconds
    result["cpu"] = result["share"] * n / result["samples_per_second"] / timed
    return result


def tuned(program, side, theory, model, scale):
    """The cheapest setting, and what a configuration takes with it."""
    first = SETTINGS[side][0]
    short = run(program, side, first, theory, model, 0, 5)
    n = scale * PILOT_SECONDS / short["cpu"]
    pilots = {setting: run(program, side, setting, theory, model, n, 4) for setting in SETTINGS[side][n <= CHAINS * LEAST[side]:]}
    pilots.setdefault(first, short)
    best = min(pilots, key=lambda s: pilots[s]["cpu"] * pilots[s]["tau_int"])
    return best, pilots[best]["cpu"]


def measured(program, theory, model, scale):
    """For each side: setting, n in all, cpu, tau, cost, and the JSON of its last run."""
    best = {side: tuned(program, side, theory, model, scale) for side in SIDES}
    runs = {side: [] for side in SIDES}
    for turn in range(TURNS):
        for side, (setting, seconds) in best.items():
            runs[side].append(run(program, side, setting, theory, model, scale * SECONDS / seconds, 10 + turn))
    sides = {}
    for side, mine in runs.items():
        taus = ([r["observables"].get(name, {}).get("tau_int") for r in mine] for name in mine[0]["observables"])
        tau = max(statistics.mean(t) for t in taus if None not in t)  # a short run has no mass, say
        seconds = statistics.median(r["cpu"] for r in mine)
        sides[side] = {"setting": best[side][0], "n": sum(r["n"] for r in mine), "cpu": seconds, "tau": tau,
                       "cost": 2 * tau * seconds, "spread": [r["cpu"] for r in mine], "last": mine[-1]}
    return sides


def shipped(a):
    """(dimension, info, file, program) of each model, by dimension and size."""
    known = []
    for model in glob.glob(f"{a.models}/*.safetensors"):
        for dim in (1, 2, 3, 4):
            program = f"{a.program_dir}/lft-phi4-{dim}d"
            done = subprocess.run([program, "info", model, "--json"], capture_output=True, text=True)
            if done.returncode == 0:
                known.append((dim, json.loads(done.stdout), model, program))
    return sorted(known, key=lambda k: (k[0], k[1]["extent"]))


def ms(seconds):
    return f"{1e3 * seconds:.3g}"


def tables(rows, a):
    yield from (
        "# What an independent configuration costs", "",
        f"{time.strftime('%Y-%m-%d')}, written by `make bench-cost` (scale {a.scale:g}): the models of {a.models}, one thread of a machine "
        "that other jobs", "used too, single precision on all sides, observables measured on the way. The cost of an independent "
        "configuration is", f"CPU time × 2 τ_int of the slowest observable. The sides took turns: CPU time is the median of {TURNS} runs "
        "with seeds of their", "own, τ_int their mean, N their sum.", "",
        "* **HMC**: the best of the trajectory lengths " + ", ".join(f"{x:g}" for x in LENGTHS) + ", with steps for 80 % acceptance.",
        "* **HMC through the flow**: `hmc --model`, the best of the lengths " + ", ".join(f"{x:g}" for x in THROUGH_LENGTHS) + ".",
        "* **flow and HMC in turn**: `sample --trajectories` 1 or 2, the best of the lengths "
        + ", ".join(f"{x:g}" for x in MIXED_LENGTHS) + ".",
        "* **ratio**: the cheapest of the three sides with a flow, against HMC.",
        "* **training**: the steps of the model and of those it was started from, times the CPU time of a step as it is now.",
        "* **paid back**: the independent configurations after which training and the cheapest side have taken less than HMC.", "",
        "CPU milliseconds per independent configuration:", "",
        "| lattice | λ | ESS | " + " | ".join(SIDES.values()) + " | ratio | training, CPU s | paid back after |",
        "|---|---|---|---|---|---|---|---|---|---|")
    for r in rows:
        s, best = r["sides"], min(r["sides"][side]["cost"] for side in SIDES if side != "hmc")
        gain = s["hmc"]["cost"] - best
        yield (f"| {r['name']} | {r['lambda']:g} | {s['flow']['last']['ess']:.3f} | "
               + " | ".join(ms(s[side]["cost"]) for side in SIDES) + f" | {best / s['hmc']['cost']:.2f} | {r['trained']:.0f} | "
               + (f"{r['trained'] / gain:.2g} |" if gain > 0 else "never |"))
    yield from ("", "What they are made of; ~ where a run had too few configurations for reliable errors:", "",
                "| lattice | side | setting | N | CPU ms per configuration, range of the turns | acceptance | τ_int |",
                "|---|---|---|---|---|---|---|")
    for r in rows:
        for side, s in r["sides"].items():
            setting = "–" if not s["setting"] else f"length {s['setting'][0]:g}"
            if "md_steps" in s["last"]:
                setting += f", {s['last']['md_steps']} steps"
            if side == "mixed":
                setting = f"{s['setting'][1]} of " + setting
            mark = "" if s["last"]["verdict"] == "errors reliable" else "~"
            yield (f"| {r['name']} | {SIDES[side]} | {setting} | {s['n']} | {ms(s['cpu'])}, {ms(min(s['spread']))} to "
                   f"{ms(max(s['spread']))} | {s['last']['acceptance']:.3f} | {mark}{s['tau']:.2f} |")
    if a.plot:
        yield from ("", f"![CPU time per independent configuration]({os.path.basename(a.plot)})")


def plot(rows, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "lftflow"
    from matplotlib import pyplot
    dims = sorted({r["dim"] for r in rows})
    figure, panels = pyplot.subplots(1, len(dims), figsize=(1 + 4 * len(dims), 4), sharey=True, squeeze=False)
    for dim, axes in zip(dims, panels[0]):
        mine = [r for r in rows if r["dim"] == dim]
        for (side, label), mark in zip(SIDES.items(), ("o-", "s--", "^:", "v-.")):
            axes.loglog([r["L"] for r in mine], [1e3 * r["sides"][side]["cost"] for r in mine], mark, label=label)
        axes.set_xticks([r["L"] for r in mine], [str(r["L"]) for r in mine])
        axes.minorticks_off()
        axes.set_xlabel(f"L, d = {dim}")
    panels[0][0].set_ylabel("CPU ms per independent configuration")
    panels[0][0].legend()
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--models", default="examples/models")
    p.add_argument("--program-dir", default="build")
    p.add_argument("--scale", type=float, default=1)
    p.add_argument("--out")
    p.add_argument("--plot")
    a = p.parse_args()
    rows, trained = [], {}
    for dim, about, model, program in shipped(a):
        couplings = about["couplings"]
        theory = ["--extent", "x".join(map(str, about["extent"])), "--m2", couplings["m2"], "--lambda", couplings["lambda"]]
        trained[dim] = trained.get(dim, 0) + training_seconds(program, theory, model, about)
        rows.append({"dim": dim, "L": about["extent"][0], "name": f"{about['extent'][0]}{'⁰¹²³⁴'[dim]}", "lambda": couplings["lambda"],
                     "sides": measured(program, theory, model, a.scale), "trained": trained[dim]})
        text = "\n".join(tables(rows, a))  # again after each model: what there is outlives an interruption
        if a.out:
            with open(a.out, "w") as f:
                f.write(text + "\n")
        if a.plot:
            plot(rows, a.plot)
    print(text)


if __name__ == "__main__":
    main()
