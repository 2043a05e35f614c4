/* 30_group.h: what a group is. An instance has one of the rooms 31 to 34; all of them offer (private) the same words:
 *
 *   LFT_P_LINKS     links of a site               real 1, gauge groups LFT_DIM
 *   LFT_P_COLOURS   N: a link is a unitary N x N matrix (U(1): a phase; real: a number)
 *   LFT_P_LINK      reals of a stored link        real 1, U(1) 1 (the angle), SU(2) 4, SU(3) 18
 *   LFT_P_ALGEBRA   reals of an algebra element   real 1, U(1) 1, SU(2) 3, SU(3) 8
 *   LFT_P_HAAR      normal numbers that a random link takes
 *   LFT_P_METRIC    -1 / tr T^a T^a: X = z^a T^a has z^a = -LFT_P_METRIC tr T^a X; U(1) 1, SU(N) 2, not for the real numbers
 *   move(link, z, h)    link = exp(h z^a T^a) link, in memory
 *   unit(link)          rounding errors off: unitary again, U(1): the angle in [-pi, pi]. Idempotent to rounding
 *   one(link)           1; real: 0
 *   haar(link, normal)  a link with the invariant measure from independent normal numbers; real: N(0, 1)
 * and those of links more:
 *   lft_u           a link or a product of links: struct { lft_v c[LFT_P_LINK] }
 *   lft_z           an algebra element z^a T^a: struct { lft_v c[LFT_P_ALGEBRA] }
 *   lft_w           a sum of links and of their products, LFT_P_SUM reals
 *   get, put            a link from and to memory; a link in memory is an lft_u too
 *   mul(a, b), mul_adj(a, b) = a b^+, adj_mul(a, b) = a^+ b, adjoint; the result is neither factor
 *   exp_of(z)
 *   trace(u, g)         Re tr u, and where g is not NULL the gradient g^a = d^a Re tr u
 *   trace_im(u)
 *   carry(u, z)         u^+ z u: the algebra element z, seen from the far end of u
 *   matrix_of(c, u), numbers_of(u, c)    in double, outside of lanes: the N x N matrix of the numbers of a link, and back
 *   sum_none, sum_add(w, x, u)    w = 0, w += x u
 *   sum_of(link)        the matrix of a link in memory
 *   sum_product(w, a, b), sum_mul    w = a b, w += a b, either adjoint; w is neither
 *   sum_scaled(w, x, a) w += x a or x a^+, lane by lane;   sum_times(w, re, im, a)   with x = re + i im
 *   sum_traces(w, re, im)   tr w;   sum_inner(a, b, re, im)   tr a b or tr a b^+; im may be NULL
 *   sum_gradient(w, g)  g^a = Re tr T^a w;   sum_turned(w, z, a)   w = z^a T^a a
 *   bracket(a, b)       [a, b] of algebra elements
 *   heat(link, w, k, d, place)  the link drawn anew with the density exp(k Re tr U w) by the invariant measure, SU(3): in three
 *                       subgroups SU(2) in turn, each given the rest. Lane l takes the random numbers of sample d.sample + l
 *                       at `place`, which differs from link to link. The mask of lanes where w is not finite
 *   reflect(link, w)    the link moved as far as it goes with Re tr U w as it is. An involution that preserves the
 *                       invariant measure, SU(3): three of them
 *
 * Conventions: T^a antihermitian, tr T^a T^b = -1/2 delta^ab: i sigma^a / 2, i lambda^a / 2; U(1): i, so that z is an
 * angle. (d^a f)(U) = d/ds f(exp(s T^a) U) at s = 0. A scalar field is a link of the additive group of the real numbers
 * with T = 1: exp(z) phi = phi + z. So Hybrid Monte Carlo is the same for all. */
#if LFT_P_PHASE == LFT_P_CODE

/* Vectors of a site: of its links, and of an algebra element each. */
#define LFT_P_SITE   (LFT_P_LINKS * LFT_P_LINK)
#define LFT_P_FORCES (LFT_P_LINKS * LFT_P_ALGEBRA)

#endif /* LFT_P_CODE */
