"""What the PyTorch peers share: their command line, the process they want, timing, the report of a check, test vectors.

A peer calls arguments() and import_torch() before anything of PyTorch, and at the end main() with its own functions:
    choices(a, case)  what --measure-all tries: dicts of options
    time_case(a)      --case: prints one JSON line, made by timed(); an exit status
    check()           --check: whether all is well, said line by line with report()
    dump(path, L)     --dump: a float64 test vector, written by write_vector(); an exit status"""
import argparse
import ctypes
import json
import os
import re
import subprocess
import sys
import time


def arguments(about, cases, impl, **choices):
    """The parser; impl and the further choices of a peer are pairs (values, help)."""
    p = argparse.ArgumentParser(description=about)
    p.add_argument('--case', choices=cases)
    p.add_argument('--measure-all', action='store_true', help='every implementation of the case (or of all cases)')
    p.add_argument('--check', action='store_true', help='compare the implementations, and log q with a determinant')
    p.add_argument('--dump', metavar='FILE', help='write a float64 test vector')
    p.add_argument('--L', type=int, default=4, help='extent of the test vector')
    for name, (values, text) in {'impl': impl, **choices}.items():
        p.add_argument('--' + name, choices=values, help=text)
    p.add_argument('--chunk', type=int, help='samples per pass')
    p.add_argument('--threads', type=int, default=1)
    p.add_argument('--budget', type=float, default=3.0, help='seconds of timing after the warm-up')
    p.add_argument('--isa', choices=('auto', 'avx2', 'avx512', 'own'), default='auto', help="kernels; own: PyTorch's choice")
    a = p.parse_args()
    if not (a.case or a.measure_all or a.check or a.dump):
        p.error('nothing to do: give --case, --measure-all, --check or --dump')
    if a.threads < 1 or (a.chunk is not None and a.chunk < 1) or a.L < 2:
        p.error('--threads and --chunk are at least 1, --L at least 2')
    return p, a


def set_up_process(a):
    """Everything that has to stand before the import of torch: threads, instruction set, malloc."""
    for name in ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
        os.environ[name] = str(a.threads)
    isa = a.isa
    if isa == 'auto':
        try:
            flags = set(re.search(r'^flags\s*:(.*)$', open('/proc/cpuinfo').read(), re.M).group(1).split())
        except (OSError, AttributeError):
            flags = set()
        isa = 'avx512' if {'avx512f', 'avx512bw', 'avx512dq', 'avx512vl'} <= flags else 'own'
    if isa != 'own':
        os.environ['ATEN_CPU_CAPABILITY'] = isa
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(-4, 0)                       # M_MMAP_MAX: large blocks come from the heap,
        libc.mallopt(-1, 2 ** 31 - 1)             # M_TRIM_THRESHOLD: which is not given back
    except (OSError, AttributeError):
        pass                                      # another libc: only slower


def import_torch(a, packages):
    global torch
    set_up_process(a)
    try:
        import torch
    except ImportError:
        print('PyTorch is missing: apt-get install ' + packages, file=sys.stderr)
        sys.exit(2)
    torch.set_num_threads(a.threads)
    return torch


# ---------------------------------------------------------------------------------------------------------------------
# Timing
# ---------------------------------------------------------------------------------------------------------------------

def extent(case):
    return int(case.rsplit('L', 1)[1])


def median(values):
    v = sorted(values)
    return 0.5 * (v[(len(v) - 1) // 2] + v[len(v) // 2])


def timed(case, job, budget, warm_up, at_least=3, **how):
    """The JSON line of a case: job() is called for budget seconds, after warm_up calls that do not count."""
    for _ in range(warm_up):
        job()
    spent, cpu, start = [], [], time.perf_counter()
    while len(spent) < at_least or time.perf_counter() - start < budget:
        begin, begin_cpu = time.perf_counter(), time.process_time()
        job()
        cpu.append(1e3 * (time.process_time() - begin_cpu))
        spent.append(1e3 * (time.perf_counter() - begin))
    best = cpu if torch.get_num_threads() == 1 else spent  # of one thread, as the C side: the CPU's clock
    return {'case': case, 'torch_ms': round(median(best), 4), 'min_ms': round(min(best), 4), 'wall_ms': round(median(spent), 4),
            'n': len(spent), **how, 'threads': torch.get_num_threads(), 'isa': os.environ.get('ATEN_CPU_CAPABILITY', 'own'),
            'torch': torch.__version__}


def measure_all(a, cases, choices):
    """Every choice in a process of its own."""
    for case in cases:
        rows = []
        for options in choices(a, case):
            options = {'case': case, **options, 'threads': a.threads, 'budget': a.budget, 'isa': a.isa}
            command = [sys.executable, os.path.abspath(sys.argv[0])]
            for name, value in options.items():
                command += ['--' + name, str(value)]
            rows.append(json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout))
        for row in sorted(rows, key=lambda r: -r['torch_ms']):
            print(json.dumps(row), flush=True)


# ---------------------------------------------------------------------------------------------------------------------
# Checks and test vectors
# ---------------------------------------------------------------------------------------------------------------------

def report(name, value, bound):
    ok = abs(value) <= bound
    print('%-66s %10.2e  (bound %.1e) %s' % (name, value, bound, 'ok' if ok else 'FAILED'))
    return ok


def fixed_prior(L, n):
    return torch.randn(n, L, L, generator=torch.Generator().manual_seed(20 + L), dtype=torch.float64)


def digits(value):
    """JSON with 17 significant digits."""
    if isinstance(value, torch.Tensor):
        value = value.detach().tolist()
    if isinstance(value, float):
        return '%.17g' % value
    if isinstance(value, (list, tuple)):
        return '[' + ', '.join(digits(v) for v in value) + ']'
    return json.dumps(value)


def write_vector(path, about, entries, by_rows):
    """A JSON file of the lines of about and the pairs (key, value); the keys by_rows get a line per row."""
    lines = ['  "about": [\n' + ',\n'.join('    ' + json.dumps(line) for line in about) + ']']
    for key, value in entries:
        text = '[\n' + ',\n'.join('    ' + digits(row) for row in value) + ']' if key in by_rows else digits(value)
        lines.append('  "%s": %s' % (key, text))
    with open(path, 'w') as out:
        out.write('{\n' + ',\n'.join(lines) + '\n}\n')


def main(a, cases, choices, time_case, check, dump):
    if a.check:
        return 0 if check() else 1
    if a.dump:
        return dump(a.dump, a.L)
    if a.measure_all:
        measure_all(a, [a.case] if a.case else cases, choices)
        return 0
    return time_case(a)
