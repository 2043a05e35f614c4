/* 12_fixed_point.h: how steps are solved backward: a fixed point by relaxed iteration.
 * Offers (private): LFT_P(largest)(), LFT_P(relaxation)(). */
#if LFT_P_PHASE == LFT_P_CODE

/* The largest |x| of a group of finite numbers, over all lanes. */
static inline double LFT_P(largest)(const lft_v *x, int n)
{
    lft_v    most = lft_splat(0);
    lft_real lane[LFT_P_LANES];
    double   largest = 0;
    int      i;
    for (i = 0; i < n; ++i) {
        const lft_v m = lft_sel(LFT_P(lt)(x[i], lft_splat(0)), -x[i], x[i]);
        most          = lft_sel(LFT_P(lt)(most, m), m, most);
    }
    lft_p_copy(lane, &most, sizeof most);
    for (i = 0; i < LFT_P_LANES; ++i) largest = (double)lane[i] > largest ? (double)lane[i] : largest;
    return largest;
}

/* The weight of the next correction of a fixed point, lane by lane, from two residuals in a row (Aitken's, for vectors: Irons
 * and Tuck, Int. J. Numer. Meth. Eng. 1 (1969) 275). Where the step stretches by more than 2, plain iteration diverges. */
static inline lft_v LFT_P(relaxation)(const lft_v *now, const lft_v *before, int n, lft_v weight)
{
    const lft_v least = lft_splat((lft_real)0.05), most = lft_splat((lft_real)1.5);
    lft_v       along = lft_splat(0), square = lft_splat((lft_real)1e-36);
    int         i;
    for (i = 0; i < n; ++i) {
        const lft_v d = now[i] - before[i];
        along += before[i] * d;
        square += d * d;
    }
    weight = -weight * along / square;
    weight = lft_sel(LFT_P(lt)(weight, most), weight, most);
    return lft_sel(LFT_P(lt)(least, weight), weight, least);
}

#endif /* LFT_P_CODE */
