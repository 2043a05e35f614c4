#!/usr/bin/python3
"""The affine coupling flow for 2D phi^4 in PyTorch: the peer that the C coupling layers are measured against.

The model (tutorial arXiv:2101.08176), for a field on an L x L torus, L even:

    layer i: sites of parity i mod 2 are active, the others frozen:  x' = exp(s) x + t,  log det = sum of s,
             (s, t) = tanh(net(frozen field, 0 at the active sites))
    net:     1 -> 8 -> 8 -> 2 channels, 3 x 3 taps, circular, LeakyReLU 0.01 in between;  16 layers; prior N(0,1)

A training step draws 64 samples, pushes them through, takes the reverse KL (mean of log q + S), differentiates it and makes
one Adam step. Sampling draws 1024 fields with log q and S.

What a timing is made with, and why the race is fair:
  * the periodic boundary is made in four ways (--impl):
        circular  torch.nn.functional.pad(mode='circular') before every convolution, as most people would write it
        index     two index_selects before every convolution
        cat       two concatenations before every convolution
        halo      one index_select of a halo of three sites per net, which the three convolutions use up
  * the layout of the channels (--layout): nchw, or nhwc (channels_last)
  * how it runs (--run): eager; trace (torch.jit.trace); frozen (traced and frozen with its weights, for sampling alone)
  * all weights are views of one flat parameter, so that Adam is a handful of kernels; masks are never multiplied into what
    is masked already; sampling runs without a graph (torch.inference_mode)
  * the batch may be cut into pieces that fit the cache (--chunk)
  * times of one thread are CPU times on both sides, so that a job beside them does not count for either
  * freed memory stays in the process, so that no step pays for page faults; AVX-512 kernels are switched on where the
    processor has them (PyTorch 1.13 uses AVX2 unless told)
  * what is taken stands in the table BEST, made with --measure-all; --impl, --layout, --run and --chunk override it
The convolutions are oneDNN's, no BLAS takes part.

Use:  coupling_torch.py --case coupling-train-L8 [--threads 1] [--budget 3] [--impl I] [--layout Y] [--run R] [--chunk N]
      coupling_torch.py --measure-all [--case C]     every choice, one JSON line each, fastest last
      coupling_torch.py --check                      the choices agree; log q against an exact Jacobian determinant
      coupling_torch.py --dump FILE --L 4            a float64 test vector for the C code
Exit status: 0 done, 1 a check failed, 2 PyTorch is missing or the arguments are wrong.
"""
import json
import math
import sys

import peer
from peer import extent, fixed_prior, report

IMPLS, LAYOUTS, RUNS = ('circular', 'index', 'cat', 'halo'), ('nchw', 'nhwc'), ('eager', 'trace', 'frozen')
CASES = tuple('coupling-%s-L%d' % (job, L) for job in ('train', 'sample') for L in (8, 16))
LAYERS, HIDDEN, KERNEL, SLOPE = 16, (8, 8), 3, 0.01
BATCH, SAMPLES, M2, LAMBDA = 64, 1024, -4.0, 8.0

PARSER, ARGS = peer.arguments('PyTorch peer of the affine coupling flow', CASES, impl=(IMPLS, 'how the boundary is made periodic'),
                              layout=(LAYOUTS, 'order of the axes of the channels'), run=(RUNS, 'how it is executed'))
if ARGS.run == 'frozen' and ARGS.case and 'train' in ARGS.case:
    PARSER.error('--run frozen is for sampling')
torch = peer.import_torch(ARGS, 'python3-torch')
F = torch.nn.functional


def action(x, m2, lam):
    """S of each sample; x has the shape (n, L, L)."""
    square = x * x
    neighbour = x.roll(1, 1) + x.roll(1, 2)
    return (((m2 + 4) + lam * square) * square - 2 * x * neighbour).sum((1, 2))


# ---------------------------------------------------------------------------------------------------------------------
# The flow. It is a module, so that it can be traced: forward(z) gives x and the log-det, both of whole batches.
# ---------------------------------------------------------------------------------------------------------------------

class Flow(torch.nn.Module):
    def __init__(self, L, impl='index', layout='nchw', layers=LAYERS, hidden=HIDDEN, dtype=torch.float32):
        super().__init__()
        self.L, self.V, self.impl, self.layers, self.dtype = L, L * L, impl, layers, dtype
        self.format = torch.channels_last if layout == 'nhwc' else torch.contiguous_format
        self.channels = (1,) + tuple(hidden) + (2,)
        self.shapes = []
        for _ in range(layers):
            for i, o in zip(self.channels, self.channels[1:]):
                self.shapes += [(o, i, KERNEL, KERNEL), (o,)]
        self.sizes = [math.prod(s) for s in self.shapes]
        self.flat = torch.nn.Parameter(torch.zeros(sum(self.sizes), dtype=dtype))
        site = torch.arange(L)
        parity = (site[:, None] + site[None, :]) % 2
        self.register_buffer('mask', torch.stack([parity == 0, parity == 1]).to(dtype))          # active sites of layer i mod 2
        reach = len(self.channels) - 1 if impl == 'halo' else 1
        self.register_buffer('around', torch.arange(-reach, L + reach) % L)
        self.reset(1)

    def reset(self, seed):
        """Uniform in +-1/sqrt(fan in), as torch.nn.Conv2d starts."""
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for p, shape in zip(self.pieces(), self.shapes):
                fan_in = math.prod(shape[1:]) if len(shape) > 1 else fan_in                 # a bias follows its weights
                p.copy_((torch.rand(shape, generator=draw, dtype=torch.float64) * 2 - 1) / math.sqrt(fan_in))

    def pieces(self):
        return [p.view(s) for p, s in zip(self.flat.split(self.sizes), self.shapes)]

    def pad(self, y):
        if self.impl == 'circular':
            return F.pad(y, (1, 1, 1, 1), mode='circular')
        if self.impl == 'cat':
            y = torch.cat((y[:, :, -1:], y, y[:, :, :1]), 2)
            return torch.cat((y[:, :, :, -1:], y, y[:, :, :, :1]), 3)
        return y.index_select(2, self.around).index_select(3, self.around)

    def net(self, y, weights):
        last = len(weights) // 2 - 1
        for i in range(last + 1):
            if i == 0 or self.impl != 'halo':
                y = self.pad(y)
            w = weights[2 * i]
            if self.format == torch.channels_last:
                y, w = y.contiguous(memory_format=self.format), w.contiguous(memory_format=self.format)
            y = F.conv2d(y, w, weights[2 * i + 1])
            y = F.leaky_relu_(y, SLOPE) if i < last else torch.tanh_(y)
        return y

    def forward(self, z):
        pieces, n = self.pieces(), 2 * (len(self.channels) - 1)
        x, sums = z, []
        for i in range(self.layers):
            active, frozen = self.mask[i % 2], self.mask[1 - i % 2]
            st = self.net((x * frozen).unsqueeze(1), pieces[n * i:n * (i + 1)]) * active       # s and t, 0 where frozen
            s, t = st[:, 0], st[:, 1]
            x = torch.addcmul(t, x, torch.exp(s))                                              # exp(0) x + 0 where frozen
            sums.append(s)
        return x, torch.stack(sums).sum((0, 2, 3))

    def prior(self, n):
        return torch.randn(n, self.L, self.L, dtype=self.dtype)

    def log_prior(self, z):
        return -0.5 * (z * z).sum((1, 2)) - 0.5 * self.V * math.log(2 * math.pi)


def gradient(flow, call, z, chunk):
    """The loss, and its gradient in flow.flat.grad."""
    total, n = 0.0, z.shape[0]
    for part in z.split(chunk):
        x, logdet = call(part)
        loss = (flow.log_prior(part) - logdet + action(x, M2, LAMBDA)).sum() / n
        loss.backward()
        total += loss.detach()
    return total


def sample(flow, call, z, chunk):
    """Field, log q and S."""
    out = []
    with torch.inference_mode():
        for part in z.split(chunk):
            x, logdet = call(part)
            out.append((x, flow.log_prior(part) - logdet, action(x, M2, LAMBDA)))
    return [torch.cat(column) for column in zip(*out)]


def callable_of(flow, run, z):
    """What is called: the module, or its trace on z."""
    if run == 'eager':
        return flow
    if run == 'trace':
        return torch.jit.trace(flow, z)
    with torch.no_grad():
        return torch.jit.freeze(torch.jit.trace(flow.eval(), z))


# ---------------------------------------------------------------------------------------------------------------------
# Timing
# ---------------------------------------------------------------------------------------------------------------------

# case: (impl, layout, run, chunk), the fastest of --measure-all
BEST = {
    'coupling-train-L8': ('halo', 'nchw', 'eager', 64), 'coupling-sample-L8': ('circular', 'nchw', 'trace', 256),
    'coupling-train-L16': ('halo', 'nchw', 'eager', 64), 'coupling-sample-L16': ('circular', 'nchw', 'trace', 64)}


def job_of(case, impl, layout, run, chunk):
    """A function that does the work of the case once."""
    flow = Flow(extent(case), impl, layout)
    torch.manual_seed(2)
    if 'sample' in case:
        call = callable_of(flow, run, flow.prior(min(chunk, SAMPLES)))
        return lambda: sample(flow, call, flow.prior(SAMPLES), chunk)
    call = callable_of(flow, run, flow.prior(min(chunk, BATCH)))
    adam = torch.optim.Adam([flow.flat], lr=1e-3)

    def step():
        adam.zero_grad()
        loss = gradient(flow, call, flow.prior(BATCH), chunk)
        adam.step()
        return loss
    return step


def choices(a, case):
    """What --measure-all tries."""
    train = 'train' in case
    for impl in [a.impl] if a.impl else IMPLS:
        for layout in [a.layout] if a.layout else LAYOUTS:
            for run in [a.run] if a.run else RUNS[:2] if train else RUNS[1:]:
                for chunk in [a.chunk] if a.chunk else (BATCH, 32) if train else (1024, 256, 64):
                    yield {'impl': impl, 'layout': layout, 'run': run, 'chunk': chunk}


def time_case(a):
    impl, layout, run, chunk = BEST[a.case]
    impl, layout, run, chunk = a.impl or impl, a.layout or layout, a.run or run, a.chunk or chunk
    job = job_of(a.case, impl, layout, run, chunk)                          # a trace is optimised in its first calls
    print(json.dumps(peer.timed(a.case, job, a.budget, warm_up=4, impl='%s %s' % (impl, layout), grad=run, chunk=chunk, blas='none')),
          flush=True)
    return 0


# ---------------------------------------------------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------------------------------------------------

def fixed_flow(L, impl='index', layout='nchw', **size):
    flow = Flow(L, impl, layout, dtype=torch.float64, **size)
    flow.reset(10 + L)
    return flow


def by_loops(flow, z):
    """One sample by plain sums over sites and taps: field and log-det. No convolution of PyTorch takes part."""
    L, pieces, n = flow.L, [p.detach() for p in flow.pieces()], 2 * (len(flow.channels) - 1)
    x, logdet = z.clone(), 0.0
    for i in range(flow.layers):
        active = [(a, b) for a in range(L) for b in range(L) if (a + b) % 2 == i % 2]
        y = x.clone()
        for a, b in active:
            y[a, b] = 0
        y = y[None]
        for c in range(n // 2):
            w, bias = pieces[n * i + 2 * c], pieces[n * i + 2 * c + 1]
            out = torch.zeros(w.shape[0], L, L, dtype=z.dtype)
            for a in range(L):
                for b in range(L):
                    near = torch.stack([y[:, (a + k - 1) % L, (b + l - 1) % L] for k in range(3) for l in range(3)], 1)
                    out[:, a, b] = bias + (w.flatten(2) * near).sum((1, 2))
            y = torch.where(out > 0, out, SLOPE * out) if c < n // 2 - 1 else torch.tanh(out)
        for a, b in active:
            x[a, b] = math.exp(y[0, a, b]) * x[a, b] + y[1, a, b]
            logdet += float(y[0, a, b])
    return x, logdet


def log_det(flow, z):
    """log |det dx / dz| of one sample, from V backward passes."""
    z = z[None].clone().requires_grad_()
    x, _ = flow(z)
    rows = [torch.autograd.grad(p, z, retain_graph=True)[0].reshape(-1) for p in x.reshape(-1)]
    return float(torch.linalg.slogdet(torch.stack(rows))[1])


def check():
    good = True
    for L in (4, 6):
        n, size = 6, {'layers': 4, 'hidden': (3, 2)}
        z, ref = fixed_prior(L, n), None
        for impl in IMPLS:
            for layout in LAYOUTS:
                for run in RUNS:
                    for chunk in (n, 3):
                        flow = fixed_flow(L, impl, layout, **size)
                        call = callable_of(flow, run, z[:chunk])
                        x, logq, s = sample(flow, call, z, chunk)
                        got = [x, logq, s]
                        if run != 'frozen':
                            got += [gradient(flow, call, z, chunk), flow.flat.grad]
                        if ref is None:
                            ref = [g.clone() for g in got]
                        worst = max(float((g - r).abs().max() / (1 + r.abs().max())) for g, r in zip(got, ref))
                        good &= report('L=%d %s %s %s chunk %d: field, log q, S, loss, gradient' % (L, impl, layout, run, chunk),
                                       worst, 1e-12)
        flow = fixed_flow(L, **size)
        with torch.no_grad():
            x, logdet = flow(z)
        for i in range(2):
            other, other_logdet = by_loops(flow, z[i])
            good &= report('L=%d sample %d: field by plain loops' % (L, i), float((other - x[i]).abs().max()), 1e-13)
            good &= report('L=%d sample %d: log-det by plain loops' % (L, i), other_logdet - float(logdet[i]), 1e-12)
            good &= report('L=%d sample %d: log-det of the Jacobian' % (L, i), log_det(flow, z[i]) - float(logdet[i]), 1e-11)

        # the gradient against central differences of the loss
        gradient(flow, flow, z, n)
        worst, eps = 0.0, 1e-6
        for i in range(0, flow.flat.numel(), 7):
            loss = []
            for sign in (1, -1):
                with torch.no_grad():
                    flow.flat[i] += sign * eps
                    _, logq, s = sample(flow, flow, z, n)
                    flow.flat[i] -= sign * eps
                loss.append(float((logq + s).mean()))
            exact = float(flow.flat.grad[i])
            worst = max(worst, abs((loss[0] - loss[1]) / (2 * eps) - exact) / (1 + abs(exact)))
        good &= report('L=%d gradient against central differences' % L, worst, 1e-6)

        # translations by an even number of sites
        moved, moved_logdet = flow(z.roll((1, 3), (1, 2)))
        good &= report('L=%d equivariance' % L, float((moved - x.roll((1, 3), (1, 2))).abs().max()), 1e-13)
        good &= report('L=%d invariance of the log-det' % L, float((moved_logdet - logdet).abs().max()), 1e-12)
    good &= report('parameters of the tutorial\'s flow, minus 12960', Flow(8).flat.numel() - 12960, 0)
    return good


# ---------------------------------------------------------------------------------------------------------------------
# Test vectors
# ---------------------------------------------------------------------------------------------------------------------

ABOUT = [
    'Test vector of an affine coupling flow for 2D phi^4, computed in float64 by bench/peers/coupling_torch.py --dump with',
    'PyTorch (conv2d, automatic differentiation), which shares no code with the header.',
    'Lattice: L x L, periodic; a field is a list of L*L numbers, site (x, y) at x*L + y.',
    'Layer i: sites with (x + y) mod 2 == i mod 2 are active: phi\' = exp(s) phi + t, log det = sum of s over them; the others',
    'are frozen. (s, t) = tanh of the net of the field that is phi at frozen sites and 0 at active ones.',
    'Net: convolutions (cross-correlations) with 3 x 3 taps, circular, channels 1 -> hidden -> 2 (s, t); LeakyReLU with slope',
    '0.01 between them. "parameters" has, layer by layer and convolution by convolution, weight [out][in][3][3], then bias',
    '[out], as PyTorch orders them.',
    'Prior: z ~ N(0,1) per site; log_prior = -sum z^2/2 - (V/2) log(2 pi); log_q = log_prior - log det.',
    'Action: S = sum_x [ (m2 + 4) phi^2 + lambda phi^4 - 2 phi (phi(x+1) + phi(y+1)) ].',
    'loss = mean over samples of (log_q + action); grad_parameters is its gradient in the order of "parameters"; grad_z[sample]',
    'is d loss / d z, the dependence of log_prior on z included. jacobian_log_det is log |det d phi / d z| from the Jacobian.']


def dump(path, L):
    n, hidden, layers = 2, (3, 2), 3
    flow = fixed_flow(L, layers=layers, hidden=hidden)
    z = fixed_prior(L, n).requires_grad_()
    x, logdet = flow(z)
    logq, s = flow.log_prior(z) - logdet, action(x, M2, LAMBDA)
    loss = (logq + s).mean()
    gp, gz = torch.autograd.grad(loss, [flow.flat, z])
    exact = [log_det(flow, one) for one in z.detach()]
    for i in range(n):
        other, other_logdet = by_loops(flow, z[i].detach())
        worst = max(float((other - x[i]).abs().max()), abs(other_logdet - float(logdet[i])), abs(exact[i] - float(logdet[i])))
        if worst > 1e-11:
            print('coupling_torch.py: two ways to field or log-det differ by %g; nothing written' % worst, file=sys.stderr)
            return 1
    parts = flow.flat.split(flow.sizes)
    entries = [('L', L), ('layers', layers), ('hidden', list(hidden)), ('samples', n), ('m2', M2),
               ('lambda', LAMBDA), ('parameters', parts), ('z', z.reshape(n, -1)), ('phi', x.reshape(n, -1)), ('log_prior', flow.log_prior(z)),
               ('log_q', logq), ('jacobian_log_det', exact), ('action', s), ('loss', float(loss)),
               ('grad_parameters', gp.split(flow.sizes)), ('grad_z', gz.reshape(n, -1))]
    peer.write_vector(path, ABOUT, entries, ('parameters', 'grad_parameters', 'z', 'phi', 'grad_z'))
    return 0


if __name__ == '__main__':
    sys.exit(peer.main(ARGS, CASES, choices, time_case, check, dump))
