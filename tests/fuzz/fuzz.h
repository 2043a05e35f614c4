/* fuzz.h: what the programs that damage files share: random numbers of a seed, changes of a text, and the main program. */
static uint64_t state;
static size_t   below(size_t n) /* xorshift64* */
{
    state ^= state >> 12, state ^= state << 25, state ^= state >> 27;
    return (size_t)((state * 2685821657736338717u >> 33) % n);
}

/* A change at a place of a text of n characters with room for more; returns how many there are then. 0: another byte, 1: another
 * bit, 2: `cut` characters less, 3: a word more, others: `cut` characters more. */
static size_t change(size_t kind, unsigned char *text, size_t n, size_t room, size_t at, size_t cut, const char *word)
{
    const size_t length = strlen(word);
    switch (kind) {
    case 0:
        if (at < n) text[at] = (unsigned char)below(256);
        return n;
    case 1:
        if (at < n) text[at] = (unsigned char)(text[at] ^ 1 << below(8));
        return n;
    case 2: memmove(text + at, text + at + cut, n - at - cut); return n - cut;
    case 3:
        if (n + length > room) return n;
        memmove(text + at + length, text + at, n - at);
        memcpy(text + at, word, length);
        return n + length;
    default:
        if (n + cut > room) return n;
        memmove(text + at + cut, text + at, n - at);
        return n + cut;
    }
}

/* As many files as the first argument says, of the seed that the second one is; 1: no memory. */
static int damage(int argc, char **argv, const char *name, int (*one_file)(void))
{
    const long runs = argc > 1 ? atol(argv[1]) : 100000;
    const long seed = argc > 2 ? atol(argv[2]) : 1;
    long       i;
    state = (uint64_t)seed * 0x9e3779b97f4a7c15u + 1;
    for (i = 0; i < runs; ++i) {
        if (one_file()) return 1;
    }
    printf("%s: %ld files, seed %ld\n", name, runs, seed);
    return 0;
}
