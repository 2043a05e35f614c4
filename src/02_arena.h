/* 02_arena.h: all memory comes from one block that the caller hands over.
 * Offers: lft_arena, lft_arena_of(), lft_arena_measure(), lft_arena_alloc(), lft_arena_take(), LFT_ARENA(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

#define LFT_P_ALIGN ((size_t)64) /* one AVX-512 register, one cache line */

/* A stack of memory. Copy the struct to mark a position; assign the copy back to release everything above it; pass a
 * copy by value for scratch. `need` is what the allocations so far would have taken, the alignment of the base included,
 * and goes on counting past the end: so one failing run, or one run over lft_arena_measure(), says how much to provide.
 *   base == NULL   nothing is stored, every allocation succeeds in counting and returns NULL
 *   need > size    an allocation did not fit and returned NULL; the object's init returns LFT_ERR_NOMEM */
typedef struct lft_arena {
    unsigned char *base;
    size_t         size, need;
} lft_arena;

/* A static block and its size, for lft_arena_of(name, sizeof name). */
#define LFT_ARENA(name, bytes) unsigned char name[(bytes)]

/* An arena over memory of any alignment. */
LFT_P_STATIC lft_arena lft_arena_of(void *memory, size_t bytes);

/* An arena that only counts: run an init over it to learn what the same init needs. */
LFT_P_STATIC lft_arena lft_arena_measure(void);

/* n elements of the given size, aligned to 64 bytes; NULL when measuring or when they do not fit. The first clears them,
 * O(bytes); the second leaves them as they are, for scratch. */
LFT_P_STATIC void *lft_arena_alloc(lft_arena *a, size_t n, size_t element);
LFT_P_STATIC void *lft_arena_take(lft_arena *a, size_t n, size_t element);

/* What one allocation of `bytes` takes from an arena of any alignment. */
LFT_P_STATIC size_t lft_p_arena_bytes(size_t bytes);

/* LFT_OK while everything asked for was there (or is only being counted), else LFT_ERR_NOMEM with need and capacity. */
LFT_P_STATIC lft_status lft_arena_check(const lft_arena *a, lft_error *e, const char *where);

/* 1 if the arena only counts: an init returns after its layout. */
LFT_P_STATIC int lft_arena_measuring(const lft_arena *a);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC lft_arena lft_arena_of(void *memory, size_t bytes)
{
    lft_arena a;
    a.base = (unsigned char *)memory;
    a.size = bytes;
    a.need = memory ? (size_t)(0 - (uintptr_t)memory) % LFT_P_ALIGN : LFT_P_ALIGN - 1;
    return a;
}

LFT_P_STATIC lft_arena lft_arena_measure(void)
{
    return lft_arena_of(NULL, 0);
}

LFT_P_STATIC int lft_arena_measuring(const lft_arena *a)
{
    return a->base == NULL;
}

LFT_P_STATIC void *lft_arena_take(lft_arena *a, size_t n, size_t element)
{
    const size_t most = SIZE_MAX / 4;
    size_t       at   = a->need;
    if (n > most / element || at > most) { /* saturate: a need that no machine has, instead of a wrapped sum */
        a->need = most;
        return NULL;
    }
    a->need = at + (n * element + LFT_P_ALIGN - 1) / LFT_P_ALIGN * LFT_P_ALIGN;
    return a->base && a->need <= a->size ? a->base + at : NULL;
}

LFT_P_STATIC void *lft_arena_alloc(lft_arena *a, size_t n, size_t element)
{
    void *p = lft_arena_take(a, n, element);
    if (p) lft_p_zero(p, n * element);
    return p;
}

LFT_P_STATIC size_t lft_p_arena_bytes(size_t bytes)
{
    lft_arena measure = lft_arena_measure();
    (void)lft_arena_take(&measure, 1, bytes);
    return measure.need;
}

LFT_P_STATIC lft_status lft_arena_check(const lft_arena *a, lft_error *e, const char *where)
{
    lft_p_text t;
    if (!a->base || a->need <= a->size) return LFT_OK;
    t = lft_p_error_text(e, LFT_ERR_NOMEM, where, "arena: needs ");
    lft_p_put_u64(&t, a->need);
    lft_p_put(&t, " bytes, has ");
    lft_p_put_u64(&t, a->size);
    return LFT_ERR_NOMEM;
}

#endif /* LFT_P_CODE */
