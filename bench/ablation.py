#!/usr/bin/env python3
"""What the parts of the continuous flow are worth: phi^4 on 12 x 12 sites, lambda = 5.276, trained from scratch with one option
changed at a time, each for the CPU time that the default takes for a number of steps.

    bench/ablation.py [--steps 100] [--seeds 1,2] [--only WORDS,...] [--program build/lft-phi4-2d] [--out FILE.md]

As the machine's speed wanders, the steps of a training do not follow from seconds, but from short trainings of the default and
of the changed flow in turn. The integration is not refined on the way; what that costs in epsilon stands in the table."""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROWS = ("", "--gates 0", "--zeros 0", "--linear 0", "--sines 5", "--sines 17", "--nodes 4", "--nodes 10", "--basis hat", "--prior normal",
        "--estimator total", "--int-steps 8", "--int-steps 12",
        "--gates 0 --zeros 0 --linear 0 --prior normal --estimator total --basis hat --nodes 10")
COMMON = "train --extent 12x12 --m2 -4 --lambda 5.276 --threads 1 --int-steps 18 --guard-every 0"
TURNS, FEW = 2, 6  # of the short trainings: how often, and their steps


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def train(program, words):
    """The program's JSON, with "cpu": CPU seconds of the training without the measurements after it."""
    before, begin = cpu(), time.time()
    done = subprocess.run([program, *words.split(), "--json", "--quiet"], stdout=subprocess.PIPE, text=True)
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if done.returncode or result["status"] != "ok":
        sys.exit(f"{words}: {result}")
    result["cpu"] = result["train_seconds"] * min(1, (cpu() - before) / (time.time() - begin))
    return result


def words(options):
    """COMMON and the options, which replace what it says."""
    common = COMMON.replace("--int-steps 18", "") if "--int-steps" in options else COMMON
    return f"{common} {options}"


def same_cost(program, options, steps, out):
    """The steps that take the CPU time of the default's."""
    if not options:
        return steps
    found = []
    for _ in range(TURNS):
        default, changed = (train(program, f"{words(o)} --steps {FEW} --ess-n 256 --measure-logq 1 --out {out}")["cpu"] for o in ("", options))
        found.append(default / changed)
    return round(steps * statistics.mean(found))


def table(rows):
    yield "| options | parameters | steps | CPU s | std ε | ESS | 1 − ESS, mean |"
    yield "|---|---|---|---|---|---|---|"
    for options, runs in rows.items():
        cells = [", ".join(form.format(**r) for r in runs) for form in ("{cpu:.0f}", "{logq_error:.0e}", "{ess:.4f}")]
        name = f"`{options}`" if options else "default"
        yield (f"| {name} | {runs[0]['parameters']} | {runs[0]['steps']} | {' | '.join(cells)} | "
               f"{1 - statistics.mean(r['ess'] for r in runs):.4f} |")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--steps", type=int, default=100)
    p.add_argument("--seeds", default="1,2")
    p.add_argument("--only", type=lambda s: s.split(","), default=ROWS)
    p.add_argument("--program", default="build/lft-phi4-2d")
    p.add_argument("--out")
    a = p.parse_args()
    text = ["# What the parts of the continuous flow are worth", "",
            f"{time.strftime('%Y-%m-%d')}, written by `bench/ablation.py --steps {a.steps} --seeds {a.seeds}`: φ⁴ on 12², m² = −4, λ = 5.276, "
            "from scratch. Every training", f"has as many steps as take the CPU time of {a.steps} steps of the default, by short trainings of both "
            "in turn (one thread, single", "precision, on a machine that other jobs used too: its speed wanders, so the CPU seconds "
            "differ more than the work). One option", "is changed at a time. ESS of N = 20000 samples, ε of 8. Other options:", "", "```",
            f"lft-phi4-2d {COMMON} --ess-n 20000 --measure-logq 8 --steps (see below) --seed {a.seeds.replace(',', ' or ')}", "```", "",
            "The defaults: 9 sines, the linear feature, 2 gates, 2 zero-mode terms, 6 cosines of time, free prior, path gradient.", ""]
    rows, steps = {}, {}
    with tempfile.TemporaryDirectory() as directory:
        out = f"{directory}/m.safetensors"
        for seed in a.seeds.split(","):
            for options in a.only:
                steps[options] = steps.get(options) or same_cost(a.program, options, a.steps, out)
                r = train(a.program, f"{words(options)} --steps {steps[options]} --seed {seed} --ess-n 20000 --measure-logq 8 --out {out}")
                rows.setdefault(options, []).append(r)
                print("{steps} steps, {cpu:.1f} s, ESS {ess:.4f}:".format(**r), options or "default", file=sys.stderr, flush=True)
                if a.out:
                    with open(a.out, "w") as f:
                        f.write("\n".join([*text, *table(rows)]) + "\n")
    print("\n".join([*text, *table(rows)]))


if __name__ == "__main__":
    main()
