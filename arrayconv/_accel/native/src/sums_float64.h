/* Sums in float64, for arrays of every dtype. filters.h runs them over blocks. */

#define SUMS float64
#define S double
#define SUM_VECTORS 4 /* in registers at a time */

typedef int64_t SN(longs) __attribute__((vector_size(VECTOR)));
typedef uint64_t SN(unsigned_longs) __attribute__((vector_size(VECTOR)));
typedef int32_t SN(ints) __attribute__((vector_size(VECTOR / 2)));
typedef float SN(floats) __attribute__((vector_size(VECTOR / 2)));

#include "window_sums.h"

INLINE S SN(number)(double value) { return value; }

INLINE V SN(select)(SN(longs) mask, V yes, V no) { return (V)(((SN(longs))yes & mask) | ((SN(longs))no & ~mask)); }

/* Return numbers as they are read again from an array of the dtype: integers are cut toward zero and wrap. What an
   int32 (ROUND_narrow) or an int64 (ROUND_wide) does not contain is its lowest number first. */
INLINE V SN(rounded)(V value, const word rounding, const number_format *format)
{
    if (rounding == ROUND_none) return value;
    if (rounding == ROUND_float) return __builtin_convertvector(__builtin_convertvector(value, SN(floats)), V);
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

/* Write `count` outputs of a pass. Up to a vector beyond the last sample is read. */
INLINE void SN(write_sums)(double *y, const double *x, const word *offsets, const double *w, word terms,
                                 word count, const int how, const word rounding, const number_format *format)
{
    V sums[SUM_VECTORS];
    word j = 0;
    for (; j + SUM_VECTORS * LANES <= count; j += SUM_VECTORS * LANES) {
        SN(form_sums)(sums, x + j, offsets, w, terms, SUM_VECTORS, how);
        for (int v = 0; v < SUM_VECTORS; v++)
            *(SN(unaligned) *)(y + j + v * LANES) = SN(rounded)(sums[v], rounding, format);
    }
    if (j + 2 * LANES <= count) {
        SN(form_sums)(sums, x + j, offsets, w, terms, 2, how);
        for (int v = 0; v < 2; v++) *(SN(unaligned) *)(y + j + v * LANES) = SN(rounded)(sums[v], rounding, format);
        j += 2 * LANES;
    }
    for (; j < count; j += LANES) {
        SN(form_sums)(sums, x + j, offsets, w, terms, 1, how);
        SN(store_count)(y + j, SN(rounded)(*sums, rounding, format), count - j);
    }
}

TARGET static void SN(sum_windows)(double *y, const double *x, const word *offsets, const double *w, word terms,
                                         word count, word how, const number_format *format)
{
    /* compiled for each way to sum and to round: neither is decided in a loop */
#define ROUNDED_CASE(how, rounding)                                                                                    \
    case rounding: SN(write_sums)(y, x, offsets, w, terms, count, how, rounding, format); break;
#define SUM_CASE(how)                                                                                                  \
    case how:                                                                                                          \
        switch (format->rounding) {                                                                                    \
            ROUNDED_CASE(how, ROUND_none) ROUNDED_CASE(how, ROUND_float) ROUNDED_CASE(how, ROUND_narrow)               \
            ROUNDED_CASE(how, ROUND_wide) ROUNDED_CASE(how, ROUND_unsigned)                                            \
        }                                                                                                              \
        break;
    switch (how) {
        SUM_CASE(SUM_ordered) SUM_CASE(SUM_fused) SUM_CASE(SUM_mirrored) SUM_CASE(SUM_opposed)
    }
#undef SUM_CASE
#undef ROUNDED_CASE
}

/* Divide sums and round them; whole numbers by a product that is cut like the exact quotient. */
TARGET static void SN(divide)(double *y, word count, const filter_pass *pass, const number_format *format)
{
    const double divisor = double_of(pass->divisor), raise = double_of(pass->raises);
    const word multiplies = pass->multiplies, rounding = format->rounding;
    for (word j = 0; j < count; j += LANES) {
        const V sums = SN(load)(y + j);
        const V quotients = multiplies ? sums * raise : sums / divisor * raise;
        SN(store_count)(y + j, SN(rounded)(quotients, rounding, format), count - j);
    }
}

/* Convert `count` numbers, `step` bytes apart, to doubles. */
TARGET static void SN(read_run)(double *to, const char *from, word step, word count, word number)
{
#define CASE(n, name, type)                                                                                            \
    case n: {                                                                                                          \
        const unaligned_##name *x = (const unaligned_##name *)from;                                                    \
        if (step == (word)sizeof(type))                                                                                \
            for (word j = 0; j < count; j++) to[j] = (double)x[j];                                                     \
        else                                                                                                           \
            for (word j = 0; j < count; j++) to[j] = (double)*(const unaligned_##name *)(from + j * step);             \
        break;                                                                                                         \
    }
    switch (number) { NUMBERS(CASE) }
#undef CASE
}

/* Convert rounded doubles to numbers `step` bytes apart. */
TARGET static void SN(write_run)(char *to, word step, const double *from, word count, word number)
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
    switch (number) { NUMBERS(CASE) }
#undef CASE
}

/* Add a row of one chain to those of the chains before, or its squares; round the root of the last sum. */
TARGET static void SN(combine)(const filter_job *job, double *total, const double *row, word count, word chain)
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
