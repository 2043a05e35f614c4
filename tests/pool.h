/* pool.h: a pool for tests, after lftflow.h: tasks in an unusual order, each on another thread than the one before. What depends on
 * neither stays the same. */
static void test_run_backwards(void *user, int tasks, lft_task task, void *context)
{
    const int threads = *(const int *)user;
    int       i;
    for (i = tasks - 1; i >= 0; --i) task(context, i, (tasks - i) % threads);
}

/* The number lives as long as the pool. */
static lft_pool test_pool(int *threads)
{
    lft_pool pool;
    pool.run     = test_run_backwards;
    pool.user    = threads;
    pool.threads = *threads;
    return pool;
}
