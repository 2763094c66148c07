/* Sums in uint16, modulo 2**16: for integers of one and of two bytes, and whole weights. Sums modulo 2**16 are those
   of the wider arithmetic once both are cut to the dtype of y, so nothing is rounded between passes. */

#define SUMS uint16
#define S uint16_t
#define SUM_VECTORS 4 /* in registers at a time */

#include "window_sums.h"

INLINE S SN(number)(double value) { return (S)(int64_t)value; }

/* Write `count` outputs of a pass. Up to a vector beyond the last sample is read. */
INLINE void SN(write_sums)(S *y, const S *x, const word *offsets, const S *w, word terms, word count, const int how)
{
    V sums[SUM_VECTORS];
    word j = 0;
    for (; j + SUM_VECTORS * LANES <= count; j += SUM_VECTORS * LANES) {
        SN(form_sums)(sums, x + j, offsets, w, terms, SUM_VECTORS, how);
        for (int v = 0; v < SUM_VECTORS; v++) *(SN(unaligned) *)(y + j + v * LANES) = sums[v];
    }
    for (; j < count; j += LANES) {
        SN(form_sums)(sums, x + j, offsets, w, terms, 1, how);
        SN(store_count)(y + j, *sums, count - j);
    }
}

TARGET static void SN(sum_windows)(S *y, const S *x, const word *offsets, const S *w, word terms, word count, word how,
                                   const number_format *format)
{
    (void)format;
    if (how == SUM_mirrored) SN(write_sums)(y, x, offsets, w, terms, count, SUM_mirrored);
    else if (how == SUM_opposed) SN(write_sums)(y, x, offsets, w, terms, count, SUM_opposed);
    else SN(write_sums)(y, x, offsets, w, terms, count, SUM_fused);
}

/* Divide sums, by the upper half of their product with a reciprocal. */
TARGET static void SN(divide)(S *y, word count, const filter_pass *pass, const number_format *format)
{
    (void)format;
    const uint32_t factor = (uint32_t)pass->divisor;
    const int shift = (int)pass->raises;
    for (word j = 0; j < count; j++) y[j] = (S)((S)(((uint32_t)y[j] * factor) >> 16) >> shift);
}

/* Read `count` numbers, `step` bytes apart. */
TARGET static void SN(read_run)(S *to, const char *from, word step, word count, word number)
{
#define CASE(n, name, type)                                                                                            \
    case n: {                                                                                                          \
        const unaligned_##name *x = (const unaligned_##name *)from;                                                    \
        if (step == (word)sizeof(type))                                                                                \
            for (word j = 0; j < count; j++) to[j] = (S)x[j];                                                          \
        else                                                                                                           \
            for (word j = 0; j < count; j++) to[j] = (S)*(const unaligned_##name *)(from + j * step);                  \
        break;                                                                                                         \
    }
    switch (number) { SHORT_NUMBERS(CASE) }
#undef CASE
}

/* Write sums as numbers `step` bytes apart. */
TARGET static void SN(write_run)(char *to, word step, const S *from, word count, word number)
{
#define CASE(n, name, type)                                                                                            \
    case n: {                                                                                                          \
        unaligned_##name *y = (unaligned_##name *)to;                                                                  \
        if (step == (word)sizeof(type))                                                                                \
            for (word j = 0; j < count; j++) y[j] = (type)from[j];                                                     \
        else                                                                                                           \
            for (word j = 0; j < count; j++) *(unaligned_##name *)(to + j * step) = (type)from[j];                     \
        break;                                                                                                         \
    }
    switch (number) { SHORT_NUMBERS(CASE) }
#undef CASE
}

/* No table combines chains that are summed so. */
TARGET static void SN(combine)(const filter_job *job, S *total, const S *row, word count, word chain)
{
    (void)job, (void)total, (void)row, (void)count, (void)chain;
}
