/* Sums in float64: of arrays of every dtype, stored as doubles; of float32 arrays, stored as S = float. filters.h runs
   them over blocks. */

#define A double
#define SUM_VECTORS 4 /* in registers at a time */
#define LINE_ROUNDING ROUND_float
#if VECTOR == 64
#define WIDEN(from) _mm512_cvtps_pd(_mm256_loadu_ps((const float *)(from)))
#define NARROW(to, value) _mm256_storeu_ps((float *)(to), _mm512_cvtpd_ps((__m512d)(value)))
#elif VECTOR == 32
#define WIDEN(from) _mm256_cvtps_pd(_mm_loadu_ps((const float *)(from)))
#define NARROW(to, value) _mm_storeu_ps((float *)(to), _mm256_cvtpd_ps((__m256d)(value)))
#endif

/* Means: sums times a factor, or the quotients of a divisor first. */
typedef struct {
    double factor, divisor, inverse; /* 1 / divisor */
    int multiplies, divides;
} SN(scale);

#include "window_sums.h"

typedef int64_t SN(longs) __attribute__((vector_size(VECTOR)));
typedef uint64_t SN(unsigned_longs) __attribute__((vector_size(VECTOR)));
typedef int32_t SN(ints) __attribute__((vector_size(VECTOR / 2)));
typedef float SN(floats) __attribute__((vector_size(VECTOR / 2)));

INLINE V SN(select)(SN(longs) mask, V yes, V no) { return (V)(((SN(longs))yes & mask) | ((SN(longs))no & ~mask)); }

/* Return numbers as they are read again from an array of the dtype: integers are cut toward zero and wrap. What an
   int32 (ROUND_narrow) or an int64 (ROUND_wide) does not contain is its lowest number first. */
INLINE V SN(rounded)(V value, const word rounding, const number_format *format)
{
    if (rounding == ROUND_none) return value;
#if VECTOR == 64
    if (rounding == ROUND_float) return (V)_mm512_cvtps_pd(_mm512_cvtpd_ps((__m512d)value));
#endif
    if (rounding == ROUND_float) return __builtin_convertvector(__builtin_convertvector(value, SN(floats)), V);
    if (rounding == ROUND_cut) return __builtin_convertvector(__builtin_convertvector(value, SN(ints)), V);
    const double half = rounding == ROUND_narrow ? 0x1p31 : 0x1p63;
    const V lowest = SN(splat)(-half), limit = SN(splat)(half);
    if (rounding == ROUND_unsigned) { /* the upper half has the bits of the negative numbers */
        const V wrapped = SN(select)(value < 0x1p64, value - 0x1p64, (V){0});
        value = SN(select)(value >= limit, wrapped, value);
    }
    value = SN(select)((value >= lowest) & (value < limit), value, lowest);
    if (rounding == ROUND_narrow) {
        SN(ints) whole = __builtin_convertvector(value, SN(ints));
        whole = format->is_signed ? (whole << format->shift) >> format->shift : whole & (int)format->mask;
        return __builtin_convertvector(whole, V);
    }
    const SN(longs) whole = __builtin_convertvector(value, SN(longs));
    if (rounding == ROUND_unsigned)
        return __builtin_convertvector((SN(unsigned_longs))whole, V);
    if (!format->is_signed) return __builtin_convertvector(whole & (int64_t)format->mask, V);
    return __builtin_convertvector((whole << (32 + format->shift)) >> (32 + format->shift), V);
}

INLINE A SN(number)(double value) { return value; }

/* Rounding to float32 is what storing as a float does. */
static inline word SN(rounding_of)(const number_format *format)
{
    return sizeof(S) < sizeof(A) ? ROUND_none : format->rounding;
}

/* Return quotients, rounded once: the remainder of a product with the inverse corrects that. */
INLINE V SN(quotients)(V sums, double divisor, double inverse)
{
#if VECTOR == 64
    const __m512d q = (__m512d)(sums * inverse), rest = _mm512_fnmadd_pd(q, _mm512_set1_pd(divisor), (__m512d)sums);
    const V better = (V)_mm512_fmadd_pd(rest, _mm512_set1_pd(inverse), q);
#elif VECTOR == 32
    const __m256d q = (__m256d)(sums * inverse), rest = _mm256_fnmadd_pd(q, _mm256_set1_pd(divisor), (__m256d)sums);
    const V better = (V)_mm256_fmadd_pd(rest, _mm256_set1_pd(inverse), q);
#else
    return sums / divisor;
#endif
#if VECTOR > 16
    return SN(select)((V)rest == (V)rest, better, (V)q); /* NaN: of infinite sums */
#endif
}

static inline SN(scale) SN(scale_of)(const filter_pass *pass)
{
    const double divisor = double_of(pass->divisor), raise = double_of(pass->raises);
    return (SN(scale)){raise, divisor, 1 / divisor, pass->multiplies != 0, pass->divides != 0};
}

/* Return means; whole numbers by a product that is cut like the exact quotient. */
INLINE V SN(scaled)(V sums, const SN(scale) scale)
{
    if (!scale.divides) return sums;
    if (scale.multiplies) return sums * scale.factor;
    return SN(quotients)(sums, scale.divisor, scale.inverse) * scale.factor;
}

/* Convert rounded results to numbers `step` bytes apart. */
TARGET static void SN(write_run)(char *to, word step, const S *from, word count, word number)
{
#define CASE(n, name, type)                                                                                            \
    case n: {                                                                                                          \
        unaligned_##name *y = (unaligned_##name *)to;                                                                  \
        if (step == (word)sizeof(type))                                                                                \
            for (word j = 0; j < count; j++) y[j] = NUMBER_##name(from[j]);                                            \
        else                                                                                                           \
            for (word j = 0; j < count; j++) *(unaligned_##name *)(to + j * step) = NUMBER_##name(from[j]);            \
        break;                                                                                                         \
    }
    switch (number) { STORED_AS(CASE) }
#undef CASE
}

/* Add a row of one chain to those of the chains before, or its squares; round the root of the last sum. */
TARGET static void SN(combine)(const filter_job *job, S *total, const S *row, word count, word chain)
{
    const int squares = job->table->combine == COMBINE_length;
    for (word j = 0; j < count; j += LANES) {
        V value = SN(load)(row + j), sum = SN(load)(total + j);
        if (squares) value = SN(rounded)(value * value, job->wrapped->rounding, job->wrapped);
        sum = chain ? SN(rounded)(sum + value, job->wrapped->rounding, job->wrapped) : value;
        if (squares && chain == job->table->chains - 1) {
            for (int lane = 0; lane < LANES; lane++) sum[lane] = sqrt(sum[lane]);
            sum = SN(rounded)(sum, job->format->rounding, job->format);
        }
        SN(store_count)(total + j, sum, count - j);
    }
}
