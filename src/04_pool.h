/* 04_pool.h: the one hook for threads.
 * Offers: lft_pool, lft_pool_openmp(). */
#if LFT_P_PHASE == LFT_P_DECLARATIONS

/* run(user, tasks, task, context) calls task(context, i, thread) once for every 0 <= i < tasks, in any order, on at most
 * `threads` threads, and returns when all are done. `thread` < threads tells the running threads apart: it selects scratch
 * memory. Results do not depend on the number of threads, nor on who runs what. A zeroed lft_pool is serial. */
typedef void (*lft_task)(void *context, int i, int thread);
typedef struct lft_pool {
    void (*run)(void *user, int tasks, lft_task task, void *context);
    void *user;
    int   threads;
} lft_pool;

/* An OpenMP team of the given size (compile with -fopenmp; without it, and for threads < 2, serial). */
LFT_P_STATIC lft_pool lft_pool_openmp(int threads);

#endif /* LFT_P_DECLARATIONS */
#if LFT_P_PHASE == LFT_P_CODE

LFT_P_STATIC int lft_p_pool_threads(const lft_pool *pool)
{
    return pool->run && pool->threads > 1 ? pool->threads : 1;
}

LFT_P_STATIC void lft_p_pool_run(const lft_pool *pool, int tasks, lft_task task, void *context)
{
    int i;
    if (lft_p_pool_threads(pool) > 1) {
        pool->run(pool->user, tasks, task, context);
        return;
    }
    for (i = 0; i < tasks; ++i) task(context, i, 0);
}

#ifdef _OPENMP
#include <omp.h>
LFT_P_STATIC void lft_p_openmp_run(void *user, int tasks, lft_task task, void *context)
{
    int i, threads = (int)(intptr_t)user;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (i = 0; i < tasks; ++i) task(context, i, omp_get_thread_num());
}
#endif

LFT_P_STATIC lft_pool lft_pool_openmp(int threads)
{
    lft_pool pool = {0, 0, 0};
#ifdef _OPENMP
    pool.run     = lft_p_openmp_run;
    pool.user    = (void *)(intptr_t)threads;
    pool.threads = threads;
#else
    (void)threads;
#endif
    return pool;
}

#endif /* LFT_P_CODE */
