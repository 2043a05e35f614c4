/* use.h: what a user's file does with the instance that the macro USE names; 0 if all went well. It prints nothing and
 * calls no library, so that it also runs where there is none. */
#define USE_PASTE2(a, b) a##_##b
#define USE_PASTE(a, b)  USE_PASTE2(a, b)
#define USE_(name)       USE_PASTE(USE, name)

static int USE_(use)(void)
{
    static LFT_ARENA(memory, 32 << 20);
    static USE_(flow_desc) desc;
    static USE_(flow)      flow;
    static lft_error       error;
    USE_(lattice)          lattice;
    lft_arena              arena;
    const int              dim = (int)(sizeof desc.extent / sizeof desc.extent[0]);
    size_t                 bytes;
    int                    mu, volume = 1;

    for (mu = 0; mu < dim; ++mu) {
        desc.extent[mu] = dim > 2 ? 2 : 4;
        volume *= desc.extent[mu];
    }
    if (USE_(lattice_init)(&lattice, desc.extent, &error) != LFT_OK || lattice.volume != volume) return 1;
    bytes = USE_(flow_bytes)(&desc);
    if (bytes == 0 || bytes > sizeof memory) return 2;
    arena = lft_arena_of(memory, bytes);
    if (USE_(flow_init)(&flow, &desc, &arena, &error) != LFT_OK) return 3;

    /* A bad extent is an error with a text, not a crash. */
    desc.extent[0] = 0;
    arena          = lft_arena_of(memory, bytes);
    if (USE_(flow_init)(&flow, &desc, &arena, &error) != LFT_ERR_ARG || error.text[0] == 0) return 4;
    return 0;
}

#undef USE_
#undef USE_PASTE
#undef USE_PASTE2
#undef USE
