/* 64_prior.h: what a prior is: the density that a flow starts from.
 * Offers: lft_prior_kind. An instance has one of the rooms 75 and 76; both of them offer (private) the same words:
 *
 *   LFT_P(prior)             a struct with the member kind
 *   prior_check(kind, code, where, what, error)   `code` unless the room has that kind
 *   prior_init(p, kind, mass2, target, lattice, set, arena, error)   kind, mass2, target[mu] 0: the default. Its parameters
 *                            are the first
 *   prior_spec(p, number)    the two numbers of model files: kind, mass2
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
    LFT_PRIOR_HAAR      /* gauge groups: every link independent with the invariant measure; theirs, no parameters */
} lft_prior_kind;
#endif

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

static const char *const LFT_P(prior_name)[] = {"", "free", "normal", "haar"}; /* in the metadata of models, by kind */

#endif /* LFT_P_CODE */
