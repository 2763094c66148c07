/* The last two of NAXES axes as planes. An output of the leading axes is a plane of y; every channel and every tap of
   the leading axes multiplies a plane of x for it. The leading axes may have strides and dilations. */
#include "job.cuh"
#define LEADING (NAXES - 2)

struct Plane {
    Image image; /* y at the plane; x and w at their first elements */
    int at[LEADING + 1]; /* outputs of the leading axes; C++ has no array of 0 */
};

/* One plane of x, null where it is outside and filled, and the taps that multiply it. */
struct Source {
    const X *x;
    const W *w;
};

__device__ __forceinline__ word planes_of(const Job &job)
{
    word planes = (word)job.batch * job.groups * job.filters;
#pragma unroll
    for (int d = 0; d < LEADING; d++) planes *= job.axes[d].outputs;
    return planes;
}

__device__ __forceinline__ int sources_of(const Job &job)
{
    int sources = job.channels;
#pragma unroll
    for (int d = 0; d < LEADING; d++) sources *= job.axes[d].taps;
    return sources;
}

__device__ __forceinline__ Plane plane_at(const Job &job, word number)
{
    Plane plane;
    word y = 0;
#pragma unroll
    for (int d = LEADING - 1; d >= 0; d--) {
        plane.at[d] = (int)(number % job.axes[d].outputs);
        number /= job.axes[d].outputs;
        y += plane.at[d] * job.axes[d].y;
    }
    plane.image = image_at(job, number);
    plane.image.y += y;
    return plane;
}

__device__ __forceinline__ Source source_at(const Job &job, const Plane &plane, int number)
{
    word x = 0, w = 0;
    bool is_outside = false;
#pragma unroll
    for (int d = LEADING - 1; d >= 0; d--) {
        const Axis &axis = job.axes[d];
        const int k = number % axis.taps;
        number /= axis.taps;
        const int s = sample_at(axis.stride * plane.at[d] + axis.dilation * k - axis.before, axis);
        is_outside |= s < 0;
        x += s * axis.x;
        w += k * axis.w;
    }
    x += number * job.channel_x;
    return {is_outside ? nullptr : plane.image.x + x, plane.image.w + w + number * job.channel_w};
}
