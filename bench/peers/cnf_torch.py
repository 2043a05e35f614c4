#!/usr/bin/python3
"""The equivariant continuous flow for 2D phi^4 in PyTorch: the peer that the C sampler is measured against.

The model (arXiv:2110.02673), for a field on an L x L torus:

    d phi_x / dt   =   sum_{y,a,f} W[o(y-x),a,f] K_a(t) sin(omega_f phi_y)
    d log q / dt   = - sum_f w_f(t) omega_f sum_x cos(omega_f phi_x),     w_f(t) = sum_a W[o(0),a,f] K_a(t)

o(d) is the orbit of a displacement under reflections and exchange of the axes, K_a are linear hats on equally spaced
nodes of [0,1], the prior is N(0,1), the integrator RK4. A training step draws a batch, pushes it through, takes the
reverse KL (mean of log q + S), differentiates it and makes one Adam step. Sampling draws 1000 fields with log q and S.

What a timing is made with, and why the race is fair:
  * the sum over y is written in six ways (--impl):
        dense     one matmul with the (V, V F) block-circulant matrix
        fourier   one matmul with the (V, V) real Fourier matrix, product with the spectrum, sum over f, one matmul back
        sep       the same, with one (L, L) matmul per axis
        fft       rfft2, product with the spectrum, sum over f, one irfft2
        conv2d    convolution (oneDNN) of the circularly padded features with an L x L kernel
        patch     convolution (oneDNN) with V output channels that covers the lattice: dense without the BLAS
  * the gradient is made in three ways (--grad): PyTorch's own (autograd); the same with a node that keeps sin and cos,
    which PyTorch would otherwise compute twice (sincos); the discrete adjoint of RK4 written out by hand, in buffers
    allocated once (adjoint). When sampling, the first two are the same thing
  * kernels or spectra of all 2 n + 1 distinct RK4 times are made once per pass; no python loop runs over features, and
    the divergences of all stages are weighed in one contraction
  * the batch may be cut into pieces that fit the cache (--chunk)
  * freed memory stays in the process, so that no step pays for page faults; AVX-512 kernels are switched on where the
    processor has them (PyTorch 1.13 uses AVX2 unless told)
  * what is taken stands in the table BEST, made with --measure-all; --impl, --grad and --chunk override it
  * the BLAS in use is named in the output: with Debian's reference BLAS a matmul takes twenty to thirty times as long
    as with OpenBLAS, so install both:  apt-get install python3-torch libopenblas0-pthread

Use:  cnf_torch.py --case cnf-train-L6 [--threads 1] [--budget 3] [--impl I] [--grad G] [--chunk N]   one JSON line
      cnf_torch.py --measure-all [--case C]     every choice, one JSON line each, fastest last
      cnf_torch.py --check                      the choices agree; log q against an exact Jacobian determinant
      cnf_torch.py --dump FILE --L 4            a float64 test vector for the C code
Exit status: 0 done, 1 a check failed, 2 PyTorch is missing or the arguments are wrong.
"""
import json
import math
import re
import sys

import peer
from peer import extent, fixed_prior, report

IMPLS = ('dense', 'fourier', 'sep', 'fft', 'conv2d', 'patch')
GRADS = ('autograd', 'sincos', 'adjoint')
CASES = tuple('cnf-%s-L%d' % (job, L) for job in ('train', 'sample') for L in (6, 12, 32))
COUPLING = {6: 6.975, 12: 5.276, 32: 4.572}       # lambda at m2 = -4, on the line m_p L = 4
_, ARGS = peer.arguments('PyTorch peer of the continuous-flow sampler', CASES, impl=(IMPLS, 'how the convolution is written'),
                         grad=(GRADS, 'how the gradient is made'))
torch = peer.import_torch(ARGS, 'python3-torch libopenblas0-pthread')


# ---------------------------------------------------------------------------------------------------------------------
# Lattice
# ---------------------------------------------------------------------------------------------------------------------

def orbit_table(L):
    """The orbits as pairs (a, b), a <= b, in increasing order, and the orbit of each displacement (dx, dy)."""
    half = L // 2
    pairs = [(a, b) for a in range(half + 1) for b in range(a, half + 1)]
    rank = {pair: i for i, pair in enumerate(pairs)}
    fold = [min(d, L - d) for d in range(L)]
    return pairs, torch.tensor([[rank[tuple(sorted((fold[x], fold[y])))] for y in range(L)] for x in range(L)])


def fourier_basis(L):
    """The orthonormal real Fourier basis in columns (constant, then cos and sin of each frequency), and the frequencies."""
    x = torch.arange(L, dtype=torch.float64)
    column, freq = [], []
    for k in range(L // 2 + 1):
        single = k == 0 or 2 * k == L
        norm = math.sqrt((1.0 if single else 2.0) / L)
        for wave in (torch.cos,) if single else (torch.cos, torch.sin):
            column.append(norm * wave(2 * math.pi * k * x / L))
            freq.append(k)
    return torch.stack(column, 1), torch.tensor(freq)


def one_hot(index, n):
    return (index.reshape(-1, 1) == torch.arange(n)).to(torch.float64)


def action(grid, m2, lam):
    """S of each sample; grid has the shape (L, L, batch)."""
    square = grid * grid
    neighbour = grid.roll(1, 0) + grid.roll(1, 1)
    return (((m2 + 4) + lam * square) * square - 2 * grid * neighbour).sum((0, 1))


# ---------------------------------------------------------------------------------------------------------------------
# The convolutions. The order of the axes of the features is that which suits the arithmetic: V sites, F frequencies,
# B samples; fields have the same without F. Each class says how the kernel of a time node follows from its weights on
# orbits: matrix @ weights, then arranged.
# ---------------------------------------------------------------------------------------------------------------------

class Convolution:
    axes = 'VFB'

    def __init__(self, L, orbit, n_orbit, n_feature, dtype):
        self.L, self.V, self.F = L, L * L, n_feature
        self.site, self.feature, self.batch_first = self.axes.index('V'), self.axes.index('F'), self.axes[0] == 'B'
        self.matrix = self.rows(orbit, n_orbit).to(dtype)
        self.plan(dtype)

    def plan(self, dtype):
        pass

    def shape(self, n):
        return tuple({'V': self.V, 'F': self.F, 'B': n}[axis] for axis in self.axes)

    def per_feature(self, omega):
        return omega.view([-1 if axis == 'F' else 1 for axis in self.axes])

    def fold(self, darg, phi, omega, room):
        """From d loss / d (omega phi) to the gradients of phi and omega; spoils darg and room."""
        dw = torch.mul(darg, phi.unsqueeze(self.feature), out=room).sum((0, 2))
        return darg.mul_(omega).sum(1), dw


class Dense(Convolution):
    axes = 'FVB'

    def rows(self, orbit, n_orbit):
        i = torch.arange(self.L)
        d = (i[None, :] - i[:, None]) % self.L                              # y - x along an axis
        return one_hot(orbit[d[:, None, :, None], d[None, :, None, :]], n_orbit)    # rows [x0, x1, y0, y1]

    def arrange(self, node):                                                # (A, V V, F) to (A, V, F V)
        return node.view(-1, self.V, self.V, self.F).transpose(2, 3).reshape(-1, self.V, self.F * self.V)

    def forward(self, kernel, s, keep=None, out=None):
        return torch.mm(kernel, s.view(self.F * self.V, -1), out=out)

    def backward(self, kernel, dkernel, s, kept, dv, out):
        dkernel.addmm_(dv, s.view(self.F * self.V, -1).t())
        torch.mm(kernel.t(), dv, out=out.view(self.F * self.V, -1))

    def fold(self, darg, phi, omega, room):
        flat = darg.view(self.F, -1)
        return torch.mv(flat.t(), omega.view(-1)).view(phi.shape), torch.mv(flat, phi.reshape(-1))


class Fourier(Convolution):
    """One matrix for both axes."""

    def rows(self, orbit, n_orbit):
        self.basis, freq = fourier_basis(self.L)
        wave = torch.cos(2 * math.pi / self.L * freq[:, None].double() * torch.arange(self.L)[None])
        return torch.kron(wave, wave) @ one_hot(orbit, n_orbit)

    def plan(self, dtype):
        self.q = torch.kron(self.basis, self.basis).to(dtype)
        self.qt = self.q.t().contiguous()

    def to_modes(self, s, out=None):
        flat = torch.mm(self.qt, s.reshape(self.V, -1), out=None if out is None else out.view(self.V, -1))
        return flat.view(s.shape)

    def to_sites(self, s, out=None):
        flat = torch.mm(self.q, s.reshape(self.V, -1), out=None if out is None else out.view(self.V, -1))
        return flat.view(s.shape)

    def arrange(self, node):                                                # (A, V, F)
        return node.unsqueeze(3)

    def forward(self, kernel, s, keep=None, out=None):
        modes = self.to_modes(s, keep)
        return self.to_sites((modes * kernel).sum(1), out)

    def backward(self, kernel, dkernel, s, kept, dv, out):
        dmodes = self.to_modes(dv).unsqueeze(1)
        torch.mul(kept, dmodes, out=out)
        dkernel += out.sum(2, keepdim=True)
        self.to_sites(kernel * dmodes, out)


class Separable(Fourier):
    """One matrix per axis: the first axis is one matmul, the second one a batch of L of them, without transposition.
    (To fold even and odd parts first halves the matmuls, and the additions eat up the gain.)"""

    def plan(self, dtype):
        L = self.L
        self.c = self.basis.to(dtype)
        self.ct = self.c.t().contiguous()
        self.cb, self.ctb = self.c.expand(L, L, L), self.ct.expand(L, L, L)

    def each_axis(self, c, cb, s, out):
        L = self.L
        half = torch.mm(c, s.reshape(L, -1)).view(L, L, -1)
        return torch.bmm(cb, half, out=None if out is None else out.view(L, L, -1)).view(s.shape)

    def to_modes(self, s, out=None):
        return self.each_axis(self.ct, self.ctb, s, out)

    def to_sites(self, s, out=None):
        return self.each_axis(self.c, self.cb, s, out)


class FFT(Convolution):
    def rows(self, orbit, n_orbit):
        k = torch.arange(self.L).double()
        wave = torch.cos(2 * math.pi / self.L * k[:, None] * k[None])
        return torch.kron(wave, wave[:self.L // 2 + 1]) @ one_hot(orbit, n_orbit)

    def arrange(self, node):                                                # even kernels have real spectra
        return node.view(-1, self.L, self.L // 2 + 1, self.F, 1)

    def forward(self, kernel, s, keep=None, out=None):
        L = self.L
        modes = torch.fft.rfft2(s.view(L, L, self.F, -1), dim=(0, 1))
        return torch.fft.irfft2((modes * kernel).sum(2), s=(L, L), dim=(0, 1)).view(self.V, -1)


class Conv2d(Convolution):
    axes = 'BFV'

    def rows(self, orbit, n_orbit):
        r = self.L // 2
        self.pad = (r, self.L - 1 - r, r, self.L - 1 - r)
        return one_hot(orbit.roll((r, r), (0, 1)), n_orbit)

    def arrange(self, node):                                                # (A, V, F)
        return node.transpose(1, 2).reshape(-1, 1, self.F, self.L, self.L)

    def forward(self, kernel, s, keep=None, out=None):
        padded = torch.nn.functional.pad(s.view(-1, self.F, self.L, self.L), self.pad, mode='circular')
        return torch.conv2d(padded, kernel).view(-1, self.V)


class Patch(Convolution):
    axes = 'BFV'
    rows = Dense.rows

    def arrange(self, node):
        return Dense.arrange(self, node).view(-1, self.V, self.F, self.L, self.L)

    def forward(self, kernel, s, keep=None, out=None):
        return torch.conv2d(s.view(-1, self.F, self.L, self.L), kernel).view(-1, self.V)


CLASS = dict(zip(IMPLS, (Dense, Fourier, Separable, FFT, Conv2d, Patch)))


class SinCos(torch.autograd.Function):
    """sin(omega phi) and sum_x cos(omega phi): both functions are evaluated once and kept for the way back."""

    @staticmethod
    def forward(ctx, phi, omega, conv):
        arg = phi.unsqueeze(conv.feature) * conv.per_feature(omega)
        s, c = torch.sin(arg), torch.cos(arg)
        ctx.save_for_backward(phi, omega, s, c)
        ctx.conv = conv
        return s, c.sum(conv.site)

    @staticmethod
    def backward(ctx, ds, dcsum):
        phi, omega, s, c = ctx.saved_tensors
        darg = (ds * c).addcmul_(s, dcsum.unsqueeze(ctx.conv.site), value=-1)
        return (*ctx.conv.fold(darg, phi, ctx.conv.per_feature(omega), None), None)


# ---------------------------------------------------------------------------------------------------------------------
# The flow
# ---------------------------------------------------------------------------------------------------------------------

class Flow:
    def __init__(self, L, impl='sep', grad='autograd', n_feature=9, n_node=10, n_step=50, dtype=torch.float32, seed=1):
        self.L, self.V, self.F, self.n_step, self.dtype, self.grad = L, L * L, n_feature, n_step, dtype, grad
        self.pairs, orbit = orbit_table(L)
        self.conv = CLASS[impl](L, orbit, len(self.pairs), n_feature, dtype)
        times = torch.arange(2 * n_step + 1, dtype=torch.float64) / (2 * n_step)
        hats = 1 - (times[:, None] * (n_node - 1) - torch.arange(n_node)).abs()
        self.hats = hats.clamp(min=0).to(dtype)                             # (T, A)
        draw = torch.Generator().manual_seed(seed)
        self.W = torch.zeros(len(self.pairs), n_node, n_feature, dtype=dtype, requires_grad=True)
        self.omega = torch.randn(n_feature, generator=draw, dtype=torch.float64).to(dtype).requires_grad_()
        # the four stages of a step, their times in half steps, and the weight of each stage in the integral
        self.stage_time = torch.tensor([2 * i + j for i in range(n_step) for j in (0, 1, 1, 2)])
        weight = torch.tensor([1, 2, 2, 1], dtype=torch.float64) / (6 * n_step)
        self.stage_weight = weight.repeat(n_step).to(dtype)
        self.buffers = None

    def parameters(self):
        return [self.W, self.omega]

    def prior(self, n, generator=None):
        shape = (n, self.V) if self.conv.batch_first else (self.V, n)
        return torch.randn(shape, dtype=self.dtype, generator=generator)

    def field(self, samples):
        """From (n, L, L) to the layout of the implementation."""
        flat = samples.reshape(-1, self.V)
        return (flat if self.conv.batch_first else flat.t()).clone(memory_format=torch.contiguous_format)

    def grid(self, phi):
        return (phi.t() if self.conv.batch_first else phi).reshape(self.L, self.L, -1)

    def log_prior(self, z):
        return -0.5 * (z * z).sum(1 if self.conv.batch_first else 0) - 0.5 * self.V * math.log(2 * math.pi)

    def kernels(self):
        """Kernels of all times, and the factors w_f(t) omega_f of the divergence; once per pass."""
        n_orbit, n_node = self.W.shape[:2]
        node = (self.conv.matrix @ self.W.view(n_orbit, -1)).view(-1, n_node, self.F).transpose(0, 1)
        node = self.conv.arrange(node.contiguous())
        kernel = (self.hats @ node.reshape(n_node, -1)).view(-1, *node.shape[1:])
        return kernel, (self.hats @ self.W[0]) * self.omega

    def push(self, kernel, div, z):
        """RK4 from z at t = 0 to phi at t = 1, with log q(phi); kernel is a sequence of 2 n + 1 kernels."""
        h, conv, sums = 1.0 / self.n_step, self.conv, []
        once = self.grad != 'autograd' and torch.is_grad_enabled()

        def velocity(t, phi):
            if once:
                s, csum = SinCos.apply(phi, self.omega, conv)
            else:
                arg = phi.unsqueeze(conv.feature) * conv.per_feature(self.omega)
                s, csum = torch.sin(arg), torch.cos(arg).sum(conv.site)
            sums.append(csum)
            return conv.forward(kernel[t], s)

        phi = z
        for i in range(0, 2 * self.n_step, 2):
            k1 = velocity(i, phi)
            k2 = velocity(i + 1, phi.add(k1, alpha=0.5 * h))
            k3 = velocity(i + 1, phi.add(k2, alpha=0.5 * h))
            k4 = velocity(i + 2, phi.add(k3, alpha=h))
            phi = phi.add((k1 + k4).add_(k2 + k3, alpha=2), alpha=h / 6)
        factor = self.stage_weight[:, None] * div[self.stage_time]
        sums = torch.stack(sums)
        return phi, self.log_prior(z) - torch.einsum('sf,sbf->b' if conv.batch_first else 'sf,sfb->b', factor, sums)

    # The same without a graph, in buffers that live as long as the flow; only where the samples are the last axis.

    def room(self, n, taped):
        """Buffers for n samples. The tape holds the field, sin, cos and the modes of every stage: to make them again on
        the way back did not pay at any extent."""
        if self.buffers is None or self.buffers['n'] != n or self.buffers['taped'] < taped:
            def make(*shape):
                return torch.empty(shape, dtype=self.dtype)
            size, stages = self.conv.shape(n), (4 * self.n_step if taped else 1)
            self.buffers = {'n': n, 'taped': taped, 'sum': make(4 * self.n_step, self.F, n), 'darg': make(*size),
                            'phi': [make(self.V, n) for _ in range(stages + 1)], 'v': [make(self.V, n) for _ in range(4)],
                            's': [make(*size) for _ in range(stages)], 'c': [make(*size) for _ in range(stages)],
                            'modes': [make(*size) if isinstance(self.conv, Fourier) else None for _ in range(stages)]}
        return self.buffers

    def push_flat(self, kernel, div, z, taped):
        r, h, conv = self.room(z.shape[1], taped), 1.0 / self.n_step, self.conv
        omega, v, total = conv.per_feature(self.omega.detach()), r['v'], r['sum']

        def velocity(j, t, phi):
            k = j if taped else 0
            s, c = r['s'][k], r['c'][k]
            torch.mul(phi.unsqueeze(conv.feature), omega, out=c)
            torch.sin(c, out=s)
            torch.cos(c, out=c)
            torch.sum(c, conv.site, out=total[j])
            return conv.forward(kernel[t], s, keep=r['modes'][k], out=v[j % 4])

        def state(j):
            return r['phi'][j if taped else 0]

        phi = state(0).copy_(z)
        stage = r['phi'][-1] if not taped else None
        for i in range(self.n_step):
            j, t = 4 * i, 2 * i
            velocity(j, t, phi)
            for m, a in ((1, 0.5 * h), (2, 0.5 * h), (3, h)):
                at = torch.add(phi, v[m - 1], alpha=a, out=state(j + m) if taped else stage)
                velocity(j + m, t + (m + 1) // 2, at)
            v[0].add_(v[3]).add_(v[1].add_(v[2]), alpha=2)
            phi = torch.add(phi, v[0], alpha=h / 6, out=state(j + 4))
        factor = self.stage_weight[:, None] * div[self.stage_time]
        return phi, self.log_prior(z) - torch.einsum('sf,sfb->b', factor, total)

    def pull_flat(self, kernel, dkernel, div, g, scale):
        """Backward of push_flat: g is d loss / d phi(1), scale the derivative of the loss by log q of a sample.
        Adds to dkernel; returns the gradients of z (through the flow only), div and omega."""
        r, h, conv = self.buffers, 1.0 / self.n_step, self.conv
        omega, darg = conv.per_feature(self.omega.detach()), r['darg']
        factor = [conv.per_feature(f) for f in scale * self.stage_weight[:, None] * div[self.stage_time]]
        domega = torch.zeros(self.F, dtype=self.dtype)

        def stage(j, t, dv):
            s, c = r['s'][j], r['c'][j]
            conv.backward(kernel[t], dkernel[t], s, r['modes'][j], dv, darg)
            darg.mul_(c).addcmul_(s, factor[j])
            dphi, dw = conv.fold(darg, r['phi'][j], omega, c)               # c has served, and is room
            domega.add_(dw)
            return dphi

        for i in range(self.n_step - 1, -1, -1):
            j, t = 4 * i, 2 * i
            g4 = stage(j + 3, t + 2, g * (h / 6))
            g3 = stage(j + 2, t + 1, (g * (h / 3)).add_(g4, alpha=h))
            g2 = stage(j + 1, t + 1, (g * (h / 3)).add_(g3, alpha=0.5 * h))
            g1 = stage(j, t, (g * (h / 6)).add_(g2, alpha=0.5 * h))
            g = g + g1 + (g2 + g3) + g4
        per_stage = r['sum'].sum(2) * (-scale * self.stage_weight[:, None])
        ddiv = torch.zeros_like(div).index_add_(0, self.stage_time, per_stage)
        return g, ddiv, domega

    # What is timed

    def gradient(self, z, m2, lam, chunk=None):
        """Loss of the batch; adds its gradient to W.grad and omega.grad."""
        axis = 0 if self.conv.batch_first else 1
        n = z.shape[axis]
        pieces = z.split(chunk or n, axis)
        kernel, div = self.kernels()
        if self.grad == 'adjoint':
            with torch.no_grad():
                dkernel, ddiv, domega = (torch.zeros_like(x) for x in (kernel, div, self.omega))
                loss = 0.0
                ks, dks = kernel.detach().unbind(0), dkernel.unbind(0)
                for piece in pieces:
                    phi, logq = self.push_flat(ks, div.detach(), piece, True)
                    with torch.enable_grad():
                        end = phi.detach().requires_grad_()
                        s = action(self.grid(end), m2, lam).sum() / n
                        g, = torch.autograd.grad(s, end)
                    loss += float(s) + float(logq.sum()) / n
                    _, dd, dw = self.pull_flat(ks, dks, div.detach(), g, 1.0 / n)
                    ddiv += dd
                    domega += dw
            torch.autograd.backward([kernel, div], [dkernel, ddiv])
            self.omega.grad += domega
            return loss
        if len(pieces) == 1:
            phi, logq = self.push(kernel.unbind(0), div, z)
            loss = (logq + action(self.grid(phi), m2, lam)).mean()
            loss.backward()
            return float(loss)
        leaf, dleaf, total = kernel.detach().requires_grad_(), div.detach().requires_grad_(), 0.0
        for piece in pieces:
            phi, logq = self.push(leaf.unbind(0), dleaf, piece)
            loss = (logq + action(self.grid(phi), m2, lam)).sum() / n
            loss.backward()
            total += float(loss)
        torch.autograd.backward([kernel, div], [leaf.grad, dleaf.grad])
        return total

    def sample(self, z, m2, lam, chunk=None):
        """phi, log q and S of each sample, without gradients."""
        axis = 0 if self.conv.batch_first else 1
        out = []
        with torch.no_grad():
            kernel, div = self.kernels()
            ks = kernel.unbind(0)
            for piece in z.split(chunk or z.shape[axis], axis):
                if self.grad == 'adjoint':
                    phi, logq = self.push_flat(ks, div, piece, False)
                else:
                    phi, logq = self.push(ks, div, piece)
                out.append((phi.clone(), logq, action(self.grid(phi), m2, lam)))
        return torch.cat([o[0] for o in out], axis), torch.cat([o[1] for o in out]), torch.cat([o[2] for o in out])


# ---------------------------------------------------------------------------------------------------------------------
# Timing
# ---------------------------------------------------------------------------------------------------------------------

BATCH, SAMPLES = 100, 1000

# case: (impl, grad, chunk), the fastest of --measure-all, with OpenBLAS or the like and with the reference BLAS
BEST = {
    'fast': {
        'cnf-train-L6': ('dense', 'adjoint', 100), 'cnf-sample-L6': ('dense', 'adjoint', 200),
        'cnf-train-L12': ('sep', 'adjoint', 100), 'cnf-sample-L12': ('sep', 'adjoint', 100),
        'cnf-train-L32': ('sep', 'adjoint', 50), 'cnf-sample-L32': ('sep', 'adjoint', 100)},
    'reference': {
        'cnf-train-L6': ('patch', 'sincos', 100), 'cnf-sample-L6': ('patch', 'autograd', 1000),
        'cnf-train-L12': ('fft', 'sincos', 100), 'cnf-sample-L12': ('fft', 'autograd', 500),
        'cnf-train-L32': ('fft', 'sincos', 50), 'cnf-sample-L32': ('fft', 'autograd', 100)}}


def blas_name():
    """Which library does the matmuls; found among the mapped files."""
    try:
        maps = open('/proc/self/maps').read()
    except OSError:
        return 'unknown'
    for name in ('openblas', 'blis', 'mkl', 'atlas'):
        if re.search(r'/[^\n]*lib[^/\n]*%s' % name, maps) or re.search(r'/%s[^/\n]*/libblas' % name, maps):
            return name
    if torch.backends.mkl.is_available():
        return 'mkl'
    return 'reference' if re.search(r'/libblas\.so', maps) else 'unknown'


def job_of(case, impl, grad, chunk):
    """A function that does the work of the case once."""
    L = extent(case)
    flow = Flow(L, impl, grad)
    torch.manual_seed(2)
    with torch.no_grad():
        flow.W.normal_(0, 1e-3)
    if 'sample' in case:
        return lambda: flow.sample(flow.prior(SAMPLES), -4.0, COUPLING[L], chunk)
    adam = torch.optim.Adam(flow.parameters(), lr=1e-3)

    def step():
        adam.zero_grad()
        loss = flow.gradient(flow.prior(BATCH), -4.0, COUPLING[L], chunk)
        adam.step()
        return loss
    return step


def choices(a, case):
    """What --measure-all tries. Left out are gradients that a convolution has not or that a sampler does not need,
    matrices of gigabytes (dense, fourier, patch) or minutes (conv2d) at the largest extent, and chunks too large for it."""
    train, large = 'train' in case, extent(case) > 12
    chunks = (BATCH, 50, 25) if train else (200, 100, 50, 25) if large else (1000, 500, 200, 100)
    for impl in [a.impl] if a.impl else IMPLS:
        if large and impl in ('dense', 'fourier', 'patch', 'conv2d'):
            continue
        for grad in [a.grad] if a.grad else GRADS:
            if grad == 'adjoint' and not hasattr(CLASS[impl], 'backward') or grad == 'sincos' and not train:
                continue
            for chunk in [a.chunk] if a.chunk else chunks:
                yield {'impl': impl, 'grad': grad, 'chunk': chunk}


def time_case(a):
    impl, grad, chunk = BEST['reference' if blas_name() == 'reference' else 'fast'][a.case]
    impl, chunk = a.impl or impl, a.chunk or chunk
    by_hand = hasattr(CLASS[impl], 'backward')
    if a.grad == 'adjoint' and not by_hand:
        print('cnf_torch.py: --impl %s has no --grad adjoint' % impl, file=sys.stderr)
        return 2
    grad = a.grad or (grad if grad != 'adjoint' or by_hand else 'sincos')
    job, named = job_of(a.case, impl, grad, chunk), grad if 'train' in a.case or grad == 'adjoint' else 'none'
    print(json.dumps(peer.timed(a.case, job, a.budget, warm_up=1, impl=impl, grad=named, chunk=chunk, blas=blas_name())), flush=True)
    return 0


# ---------------------------------------------------------------------------------------------------------------------
# Checks
# ---------------------------------------------------------------------------------------------------------------------

def fixed_flow(L, impl, grad, **size):
    """A flow with weights that move things: W of order 1/2 over the orbits' sizes, omega between 0.3 and 2."""
    flow = Flow(L, impl, grad, dtype=torch.float64, **size)
    draw = torch.Generator().manual_seed(10 + L)
    with torch.no_grad():
        _, orbit = orbit_table(L)
        count = torch.bincount(orbit.reshape(-1)).double()
        flow.W.copy_(torch.randn(flow.W.shape, generator=draw, dtype=torch.float64) * 0.5 / count[:, None, None])
        flow.omega.copy_(torch.linspace(0.3, 2.0, flow.F, dtype=torch.float64))
    return flow


def log_det(flow, sample):
    """log |det d phi / d z| of the discrete map, from V backward passes."""
    with torch.no_grad():
        kernel, div = flow.kernels()
    ks = kernel.unbind(0)
    z = flow.field(sample).requires_grad_()
    phi, _ = flow.push(ks, div, z)
    rows = [torch.autograd.grad(p, z, retain_graph=True)[0].reshape(-1) for p in phi.reshape(-1)]
    return float(torch.linalg.slogdet(torch.stack(rows))[1])


def check():
    good = True
    for L in (4, 5, 6):
        m2, lam, n = -4.0, 6.0, 6
        z, ref = fixed_prior(L, n), None
        for impl in IMPLS:
            for grad in GRADS:
                if grad == 'adjoint' and not hasattr(CLASS[impl], 'backward'):
                    continue
                for chunk in (n, 4):
                    flow = fixed_flow(L, impl, grad, n_feature=4, n_node=5, n_step=8)
                    loss = flow.gradient(flow.field(z), m2, lam, chunk)
                    phi, logq, s = flow.sample(flow.field(z), m2, lam, chunk)
                    got = [flow.grid(phi), logq, s, torch.tensor(loss, dtype=torch.float64), flow.W.grad, flow.omega.grad]
                    if ref is None:
                        ref = got
                    else:
                        worst = max(float((g - r).abs().max() / (1 + r.abs().max())) for g, r in zip(got, ref))
                        name = 'L=%d %s %s chunk %d: field, log q, S, loss, gradients' % (L, impl, grad, chunk)
                        good &= report(name, worst, 1e-11)

        # the gradient against central differences of the loss
        flow = fixed_flow(L, 'dense', 'autograd', n_feature=4, n_node=5, n_step=8)
        flow.gradient(flow.field(z), m2, lam)

        def loss():
            _, logq, s = flow.sample(flow.field(z), m2, lam)
            return float((logq + s).mean())
        worst, eps = 0.0, 1e-5
        for p in flow.parameters():
            for i in range(0, p.numel(), 7 if p.numel() > 10 else 1):
                keep = float(p.data.view(-1)[i])
                p.data.view(-1)[i] = keep + eps
                up = loss()
                p.data.view(-1)[i] = keep - eps
                down = loss()
                p.data.view(-1)[i] = keep
                worst = max(worst, abs((up - down) / (2 * eps) - float(p.grad.view(-1)[i])) / (1 + abs(float(p.grad.view(-1)[i]))))
        good &= report('L=%d gradient against central differences' % L, worst, 1e-7)

        # translations and D4
        phi, logq, _ = flow.sample(flow.field(z), m2, lam)
        moved = flow.sample(flow.field(z.roll((1, 2), (1, 2)).flip(1).transpose(1, 2)), m2, lam)
        back = flow.grid(moved[0]).permute(2, 1, 0).flip(1).roll((-1, -2), (1, 2))
        good &= report('L=%d equivariance' % L, float((back - flow.grid(phi).permute(2, 0, 1)).abs().max()), 1e-12)
        good &= report('L=%d invariance of log q' % L, float((moved[1] - logq).abs().max()), 1e-11)

    # log q against the determinant; the steps fall on the nodes, so that the difference falls with the fourth power
    errors = []
    for n_step in (12, 24, 48):
        flow = fixed_flow(4, 'sep', 'autograd', n_feature=4, n_node=5, n_step=n_step)
        z = fixed_prior(4, 2)
        with torch.no_grad():
            kernel, div = flow.kernels()
            _, logq = flow.push(kernel.unbind(0), div, flow.field(z))
        errors.append(max(abs(float(logq[i] - flow.log_prior(flow.field(z))[i]) + log_det(flow, z[i])) for i in range(2)))
    good &= report('L=4 log q - exact log q, 12 steps', errors[0], 1e-3)
    good &= report('L=4 log q - exact log q, 48 steps', errors[2], 4e-6)
    order = math.log(errors[0] / errors[2]) / math.log(4)
    good &= report('L=4 order of that difference, minus 4', order - 4, 0.7)
    flow = fixed_flow(6, 'sep', 'autograd')
    z = fixed_prior(6, 1)
    with torch.no_grad():
        kernel, div = flow.kernels()
        _, logq = flow.push(kernel.unbind(0), div, flow.field(z))
    error = float(logq - flow.log_prior(flow.field(z))) + log_det(flow, z[0])
    good &= report('L=6 log q - exact log q, the model of the benchmark', error, 1e-3)
    return good


# ---------------------------------------------------------------------------------------------------------------------
# Test vectors
# ---------------------------------------------------------------------------------------------------------------------

ABOUT = [
    'Test vector of the equivariant continuous flow for 2D phi^4, computed in float64 by bench/peers/cnf_torch.py --dump',
    'with PyTorch (dense convolution, automatic differentiation), which shares no code with the header.',
    'Lattice: L x L, periodic; a field is a list of L*L numbers, site (x, y) at x*L + y.',
    'Orbits: displacement (dx, dy) -> (min(dx, L-dx), min(dy, L-dy)), sorted: the pair [a, b], a <= b; orbits stand in',
    'increasing order of (a, b) and are listed in "orbits".',
    'Velocity: dphi_x/dt = sum_y sum_a sum_f W[o(y-x)][a][f] K_a(t) sin(omega[f] phi_y);',
    'd log q / dt = - sum_f sum_a W[0][a][f] K_a(t) omega[f] sum_x cos(omega[f] phi_x).',
    'Time: K_a(t) = max(0, 1 - |t (nodes-1) - a|), a = 0 .. nodes-1; classical RK4, "steps" equal steps from t=0 to 1, for',
    'phi and log q alike.',
    'Prior: z ~ N(0,1) per site, log_prior = -sum z^2/2 - (V/2) log(2 pi), log_q = log_prior + integral of d log q / dt.',
    'Action: S = sum_x [ (m2 + 4) phi^2 + lambda phi^4 - 2 phi (phi(x+1) + phi(y+1)) ].',
    'loss = mean over samples of (log_q + action); grad_W has the shape of W, grad_omega that of omega; grad_z[sample] is',
    'd loss / d z, the dependence of log_prior on z included.',
    'velocity_0 and divergence_0 are dphi/dt and - d log q / dt at t = 0, phi = z.',
    'log_det is log |det d phi / d z| of the discrete RK4 map: log_prior - log_det differs from log_q by the error of the',
    'integrator in the divergence, and must not be used to test log_q beyond that.']


def dump(path, L):
    m2, lam, n = -4.0, COUPLING.get(L, 8.0), 2
    flow = fixed_flow(L, 'dense', 'autograd', n_feature=3, n_node=4, n_step=6)
    samples = fixed_prior(L, n)
    z = flow.field(samples).requires_grad_()
    kernel, div = flow.kernels()
    phi, logq = flow.push(kernel.unbind(0), div, z)
    s = action(flow.grid(phi), m2, lam)
    loss = (logq + s).mean()
    gW, gomega, gz = torch.autograd.grad(loss, [flow.W, flow.omega, z])
    with torch.no_grad():
        arg = z.unsqueeze(flow.conv.feature) * flow.conv.per_feature(flow.omega)
        velocity = flow.conv.forward(kernel[0], torch.sin(arg))
        divergence = div[0] @ torch.cos(arg).sum(flow.conv.site)

    other = fixed_flow(L, 'sep', 'adjoint', n_feature=3, n_node=4, n_step=6)
    other_loss = other.gradient(other.field(samples), m2, lam)
    other_loss = torch.tensor(other_loss, dtype=torch.float64)
    for name, one, two in (('loss', other_loss, loss), ('grad_W', other.W.grad, gW), ('grad_omega', other.omega.grad, gomega)):
        worst = float((one - two).abs().max() / (1 + two.abs().max()))
        if worst > 1e-12:
            print('cnf_torch.py: two ways to %s differ by %g; nothing written' % (name, worst), file=sys.stderr)
            return 1

    entries = [('L', L), ('frequencies', 3), ('nodes', 4), ('steps', 6), ('samples', n), ('m2', m2), ('lambda', lam),
               ('orbits', [list(p) for p in flow.pairs]), ('W', flow.W), ('omega', flow.omega), ('z', samples.reshape(n, -1)),
               ('velocity_0', velocity.t()), ('divergence_0', divergence), ('phi', phi.t()), ('log_prior', flow.log_prior(z)),
               ('log_q', logq), ('log_det', [log_det(flow, x) for x in samples]), ('action', s), ('loss', float(loss)),
               ('grad_W', gW), ('grad_omega', gomega), ('grad_z', gz.t())]
    peer.write_vector(path, ABOUT, entries, ('W', 'grad_W', 'z', 'phi', 'velocity_0', 'grad_z'))
    return 0


if __name__ == '__main__':
    sys.exit(peer.main(ARGS, CASES, choices, time_case, check, dump))
