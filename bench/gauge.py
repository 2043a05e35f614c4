#!/usr/bin/python3
"""Gauge theories by HMC and by heat bath against exact and published Monte Carlo numbers.

    bench/gauge.py [--only u1,su2,su3] [--dim 2,4] [--scale X] [--program-dir build] [--out FILE.md]
    bench/gauge.py --freezing [--scale X] ...     tau_int of the charge of U(1) on 16^2 instead, in updates and milliseconds

Every line of the table is one run of a program, in double precision, seed 1 (HMC) or 2 (heat bath), errors by the Gamma method.
The plaquette has to have a relative error of 0.1 %; the squared charge counts where N >= 50 tau_int, and is frozen elsewhere.
--scale multiplies the numbers of configurations. Exit status 1 if a number is more than 3 sigma away."""
import argparse
import json
import subprocess
import sys
import time

U1 = {  # beta: plaquette at L = 8, <Q^2> at L = 8 and 16; exact
    1: (0.446389965897, 2.6007191107, 10.4028764429), 2: (0.697774658011, 1.2392989107, 4.9571956808),
    4: (0.863530042512, 0.4820159295, 1.9338785422), 6: (0.912454914877, 0.2792008453, 1.1947014482),
    7: (0.925700364351, 0.2171108325, 1.0064141579)}
PLANE = {  # the plaquette of a large plane; exact
    "su2": {1: 0.2401937239, 1.8: 0.3993723801, 2.2: 0.4644790253, 2.7: 0.5329707336},
    "su3": {1: 0.0601265548, 4: 0.2796191494, 5: 0.3539544367, 6: 0.4225317396}}
SPACE = [  # group, extent, beta, plaquette, error; heat bath and overrelaxation of an independent program
    ("su3", 4, 1, 0.06004, 5e-5), ("su3", 4, 2, 0.12878, 9e-5), ("su3", 4, 6, 0.5971, 2e-4), ("su3", 8, 6, 0.5945, 3e-4),
    ("su2", 4, 1, 0.24317, 1.3e-4), ("su2", 8, 2.3, 0.6023, 4e-4), ("su2", 8, 2.4, 0.6299, 2e-4), ("su2", 8, 2.5, 0.6520, 2e-4),
    ("u1", 4, 0.5, 0.24551, 1.1e-4), ("u1", 8, 1.1, 0.7166, 3e-4)]
PLAN = {("u1", 2): 200000, ("su2", 2): 40000, ("su3", 2): 40000}  # configurations; in four dimensions below


def cases(groups, dims):
    for group in groups:
        if 2 in dims and group == "u1":
            for beta, (plaquette, *charge) in U1.items():
                yield group, 2, 8, beta, {"plaquette": (plaquette, 0), "q2": (charge[0], 0)}
                yield group, 2, 16, beta, {"q2": (charge[1], 0)}
        elif 2 in dims:
            for beta, u in PLANE[group].items():
                yield group, 2, 16, beta, {"plaquette": (u, 0)}
        for name, extent, beta, value, error in SPACE:
            if 4 in dims and name == group:
                yield group, 4, extent, beta, {"plaquette": (value, error)}


def run(arguments, group, dim, extent, beta, how):
    n = PLAN.get((group, dim)) or (8000 if extent == 8 else 60000 if beta < 2.2 else 24000)
    if dim == 2 and group != "u1" and beta < 2:
        n *= 4  # a small plaquette
    n = max(400, int(n * arguments.scale))
    line = [f"{arguments.program_dir}/lft-{group}-{dim}d", how, "--extent", "x".join([str(extent)] * dim), "--beta", str(beta),
            "--n", str(n), "--threads", "1", "--json", "--quiet", "--seed", "1" if how == "hmc" else "2"]
    if n < 16000:
        line += ["--chains", "16"]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True)
    result = json.loads(done.stdout.strip().splitlines()[-1])
    if done.returncode:
        sys.exit(f"{' '.join(line)}: {result}")
    return result


def freezing(arguments, to):
    print("| beta | HMC: tau_int(Q) | ms | heat bath: tau_int(Q) | ms |\n|---|---|---|---|---|", file=to)
    for beta in range(1, 8):
        row = f"| {beta} "
        for how in "hmc", "heatbath":
            r = run(arguments, "u1", 2, 16, beta, how)
            q = r["observables"]["q"]
            mark = "" if q["reliable"] and r["n"] / r["chains"] >= 50 * q["tau_int"] else " (at least)"
            row += f"| {q['tau_int']:.2f}{mark} | {1e3 * q['tau_int'] * r['seconds'] / r['n']:.3g} "
        print(row + "|", file=to, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="u1,su2,su3")
    parser.add_argument("--dim", default="2,4")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--program-dir", default="build")
    parser.add_argument("--out")
    parser.add_argument("--freezing", action="store_true")
    arguments = parser.parse_args()
    to = open(arguments.out, "w") if arguments.out else sys.stdout
    if arguments.freezing:
        return freezing(arguments, to)
    print("| theory | by | N | observable | value | expected | sigma | tau_int | seconds |\n|---|---|---|---|---|---|---|---|---|",
          file=to)
    chi2, count, worst, loose, frozen, begin = 0, 0, 0, [], 0, time.time()
    for group, dim, extent, beta, expected in cases(arguments.only.split(","), [int(d) for d in arguments.dim.split(",")]):
        for how in "hmc", "heatbath":
            result = run(arguments, group, dim, extent, beta, how)
            for name, (value, error) in expected.items():
                o = result["observables"][name]
                row = f"| {group} {extent}^{dim}, beta = {beta} | {how} | {result['n']} | {name} "
                tail = f"| {o['tau_int']:.2f} | {result['seconds']:.1f} |"
                if name == "q2" and result["n"] < 50 * o["tau_int"] or not o["reliable"]:
                    frozen += 1
                    why = "frozen" if name == "q2" else "chains too short"
                    print(row + f"| {o['value']:.5f} | {value:.5f} | {why} {tail}", file=to, flush=True)
                    continue
                pull = (o["value"] - value) / (o["error"] ** 2 + error ** 2) ** 0.5
                chi2, count, worst = chi2 + pull ** 2, count + 1, max(worst, abs(pull))
                if name == "plaquette" and o["error"] > 1e-3 * value:
                    loose.append(row)
                print(row + f"| {o['value']:.6f}({o['error']:.6f}) | {value:.6f} | {pull:+.2f} {tail}", file=to, flush=True)
    print(f"\nchi^2 {chi2:.1f} for {count} comparisons, the largest {worst:.2f} sigma; {frozen} frozen or short; "
          f"{time.time() - begin:.0f} s; errors above 0.1 %: {len(loose)}", file=to)
    return 1 if worst > 3 or loose else 0


if __name__ == "__main__":
    sys.exit(main())
