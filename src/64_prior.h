/* 64_prior.h: what a prior is: the density that a flow starts from.
 * Offers: lft_prior_kind, LFT_(prior_desc). An instance has one of the rooms 75 and 76; both offer (private) the same words:
 *
 *   LFT_P(prior)             a struct with the member kind
 *   prior_init(p, desc, lattice, set, arena, error)   its parameters are the first
 *   prior_spec(p, number)    the numbers of model files, first the kind: how many, LFT_P(prior_numbers) at most
 *   prior_read(desc, number, n, code, where, what, error)   a desc of them; `code` if they are none
 *   prior_is(p, desc)        1: a flow may take the parameters of one with the prior that such numbers are of
 *   prior_normalised(p)      1: log q is normalised; 0: up to a constant
 *   prior_start(p, theta), prior_prepare(p, theta), prior_transfer(p, theta, from, source)   as of a layer
 *   prior_scratch(p)         bytes of scratch that each of the functions below stays within
 *   prior_draw(p, d, z, logq, scratch)   one group of draws, sample numbers d.sample + lane, and their log-densities
 *   prior_logq(p, z, logq, score, scratch)   logq[lane] of given z and, where score is not NULL, grad log q
 *   prior_gradient_count(p)  numbers of the gradient: the parameters at the beginning of theta
 *   prior_backward(p, z, dz, dlogq, gradient, scratch)   gradient += that by the parameters of a function with the derivative
 *                            dz by z and weight dlogq[lane] in front of log q(z), for fixed random numbers
 *   prior_scale(p, x, transposed, scratch)   x becomes z of the random numbers x, or the derivative by z the one by them:
 *                            the variables in which the prior's density is the standard one, for HMC through a flow */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#ifndef LFT_P_PRIOR_KIND
#define LFT_P_PRIOR_KIND
typedef enum lft_prior_kind {
    LFT_PRIOR_FREE = 1, /* scalars: sigma(k) learnable, at first the free field's 1/sqrt(2 (khat^2 + m2)); their default */
    LFT_PRIOR_NORMAL,   /* scalars: sigma = 1, no parameters */
    LFT_PRIOR_HAAR,     /* gauge groups: every link independent with the invariant measure; their default, no parameters */
    LFT_PRIOR_HEATBATH  /* gauge groups: Wilson's plaquette action at another coupling, drawn by a heat bath; no parameters */
} lft_prior_kind;
#endif

/* Zero means the default.
 * The heat bath: each sample is where so many updates, of one sweep of the heat bath and two of overrelaxation, bring a Haar
 * field of its own. Its log q is -S(z) - log Z_prior, the density that they draw from once they have forgotten that field: what is
 * left of it is not in log q, and no weight makes up for it, so there have to be many times tau_int of them. Z_prior is known in
 * two dimensions; in more, log q leaves it out, and the mean of the weights is Z / Z_prior (LFT_(flow_normalised)). */
typedef struct LFT_(prior_desc) {
    lft_prior_kind kind;            /* scalars: free field; gauge groups: Haar */
    double         mass2;           /* m2 at which the free field starts: (4 / largest extent of the target)^2 */
    int            target[LFT_DIM]; /* extents of the lattice of which the free field at first has every (target / extent)-th
                                       site: the extents */
    double         beta;            /* of the heat bath: the coupling, 0 to 100 */
    int            updates;         /* of the heat bath: 50; 65535 at most */
} LFT_(prior_desc);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

enum { LFT_P(prior_numbers) = 3 };

static const char *const LFT_P(prior_name)[] = {"", "free", "normal", "haar", "heatbath"}; /* in the metadata of models, by kind */

#endif /* LFT_P_CODE */
