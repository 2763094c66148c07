/* What the kernels of filters share: one struct by value, weighted sums, and numbers as they are stored.

   `arrayconv/_accel/cuda/filter_job.py` packs the struct; FILTER_BYTES is its size there. X and Y are the types in
   memory, SUM is double, int where that contains every sum, or complex128; W the type of taps, TAPS the array of them.
   Between passes numbers are rounded to Y. NAXES axes, 1 or more. */
#include "job.cuh"
#define MAX_PASSES 12
#define MAX_VALUES 384
#define LANES 4 /* outputs of a thread at a time */
#define LAST (NAXES - 1)
/* ROUNDING: floats; integers by way of an int32, of an int64, or to a uint64. */
#define AS_FLOAT 0
#define NARROW 1
#define WIDE 2
#define UNSIGNED 3
/* COMBINE: a single chain; the sum of chains; the root of the sum of their squares. */
#define ALONE 0
#define ADDED 1
#define LENGTH 2

struct FilterPass {
    double divisor, factor; /* of means */
    word first, step;       /* of taps: where the first one is, and how far the next one is along one axis */
    int divides, multiplies;
};

struct FilterJob {
    const void *x, *w; /* w: taps, where they are not in the struct */
    void *y;
    double fill_real, fill_imag;
    int chains, is_one_kernel, skips_zeros, is_first, is_last, unused;
    Axis axes[MAX_AXES];
    FilterPass passes[MAX_PASSES];
    union {
        double taps[MAX_VALUES];
        int whole_taps[MAX_VALUES];
    };
};
static_assert(sizeof(FilterJob) == FILTER_BYTES, "filter_job.py and filters.cuh differ");

/* A number of the sums. */
template <class To, class From> struct Wide {
    static __device__ __forceinline__ To of(From value) { return (To)value; }
};
template <class To, class From> struct Wide<Complex<To>, Complex<From>> {
    static __device__ __forceinline__ Complex<To> of(Complex<From> value) { return {(To)value.re, (To)value.im}; }
};
template <class From> __device__ __forceinline__ SUM wide(From value) { return Wide<SUM, From>::of(value); }

/* The value outside. */
template <class Number> struct Outside {
    static __device__ __forceinline__ Number of(const FilterJob &job) { return (Number)job.fill_real; }
};
template <> struct Outside<complex128> {
    static __device__ __forceinline__ complex128 of(const FilterJob &job) { return {job.fill_real, job.fill_imag}; }
};

/* Sums that are cut to integers round every product, as the definition does, and never fuse it. */
__device__ __forceinline__ void add_weighted(double &sum, double tap, double sample)
{
#if IS_ORDERED
    sum = __dadd_rn(sum, __dmul_rn(tap, sample));
#else
    sum = fma(tap, sample, sum);
#endif
}
__device__ __forceinline__ void add_weighted(int &sum, int tap, int sample) { sum += tap * sample; }
__device__ __forceinline__ void add_weighted(complex128 &sum, double tap, const complex128 &sample)
{
    add_weighted(sum.re, tap, sample.re);
    add_weighted(sum.im, tap, sample.im);
}

__device__ __forceinline__ double scaled(double sum, const FilterPass &pass)
{
    if (!pass.divides) return sum;
    return pass.multiplies ? sum * pass.factor : sum / pass.divisor * pass.factor;
}
__device__ __forceinline__ int scaled(int sum, const FilterPass &pass)
{
    return pass.divides ? sum / (int)pass.divisor : sum;
}
__device__ __forceinline__ complex128 scaled(const complex128 &sum, const FilterPass &pass)
{
    return {scaled(sum.re, pass), scaled(sum.im, pass)};
}

/* A sum as Y: integers are cut toward zero and wrap; what an int32 or int64 does not contain is its lowest number first. */
template <class To, class From> struct Stored {
    static __device__ __forceinline__ To of(From value) { return (To)value; }
};
template <class To> struct Stored<To, double> {
    static __device__ __forceinline__ To of(double value)
    {
        if (ROUNDING == AS_FLOAT) return (To)value;
        if (ROUNDING == NARROW) return (To)(value >= -0x1p31 && value < 0x1p31 ? (int)value : -2147483647 - 1);
        if (ROUNDING == UNSIGNED && value >= 0x1p63) value = value < 0x1p64 ? value - 0x1p64 : 0;
        return (To)(value >= -0x1p63 && value < 0x1p63 ? (word)value : -9223372036854775807LL - 1);
    }
};
template <class To, class From> struct Stored<Complex<To>, Complex<From>> {
    static __device__ __forceinline__ Complex<To> of(const Complex<From> &value) { return {(To)value.re, (To)value.im}; }
};
__device__ __forceinline__ Y stored(const SUM &sum) { return Stored<Y, SUM>::of(sum); }

#if ROUNDING == AS_FLOAT
typedef double Combined;
#else
typedef unsigned64 Combined; /* in which integers wrap */
#endif
__device__ __forceinline__ double product(double a, double b) { return __dmul_rn(a, b); }
__device__ __forceinline__ unsigned64 product(unsigned64 a, unsigned64 b) { return a * b; }
template <class Number> __device__ __forceinline__ Number added(Number a, Number b)
{
    return (Number)((Combined)a + (Combined)b);
}
template <class Part> __device__ __forceinline__ Complex<Part> added(Complex<Part> a, Complex<Part> b)
{
    return {added(a.re, b.re), added(a.im, b.im)};
}

/* Write the result of a chain, combined with those of the chains before, which the same thread wrote. */
__device__ __forceinline__ void write_output(Y *y, Y value, bool is_first, bool is_last)
{
#if COMBINE == LENGTH
    value = (Y)product((Combined)value, (Combined)value);
#endif
#if COMBINE != ALONE
    if (!is_first) value = added(*y, value);
#endif
#if COMBINE == LENGTH
    if (is_last) value = Stored<Y, double>::of(sqrt((double)value));
#endif
#if IS_BOOL
    value = value != 0;
#endif
    *y = value;
}
