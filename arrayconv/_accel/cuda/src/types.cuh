/* The types of samples and of sums that macros name, one word each: X, W and Y in memory, SUM in registers.

   float16 and bfloat16 are 16 bits in memory: a sum converts a sample to float, and rounds once when it is written. They
   are types of our own, since the toolkit's headers are not on every machine. */
#if !defined(__CUDACC_RTC__)
#include "shim.h"
#endif

typedef long long word;
typedef unsigned long long unsigned64;
typedef signed char signed8;
typedef unsigned char unsigned8;
typedef unsigned short unsigned16;

struct float16 {
    unsigned16 bits;
    float16() = default;
    __device__ __forceinline__ explicit float16(float a)
    {
#if defined(__CUDACC_RTC__)
        asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(a));
#else
        bits = shim::half_of(a);
#endif
    }
    __device__ __forceinline__ operator float() const
    {
#if defined(__CUDACC_RTC__)
        float a;
        asm("cvt.f32.f16 %0, %1;" : "=f"(a) : "h"(bits));
        return a;
#else
        return shim::float_of(bits);
#endif
    }
};

/* The upper half of a float. */
struct bfloat16 {
    union Float {
        float value;
        unsigned bits;
    };
    unsigned16 bits;
    bfloat16() = default;
    __device__ __forceinline__ explicit bfloat16(float a)
    {
        Float whole;
        whole.value = a;
        /* To nearest, ties to even; a carry from a NaN's fraction would reach its sign. */
        if (a != a) bits = (unsigned16)(whole.bits >> 16 | 0x40);
        else bits = (unsigned16)((whole.bits + 0x7fff + (whole.bits >> 16 & 1)) >> 16);
    }
    __device__ __forceinline__ operator float() const
    {
        Float whole;
        whole.bits = (unsigned)bits << 16;
        return whole.value;
    }
};

template <class Part> struct alignas(2 * sizeof(Part)) Complex {
    Part re, im;
    Complex() = default;
    __device__ __forceinline__ Complex(Part a, Part b) : re(a), im(b) {}
    template <class Real> __device__ __forceinline__ explicit Complex(const Real &a) : re((Part)a), im(0) {}
    template <class Other>
    __device__ __forceinline__ explicit Complex(const Complex<Other> &a) : re((Part)a.re), im((Part)a.im) {}
};
typedef Complex<float> complex64;
typedef Complex<double> complex128;

template <class Number> __device__ __forceinline__ void add_product(Number &sum, const Number &a, const Number &b)
{
    sum += a * b;
}
template <class Part>
__device__ __forceinline__ void add_product(Complex<Part> &sum, const Complex<Part> &a, const Complex<Part> &b)
{
    sum.re += a.re * b.re - a.im * b.im;
    sum.im += a.re * b.im + a.im * b.re;
}

template <class Number> __device__ __forceinline__ void add(Number &sum, const Number &a) { sum += a; }
template <class Part> __device__ __forceinline__ void add(Complex<Part> &sum, const Complex<Part> &a)
{
    sum.re += a.re;
    sum.im += a.im;
}
