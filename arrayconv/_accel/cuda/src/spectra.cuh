/* What a convolution by transforms does beside them: one struct by value for the four kernels `spectra_*`.

   Samples of a transform are (batch, groups, channels, *length), its spectra (batch, groups, channels, frequencies), all
   contiguous. The summary of an image (batch, group), or of a filter (group, filter), is the largest finite magnitude
   and whether any number is not finite, as two arrays of bits. `arrayconv/_accel/cuda/spectra.py` packs the struct;
   TRANSFORM_BYTES is the size there. PART is the type of a real part, NAXES the number of axes, 1 to 3. */
#include "job.cuh"
#define MAX_TRANSFORMED 3
#define LAST (NAXES - 1)
#define CHUNK 512 /* neighbours along the last axis that a warp writes */
#define WARPS 8

struct Extent { /* of a transform along one axis */
    int length, first, count, read; /* samples; where the first is in the extended x; how many are of x; of output 0 */
};

struct Transform {
    Job job;
    void *samples, *spectrum, *kernel, *product;
    void *x_summary, *w_summary;
    unsigned char *marks; /* whether a window along the last axis is contaminated: (batch, groups, *reached, outputs) */
    word frequencies;
    double factor; /* of the products: 1 over the number of points */
    Extent extents[MAX_TRANSFORMED];
};
static_assert(sizeof(Transform) == TRANSFORM_BYTES, "spectra.py and spectra.cuh differ");

typedef Complex<PART> Frequency;

template <class Part> struct Binary;
template <> struct Binary<float> {
    typedef unsigned Bits;
    enum { BIAS = 127, FRACTION = 23, MAX_EXPONENT = 120 };
    static __device__ __forceinline__ Bits bits(float v) { return __float_as_uint(v); }
    static __device__ __forceinline__ float number(Bits b) { return __uint_as_float(b); }
};
template <> struct Binary<double> {
    typedef unsigned64 Bits;
    enum { BIAS = 1023, FRACTION = 52, MAX_EXPONENT = 1000 };
    static __device__ __forceinline__ Bits bits(double v) { return (Bits)__double_as_longlong(v); }
    static __device__ __forceinline__ double number(Bits b) { return __longlong_as_double((word)b); }
};
typedef Binary<PART> Format;
typedef Format::Bits Bits;
#define INFINITE ((Bits)(2 * Format::BIAS + 1) << Format::FRACTION)
#define SAFE_EXPONENT 48 /* of `_ops/contain.py` */

/* Magnitudes compare as their bits do. */
__device__ __forceinline__ Bits magnitude(PART v) { return Format::bits(v) & ~((Bits)1 << (8 * sizeof(Bits) - 1)); }
__device__ __forceinline__ Bits magnitude(const Frequency &z)
{
    const Bits re = magnitude(z.re), im = magnitude(z.im);
    return re > im ? re : im;
}
__device__ __forceinline__ PART scaled(PART v, PART scale) { return v * scale; }
__device__ __forceinline__ Frequency scaled(const Frequency &z, PART scale) { return {z.re * scale, z.im * scale}; }

template <class Number> __device__ __forceinline__ Number not_a_number();
template <> __device__ __forceinline__ PART not_a_number<PART>()
{
    return Format::number(INFINITE | (Bits)1 << (Format::FRACTION - 1));
}
template <> __device__ __forceinline__ Frequency not_a_number<Frequency>() { return {not_a_number<PART>(), (PART)0}; }

/* The exponent of the power of two that brings magnitudes near 1; 0 for those in the safe range, and for zeros. */
__device__ __forceinline__ int scale_exponent(Bits largest)
{
    const int e = (int)(largest >> Format::FRACTION) - Format::BIAS, most = Format::MAX_EXPONENT;
    if (largest == 0 || (e >= -SAFE_EXPONENT && e < SAFE_EXPONENT)) return 0;
    return e < -most ? most : e > most ? -most : -e;
}
__device__ __forceinline__ PART power(int exponent) { return Format::number((Bits)(Format::BIAS + exponent) << Format::FRACTION); }

struct Summary {
    Bits largest, nonfinite;
};

/* Count a sample; return it, or zero for one that is not finite. */
__device__ __forceinline__ SUM counted(Summary &summary, const SUM &value)
{
    const Bits bits = magnitude(value);
    if (bits >= INFINITE) {
        summary.nonfinite = 1;
        return SUM();
    }
    if (bits > summary.largest) summary.largest = bits;
    return value;
}

__device__ __forceinline__ word points_of(const Transform &task)
{
    word points = 1;
#pragma unroll
    for (int d = 0; d < NAXES; d++) points *= task.extents[d].length;
    return points;
}

/* The samples of an image: (batch, group). */
__device__ __forceinline__ const X *image_of(const Job &job, word image)
{
    return (const X *)job.x + image / job.groups * job.batch_x + image % job.groups * job.group_x;
}

/* Positions of an axis that windows span, all outputs together. */
__device__ __forceinline__ word reached(const Axis &axis)
{
    return axis.stride * (word)(axis.outputs - 1) + axis.dilation * (axis.taps - 1) + 1;
}
