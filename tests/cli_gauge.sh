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
for command in hmc heatbath measure convert check; do
    expect "u1: $command --help" 0 "usage: .* $command" "$command" --help
done
near='
o = last(sys.argv[1])["observables"]
for name, exact in (("plaquette", 0.697774658011), ("q2", 1.2392989107), ("q", 0), ("polyakov_re", 0)):
    finite(o[name]["value"], o[name]["error"])
    assert o[name]["reliable"] and abs(o[name]["value"] - exact) < 3.5 * o[name]["error"], (name, o[name], exact)
assert abs(o["action"]["value"] + 2 * o["plaquette"]["value"]) < 1e-6
'
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

# ---- SU(3) in four dimensions -------------------------------------------------------------------------------------------
use lft-su3-4d
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
