/* What a kernel computes: one struct passed by value, built from the integers of a problem and the strides of arrays.

    y[b, g, o, p] = sum_c sum_k  w[g, o, c, k] * x[b, g, c, stride*p + dilation*k - before]

   `arrayconv/_accel/cuda/job.py` packs it; JOB_BYTES is the size there. Steps are in elements and may be negative or 0.
   `types.cuh` has the types X, W, Y and SUM. */
#include "types.cuh"
#define MAX_AXES 6

struct Axis {
    word x, y, w; /* steps between samples, outputs, taps */
    int size, outputs, taps, stride, dilation, before, boundary, unused;
};

struct Job {
    const void *x, *w;
    void *y;
    word batch_x, batch_y, group_x, group_y, group_w, filter_y, filter_w, channel_x, channel_w;
    double fill_real, fill_imag;
    word fill_integer; /* for sums of integers, since a double has 53 bits */
    int batch, groups, filters, channels;
    Axis axes[MAX_AXES];
};
static_assert(sizeof(Job) == JOB_BYTES, "job.py and job.cuh differ");

/* The value outside, where the boundary is 'constant'. */
template <class Number> struct Fill {
    static __device__ __forceinline__ Number of(const Job &job) { return (Number)job.fill_integer; }
};
template <> struct Fill<float> {
    static __device__ __forceinline__ float of(const Job &job) { return (float)job.fill_real; }
};
template <> struct Fill<double> {
    static __device__ __forceinline__ double of(const Job &job) { return job.fill_real; }
};
template <class Part> struct Fill<Complex<Part>> {
    static __device__ __forceinline__ Complex<Part> of(const Job &job)
    {
        return {(Part)job.fill_real, (Part)job.fill_imag};
    }
};

__device__ __forceinline__ int least(int a, int b) { return a < b ? a : b; }

/* r modulo n, never negative. */
__device__ __forceinline__ int modulo(int r, int n)
{
    r %= n;
    return r < 0 ? r + n : r;
}

enum Boundary { CONSTANT, EDGE, SYMMETRIC, REFLECT, WRAP };

/* The sample at a position of an extended axis, -1 for the fill. */
__device__ __forceinline__ int sample_at(int position, const Axis &axis)
{
    const int n = axis.size;
    if ((unsigned)position < (unsigned)n) return position;
    if (axis.boundary == CONSTANT) return -1;
    if (axis.boundary == EDGE) return position < 0 ? 0 : n - 1;
    if (axis.boundary == WRAP) return modulo(position, n);
    if (axis.boundary == SYMMETRIC) {
        const int r = modulo(position, 2 * n);
        return r < n ? r : 2 * n - 1 - r;
    }
    if (n == 1) return 0;
    const int r = modulo(position, 2 * n - 2);
    return r < n ? r : 2 * n - 2 - r;
}

/* The arrays of one image by one filter. */
struct Image {
    const X *x;
    const W *w;
    Y *y;
};

__device__ __forceinline__ Image image_at(const Job &job, word number)
{
    const int filter = (int)(number % job.filters);
    number /= job.filters;
    const int group = (int)(number % job.groups);
    const word batch = number / job.groups;
    return {(const X *)job.x + batch * job.batch_x + group * job.group_x,
            (const W *)job.w + group * job.group_w + filter * job.filter_w,
            (Y *)job.y + batch * job.batch_y + group * job.group_y + filter * job.filter_y};
}
