#!/usr/bin/env python3
"""Trains flows for phi^4 in two dimensions at m^2 = -4, samples them, runs HMC, and compares every observable of the
two with each other and with published Monte Carlo numbers of other programs.

    bench/physics.py [--only 6,8t,8,12,20,32,64] [--scale X] [--program build/lft-phi4-2d] [--models DIR]
                     [--shipped [DIR]] [--out FILE.md]

A model that DIR already holds is not trained again; --shipped takes phi4-<L>.safetensors of examples/models. --scale multiplies the times and the numbers of samples. The table
goes to standard output and FILE.md; exit status 1 if a comparison is off by more than 3 sigma or a figure is missed."""
import argparse
import json
import math
import os
import subprocess
import sys
import time

# name: extent, lambda, seconds of training, flow samples, HMC samples, least ESS, least acceptance
CASES = {
    "6": (6, 6.975, 60, 400_000, 2_000_000, 0.995, 0.96),
    "8t": (8, 8.0, 120, 200_000, 2_000_000, None, None),
    "8": (8, 6.008, 120, 400_000, 2_000_000, None, None),
    "12": (12, 5.276, 600, 400_000, 2_000_000, 0.975, 0.91),
    "20": (20, 4.807, 3600, 100_000, 2_000_000, 0.97, None),
    "32": (32, 4.572, 7200, 100_000, 1_000_000, 0.92, None),
    "64": (64, 4.398, 36000, 20_000, 400_000, 0.5, None),
}
DEFAULT = "6,8t,8,12"
# Monte Carlo with an independent program: value, error
REFERENCE = {
    "6": {"chi2": (1.0624, .0010), "mass_l": (3.975, .003), "xi_2nd": (1.4835, .0012), "binder": (.1923, .0006),
          "phi2": (.16136, .00003), "phi4": (.05256, .00002)},
    "8t": {"chi2": (.7439, .0009), "mass_l": (6.333, .007), "xi_2nd": (1.2311, .0016), "binder": (.0829, .0009),
           "phi2": (.14344, .00002), "phi4": (.04232, .00001), "logz": (9.293, .003)},
    "8": {"chi2": (1.8954, .0028), "mass_l": (3.966, .004), "xi_2nd": (2.0009, .0022), "binder": (.2080, .0006),
          "phi2": (.18386, .00004), "phi4": (.06676, .00003)},
    "12": {"chi2": (4.123, .009), "mass_l": (3.995, .006), "xi_2nd": (3.003, .005), "binder": (.2266, .0010),
           "phi2": (.21052, .00006), "phi4": (.08501, .00004)},
    "20": {"chi2": (10.63, .03), "mass_l": (4.049, .008), "xi_2nd": (4.983, .011), "binder": (.2388, .0014),
           "phi2": (.23720, .00006), "phi4": (.10452, .00004)},
    "32": {"chi2": (25.25, .10), "mass_l": (4.088, .010), "xi_2nd": (7.950, .022), "binder": (.2508, .0016),
           "phi2": (.25650, .00006), "phi4": (.11924, .00004)},
    "64": {"chi2": (88.9, .5), "mass_l": (4.13, .02), "xi_2nd": (15.96, .07), "binder": (.2530, .0021),
           "phi2": (.27610, .00006), "phi4": (.13452, .00004)},
}
RELATIVE = {"chi2": 3e-3, "phi2": 5e-4}  # relative errors that a comparison needs to mean something


def number(value, error):
    """1.0624(10)"""
    if not error > 0:
        return f"{value:.6g}"
    digits = max(0, 1 - math.floor(math.log10(error) + 1e-9))
    return f"{value:.{digits}f}({round(error * 10 ** digits)})"


def run(program, *words):
    line = [program, *map(str, words), "--json"]
    print("+", " ".join(line), file=sys.stderr, flush=True)
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True)
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if done.returncode or result["status"] != "ok":
        sys.exit(f"{' '.join(line)}: {result}")
    return result


def trained_model(a, theory, extent, coupling, seconds):
    model, note = f"{a.models}/phi4-{extent}-{coupling}.safetensors", f"{a.models}/phi4-{extent}-{coupling}.json"
    if not os.path.exists(model) or not os.path.exists(note):
        trained = run(a.program, "train", *theory, "--seconds", seconds * a.scale, "--seed", 1, "--out", model)
        with open(note, "w") as f:
            json.dump(trained, f)
    with open(note) as f:
        return model, json.load(f)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default=DEFAULT)
    p.add_argument("--scale", type=float, default=1)
    p.add_argument("--program", default="build/lft-phi4-2d")
    p.add_argument("--models", default="build/physics")
    p.add_argument("--shipped", nargs="?", const="examples/models")
    p.add_argument("--out")
    a = p.parse_args()
    os.makedirs(a.models, exist_ok=True)
    text, missed, pulls = [], [], []

    def say(line=""):
        text.append(line)
        print(line, flush=True)

    say(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} processors; seeds: training 1, flow 2, HMC 3; "
        "single precision flow, double precision HMC")
    for case in a.only.split(","):
        extent, coupling, seconds, n_flow, n_hmc, least_ess, least_acceptance = CASES[case]
        theory = ["--extent", f"{extent}x{extent}", "--m2", -4, "--lambda", coupling]
        if a.shipped:
            model = f"{a.shipped}/phi4-{extent}.safetensors"
            trained = run(a.program, "info", model)
            trained["seconds"] = trained["train_seconds"]
        else:
            model, trained = trained_model(a, theory, extent, coupling, seconds)
        flow = run(a.program, "sample", "--model", model, "--n", int(n_flow * a.scale), "--seed", 2)
        hmc = run(a.program, "hmc", *theory, "--n", int(n_hmc * a.scale), "--seed", 3)
        say()
        say(f"### {extent}², λ = {coupling}")
        say()
        say(f"Training: {trained['seconds']:.0f} s in all, {trained['steps']} steps of {trained['batch']} samples, "
            f"{trained['integration_steps']} integration steps; std ε {flow['logq_error']:.1e}, mean ε "
            f"{flow['logz_shift']:.1e} (N = {flow['logq_n']}). Flow: N = {flow['n']}, {flow['seconds']:.0f} s, ESS "
            f"{flow['ess']:.4f} (N = {flow['ess_n']}), acceptance {flow['acceptance']:.4f}, log Z "
            f"{number(flow['logz'], flow['logz_error'])}. HMC: N = {hmc['n']}, {hmc['seconds']:.0f} s.")
        say()
        say("| | flow | HMC | reference | flow − HMC, σ | flow − ref, σ | HMC − ref, σ |")
        say("|---|---|---|---|---|---|---|")
        for what, key in (("ess", least_ess), ("acceptance", least_acceptance)):
            if key and not flow[what] >= key:
                missed.append(f"{extent}²: {what} {flow[what]:.4f} < {key}")
        if flow["logq_error"] > 1e-3 or abs(flow["logz_shift"]) > 1e-2:
            missed.append(f"{extent}²: epsilon")
        for name in ("chi2", "mass_l", "xi_2nd", "binder", "phi2", "phi4", "identity", "logz"):
            reference = (0.5, 0.0) if name == "identity" else REFERENCE[case].get(name)
            values = []
            for side in (flow, hmc):
                o = side["observables"].get(name)
                if name == "logz":
                    values.append((flow["logz"], flow["logz_error"]) if side is flow else None)
                elif o:
                    values.append((o["value"], o["error"]))
                    if name in RELATIVE and o["error"] > RELATIVE[name] * abs(o["value"]):
                        missed.append(f"{extent}²: relative error of {name} ({side['command']}) is "
                                      f"{o['error'] / abs(o['value']):.1e}")
            if not reference:
                continue
            row, three = [], [values[0], values[1], reference]
            for i, j in ((0, 1), (0, 2), (1, 2)):
                if three[i] is None or three[j] is None:
                    row.append("–")
                    continue
                d = (three[i][0] - three[j][0]) / math.hypot(three[i][1], three[j][1])
                row.append(f"{d:+.2f}")
                if j == 2 or name != "identity":
                    pulls.append(d)
                if abs(d) > 3:
                    missed.append(f"{extent}²: {name} {d:+.2f} sigma")
            say("| " + name + " | " + " | ".join(number(*v) if v else "–" for v in three) + " | " + " | ".join(row) + " |")
    say()
    worst = max(pulls, key=abs)
    say(f"All comparisons: χ² = {sum(d * d for d in pulls):.1f} for {len(pulls)} (observables of one run are correlated), "
        f"largest {worst:+.2f} σ.")
    say("Every figure is reached." if not missed else "Missed: " + "; ".join(missed) + ".")
    if a.out:
        with open(a.out, "w") as f:
            f.write("\n".join(text) + "\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
