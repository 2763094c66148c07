/* Sums in uint16, modulo 2**16: for integers of one and of two bytes, and whole weights. Sums modulo 2**16 are those
   of the wider arithmetic once both are cut to the dtype of y, so nothing is rounded between passes. Where x and y are
   of one byte, they are stored modulo 2**8. */

#define A uint16_t
#define SUM_VECTORS 4 /* in registers at a time */
#define LINE_ROUNDING ROUND_none
#if VECTOR == 64
#define WIDEN(from) _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(from)))
#define NARROW(to, value) _mm256_storeu_si256((__m256i *)(to), _mm512_cvtepi16_epi8((__m512i)(value)))
#elif VECTOR == 32
#define WIDEN(from) _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(from)))
#endif

/* Means: the upper half of the product of sums with a reciprocal, shifted. */
typedef struct {
    uint16_t factor;
    int shift, divides;
} SN(scale);

#include "window_sums.h"

INLINE A SN(number)(double value) { return (A)(int64_t)value; }

INLINE V SN(rounded)(V value, const word rounding, const number_format *format)
{
    (void)rounding, (void)format;
    return value;
}

static inline word SN(rounding_of)(const number_format *format)
{
    (void)format;
    return ROUND_none;
}

static inline SN(scale) SN(scale_of)(const filter_pass *pass)
{
    return (SN(scale)){(uint16_t)pass->divisor, (int)pass->raises, pass->divides != 0};
}

INLINE V SN(scaled)(V sums, const SN(scale) scale)
{
    if (!scale.divides) return sums;
#if VECTOR == 64
    return (V)_mm512_mulhi_epu16((__m512i)sums, _mm512_set1_epi16((short)scale.factor)) >> scale.shift;
#elif VECTOR == 32
    return (V)_mm256_mulhi_epu16((__m256i)sums, _mm256_set1_epi16((short)scale.factor)) >> scale.shift;
#else
    for (int lane = 0; lane < LANES; lane++) sums[lane] = (A)((uint32_t)sums[lane] * scale.factor >> 16);
    return sums >> scale.shift;
#endif
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
    switch (number) { STORED_AS(CASE) }
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
    switch (number) { STORED_AS(CASE) }
#undef CASE
}

/* No table combines chains that are summed so. */
TARGET static void SN(combine)(const filter_job *job, S *total, const S *row, word count, word chain)
{
    (void)job, (void)total, (void)row, (void)count, (void)chain;
}
