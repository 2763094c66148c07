/* Sums of integers of one and of two bytes, with whole weights, as A: in uint16, or means in int32.

   Sums modulo 2**16 are those of the wider arithmetic once both are cut to the dtype of y, so nothing is rounded between
   passes. Where x and y are of one byte, they are stored modulo 2**8. Means of these, of few bytes, are the upper half
   of the product of their sums with a reciprocal, shifted. Sums in int32 are below MOST_WHOLE, so that a product in
   float32 is cut like the exact quotient. */

#define SUM_VECTORS 4 /* in registers at a time */
#define LINE_ROUNDING ROUND_none

typedef struct {
    uint16_t factor;
    float inverse;
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
    const float raise = 1 + 0x1p-22f; /* more than the factor and the product lose */
    return (SN(scale)){(uint16_t)pass->divisor, raise / (float)pass->terms, (int)pass->raises, pass->divides != 0};
}

#ifdef IN_FLOAT
typedef float SN(floats) __attribute__((vector_size(VECTOR)));
#endif

INLINE V SN(scaled)(V sums, const SN(scale) scale)
{
    if (!scale.divides) return sums;
#ifdef IN_FLOAT
    return __builtin_convertvector(__builtin_convertvector(sums, SN(floats)) * scale.inverse, V);
#elif VECTOR == 64
    return (V)_mm512_mulhi_epu16((__m512i)sums, _mm512_set1_epi16((short)scale.factor)) >> scale.shift;
#elif VECTOR == 32
    return (V)_mm256_mulhi_epu16((__m256i)sums, _mm256_set1_epi16((short)scale.factor)) >> scale.shift;
#else
    for (int lane = 0; lane < LANES; lane++) sums[lane] = (A)((uint32_t)sums[lane] * scale.factor >> 16);
    return sums >> scale.shift;
#endif
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
