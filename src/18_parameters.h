/* 18_parameters.h: named parameter tensors and the optimiser. Parameters, gradients and moments are double and common
 * types, so that an f32 and an f64 instance share one model.
 * Offers: lft_parameters, lft_declare(); lft_adam, lft_adam_init(), lft_adam_step(); lft_schedule, lft_rate();
 *         lft_clip_norm(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* One tensor: row-major, its values at value[offset .. offset + count) of the set. */
typedef struct lft_parameter {
    char   name[40]; /* "layer0.kernel" */
    int    rank, shape[4];
    size_t offset, count;
} lft_parameter;

/* The set. The owner runs its declarations twice: first with list == NULL, which only counts, then with memory. In the first run
 * `counting` is 1: what takes long and has no part in the declarations may be left out. */
typedef struct lft_parameters {
    lft_parameter *list; /* [tensors] */
    double        *value; /* [count] */
    double        *pace;  /* [count] learning rate of each parameter relative to that of the training */
    int            tensors, counting;
    size_t         count;
} lft_parameters;

/* Appends the tensor "owner.name" and returns its offset. Dimensions beyond rank are ignored. */
LFT_P_STATIC size_t lft_declare(lft_parameters *set, const char *owner, const char *name, int rank, int n0, int n1,
                                int n2, int n3);

/* Adam (1412.6980, algorithm 1). */
typedef struct lft_adam {
    double  *m, *v; /* [n] first and second moments */
    size_t   n;
    uint64_t step; /* steps taken */
    double   beta1, beta2, epsilon;
} lft_adam;

/* Moments in the arena, zero. beta1, beta2 or epsilon 0 mean .9, .999 and 1e-8. */
LFT_P_STATIC lft_status lft_adam_init(lft_adam *adam, size_t n, double beta1, double beta2, double epsilon,
                                      lft_arena *arena, lft_error *error);

/* value -= rate * pace * mhat / (sqrt(vhat) + epsilon); pace [n], or NULL for 1. O(n). */
LFT_P_STATIC void lft_adam_step(lft_adam *adam, double *value, const double *gradient, double rate, const double *pace);

/* Learning rates over a training of known length. */
typedef enum lft_schedule_kind {
    LFT_SCHEDULE_COSINE, /* from `from` to `to` along half a cosine: the default */
    LFT_SCHEDULE_EXPONENTIAL,
    LFT_SCHEDULE_LINEAR,
    LFT_SCHEDULE_CONSTANT /* `from` */
} lft_schedule_kind;

typedef struct lft_schedule {
    lft_schedule_kind kind;
    double            from, to;
    uint64_t          warmup, steps; /* the rate first rises linearly over `warmup` of the `steps` */
} lft_schedule;

/* The rate of step 0 <= i < steps; the last rate beyond. */
LFT_P_STATIC double lft_rate(const lft_schedule *schedule, uint64_t i);

/* Scales a gradient down to the given 2-norm if it is longer (most <= 0: never); returns the norm before. */
LFT_P_STATIC double lft_clip_norm(double *gradient, size_t n, double most);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC size_t lft_declare(lft_parameters *set, const char *owner, const char *name, int rank, int n0, int n1,
                                int n2, int n3)
{
    size_t offset = set->count, count = 1;
    int    shape[4], i;
    shape[0] = n0, shape[1] = n1, shape[2] = n2, shape[3] = n3;
    for (i = 0; i < rank; ++i) count *= (size_t)shape[i];
    if (set->list) {
        lft_parameter *p = set->list + set->tensors;
        lft_p_text     t = lft_p_text_over(p->name, sizeof p->name);
        lft_p_put(&t, owner);
        lft_p_put(&t, ".");
        lft_p_put(&t, name);
        p->rank = rank;
        for (i = 0; i < rank; ++i) p->shape[i] = shape[i];
        p->offset = offset;
        p->count  = count;
    }
    set->tensors += 1;
    set->count += count;
    return offset;
}

LFT_P_STATIC lft_status lft_adam_init(lft_adam *adam, size_t n, double beta1, double beta2, double epsilon,
                                      lft_arena *arena, lft_error *error)
{
    adam->m       = (double *)lft_arena_alloc(arena, n, sizeof(double));
    adam->v       = (double *)lft_arena_alloc(arena, n, sizeof(double));
    adam->n       = n;
    adam->step    = 0;
    adam->beta1   = beta1 > 0 ? beta1 : 0.9;
    adam->beta2   = beta2 > 0 ? beta2 : 0.999;
    adam->epsilon = epsilon > 0 ? epsilon : 1e-8;
    return lft_arena_check(arena, error, "adam");
}

LFT_P_STATIC void lft_adam_step(lft_adam *adam, double *value, const double *gradient, double rate, const double *pace)
{
    const double t  = (double)++adam->step, b1 = adam->beta1, b2 = adam->beta2;
    const double c1 = 1 / (1 - lft_p_f64_p_exp(t * lft_p_f64_p_log(b1)));
    const double c2 = 1 / (1 - lft_p_f64_p_exp(t * lft_p_f64_p_log(b2)));
    size_t       i;
    for (i = 0; i < adam->n; ++i) {
        double g   = gradient[i];
        adam->m[i] = b1 * adam->m[i] + (1 - b1) * g;
        adam->v[i] = b2 * adam->v[i] + (1 - b2) * g * g;
        value[i] -= rate * (pace ? pace[i] : 1) * adam->m[i] * c1 / (lft_p_f64_p_sqrt(adam->v[i] * c2) + adam->epsilon);
    }
}

LFT_P_STATIC double lft_rate(const lft_schedule *s, uint64_t i)
{
    double x, sine, cosine, rise = 1;
    if (i + 1 < s->warmup) rise = (double)(i + 1) / (double)s->warmup;
    x = s->steps > 1 ? (double)i / (double)(s->steps - 1) : 0;
    if (x > 1) x = 1;
    switch (s->kind) {
    case LFT_SCHEDULE_CONSTANT: return rise * s->from;
    case LFT_SCHEDULE_LINEAR: return rise * (s->from + (s->to - s->from) * x);
    case LFT_SCHEDULE_EXPONENTIAL: return rise * s->from * lft_p_f64_p_exp(x * lft_p_f64_p_log(s->to / s->from));
    case LFT_SCHEDULE_COSINE: break;
    }
    lft_p_f64_p_sincos(x * 3.14159265358979323846, &sine, &cosine);
    return rise * (s->to + (s->from - s->to) * 0.5 * (1 + cosine));
}

LFT_P_STATIC double lft_clip_norm(double *gradient, size_t n, double most)
{
    double sum = 0, norm;
    size_t i;
    for (i = 0; i < n; ++i) sum += gradient[i] * gradient[i];
    norm = lft_p_f64_p_sqrt(sum);
    if (most > 0 && norm > most) {
        for (i = 0; i < n; ++i) gradient[i] *= most / norm;
    }
    return norm;
}

#endif /* LFT_P_CODE */
