/* 70_layer.h: what layers without parameters have in common, and numbers of a model file.
 * Offers (private): nothing_to_start, nothing_to_prepare, nothing_to_collect: of their tables; put_beta, get_beta; read_count. */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC void LFT_P(nothing_to_start)(const LFT_(layer) *layer, double *theta, double *pace)
{
    (void)layer, (void)theta, (void)pace;
}

LFT_P_STATIC void LFT_P(nothing_to_prepare)(LFT_(layer) *layer, const double *theta)
{
    (void)layer, (void)theta;
}

LFT_P_STATIC void LFT_P(nothing_to_collect)(const LFT_(layer) *layer, double *gradient, double *dtheta)
{
    (void)layer, (void)gradient, (void)dtheta;
}

/* A double as two integers, and back. */
LFT_P_STATIC void LFT_P(put_beta)(double beta, int64_t *number)
{
    uint64_t bits;
    lft_p_copy(&bits, &beta, sizeof bits);
    number[0] = (int64_t)(bits >> 32), number[1] = (int64_t)(bits & 0xffffffffu);
}

LFT_P_STATIC double LFT_P(get_beta)(const int64_t *number)
{
    const uint64_t bits = (uint64_t)number[0] << 32 | ((uint64_t)number[1] & 0xffffffffu);
    double         beta;
    lft_p_copy(&beta, &bits, sizeof beta);
    return beta;
}

LFT_P_STATIC lft_status LFT_P(read_count)(int n, int expected, const char *what, lft_error *error)
{
    return n >= expected ? LFT_OK : lft_p_fail_got(error, LFT_ERR_FORMAT, "model", what, "more of them", n);
}

#endif /* LFT_P_CODE */
