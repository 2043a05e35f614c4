/* 16_alias.h: a cell of many with given weights out of one uniform number, in constant time.
 * Offers (private): lft_p_alias, lft_p_alias_layout(), lft_p_alias_build(), lft_p_alias_pick().
 * Source: A. J. Walker, ACM Trans. Math. Softw. 3 (1977) 253; M. D. Vose, IEEE Trans. Softw. Eng. 17 (1991) 972. */
#if LFT_P_PHASE == LFT_P_CODE

typedef struct lft_p_alias {
    int     n;
    double *weight; /* [n] as given */
    double *share;  /* [n] of column i that is cell i; the rest of it is cell other[i] */
    int    *other, *work; /* [n] */
} lft_p_alias;

LFT_P_STATIC void lft_p_alias_layout(lft_p_alias *t, int n, lft_arena *arena)
{
    t->n      = n;
    t->weight = (double *)lft_arena_alloc(arena, (size_t)n, sizeof(double));
    t->share  = (double *)lft_arena_alloc(arena, (size_t)n, sizeof(double));
    t->other  = (int *)lft_arena_alloc(arena, (size_t)n, sizeof(int));
    t->work   = (int *)lft_arena_alloc(arena, (size_t)n, sizeof(int));
}

/* From the weights, at least one of them positive. work: columns with too little from its beginning, with too much from its end. */
LFT_P_STATIC void lft_p_alias_build(lft_p_alias *t)
{
    double sum = 0;
    int    i, little = 0, much = t->n;
    for (i = 0; i < t->n; ++i) sum += t->weight[i];
    for (i = 0; i < t->n; ++i) {
        t->share[i] = t->weight[i] * t->n / sum;
        t->other[i] = i;
        t->work[t->share[i] < 1 ? little++ : --much] = i;
    }
    while (little > 0 && much < t->n) {
        const int poor = t->work[--little], rich = t->work[much];
        t->other[poor] = rich;
        t->share[rich] -= 1 - t->share[poor];
        if (t->share[rich] < 1) ++much, t->work[little++] = rich;
    }
    while (little > 0) t->share[t->work[--little]] = 1; /* rounding */
    for (; much < t->n; ++much) t->share[t->work[much]] = 1;
}

/* u in (0, 1): its whole part times n is the column, the rest decides. */
LFT_P_INLINE int lft_p_alias_pick(const lft_p_alias *t, double u)
{
    const double x = u * t->n;
    const int    i = x < t->n - 1 ? (int)x : t->n - 1;
    return x - i < t->share[i] ? i : t->other[i];
}

#endif /* LFT_P_CODE */
