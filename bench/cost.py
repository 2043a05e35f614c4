#!/usr/bin/python3
"""What an independent configuration costs: flow + Metropolis against HMC, for every model in a directory.

    bench/cost.py [--models examples/models] [--program-dir build] [--scale X] [--out FILE.md] [--plot FILE.svg]

Both sides: one thread, single precision, the same header, chi2 and all other observables measured on the way. HMC is tuned:
for each trajectory length the program chooses the steps for 80 % acceptance, and the length with the least cost is taken. The
cost is CPU seconds per configuration times 2 tau_int of the slowest observable. Training counts the models that a model was
started from. The plot needs matplotlib."""
import argparse
import glob
import json
import math
import os
import resource
import subprocess
import sys
import time

LENGTHS = (0.5, 1, 2, 4)


def run(*words):
    line = [*map(str, words), "--json", "--quiet", "--threads", "1"]
    print("+", " ".join(line), file=sys.stderr, flush=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.time()
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True)
    wall = time.time() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if done.returncode or result["status"] != "ok":
        sys.exit(f"{' '.join(line)}: {result}")
    share = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / wall  # of a core, if others want it
    if "samples_per_second" in result:
        result["cpu"] = min(share, 1) / result["samples_per_second"]
        result["cost"] = result["cpu"] * 2 * result["tau_int"]
    return result



def tuned_hmc(program, theory, n):
    """The cheapest trajectory length on a tenth of the configurations, then all of them."""
    pilots = {}
    for length in LENGTHS:
        pilots[length] = run(program, "hmc", *theory, "--real", "f32", "--length", length, "--n", max(4000, n // 10),
                             "--seed", 4, "--chains", 16)["cost"]
    best = min(pilots, key=pilots.get)
    hmc = run(program, "hmc", *theory, "--real", "f32", "--length", best, "--n", n, "--seed", 3, "--chains", 16)
    return best, hmc


def milliseconds(seconds):
    return f"{1e3 * seconds:.3g}"


def plot(rows, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "lftflow"
    from matplotlib import pyplot
    figure, axes = pyplot.subplots(figsize=(6, 4))
    for dim in sorted({r["dim"] for r in rows}):
        mine = [r for r in rows if r["dim"] == dim]
        for side, mark in (("flow", "o-"), ("hmc", "s--")):
            axes.loglog([r["L"] for r in mine], [1e3 * r[side]["cost"] for r in mine], mark,
                        label=f"{'flow + Metropolis' if side == 'flow' else 'HMC'}, d = {dim}")
    sizes = sorted({r["L"] for r in rows})
    axes.set_xticks(sizes, [str(L) for L in sizes])
    axes.minorticks_off()
    axes.set_xlabel("L")
    axes.set_ylabel("CPU ms per independent configuration")
    axes.legend()
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
    known = []
    for model in glob.glob(f"{a.models}/*.safetensors"):
        for dim in (2, 3, 1, 4):
            program = f"{a.program_dir}/lft-phi4-{dim}d"
            done = subprocess.run([program, "info", model, "--json"], capture_output=True, text=True)
            if done.returncode == 0:
                known.append((dim, json.loads(done.stdout), model, program))
    for dim, about, model, program in sorted(known, key=lambda k: (k[0], k[1]["extent"])):
        L, volume = about["extent"][0], math.prod(about["extent"])
        theory = ["--extent", "x".join(map(str, about["extent"])), "--m2", about["couplings"]["m2"],
                  "--lambda", about["couplings"]["lambda"]]
        trained[dim] = trained.get(dim, 0) + about["train_seconds"]
        flow = run(program, "sample", "--model", model, "--n", int(a.scale * max(4000, min(200000, 2e7 / volume))), "--seed", 2)
        length, hmc = tuned_hmc(program, theory, int(a.scale * max(40000, min(2000000, 2e8 / volume))))
        rows.append({"dim": dim, "L": L, "about": about, "flow": flow, "hmc": hmc, "length": length,
                     "trained": trained[dim]})
    text = ["# What an independent configuration costs", "",
            f"{time.strftime('%Y-%m-%d')}, written by `make bench-cost` (scale {a.scale:g}): the models of {a.models}, one thread, "
            "single precision on both sides,", "observables measured on the way. HMC takes the best of the trajectory lengths "
            + ", ".join(f"{x:g}" for x in LENGTHS) + ", with steps for 80 % acceptance.",
            "An independent configuration is 2 τ_int of the slowest observable. Training counts the models that a model was started "
            "from.", "", "| lattice | λ | ESS | flow: τ_int | CPU ms per configuration | **per independent one** | HMC: length, steps | "
            "τ_int | CPU ms per trajectory | **per independent one** | flow / HMC | training, CPU s | paid back after |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    for r in rows:
        flow, hmc = r["flow"], r["hmc"]
        gain = hmc["cost"] - flow["cost"]
        text.append(f"| {r['L']}{'⁰¹²³⁴'[r['dim']]} | {r['about']['couplings']['lambda']:g} | {flow['ess']:.3f} | "
                    f"{flow['tau_int']:.2f} | {milliseconds(flow['cpu'])} | **{milliseconds(flow['cost'])}** | "
                    f"{r['length']:g}, {hmc['md_steps']} | {hmc['tau_int']:.1f} | {milliseconds(hmc['cpu'])} | "
                    f"**{milliseconds(hmc['cost'])}** | {flow['cost'] / hmc['cost']:.2f} | {r['trained']:.0f} | "
                    + (f"{r['trained'] / gain:.2g} independent configurations |" if gain > 0 else "never |"))
    if a.plot:
        text += ["", f"![CPU time per independent configuration]({os.path.basename(a.plot)})"]
    print("\n".join(text))
    if a.out:
        with open(a.out, "w") as f:
            f.write("\n".join(text) + "\n")
    if a.plot:
        plot(rows, a.plot)


if __name__ == "__main__":
    main()
