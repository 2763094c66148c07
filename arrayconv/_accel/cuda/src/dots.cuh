/* Few outputs, each a sum over many taps, such as the gradient of a kernel. Any number of axes, strides and dilations.

   A block sums LAGS adjacent outputs over a part of the taps: its threads take taps in turn, and their sums are added in
   shared memory in a fixed order. Part n of gridDim.x writes to the n-th of as many arrays like y, one after the other.
   A row of taps is cut into segments, so that a single long row has many parts too. */
#include "job.cuh"
#define LAST (NAXES - 1)
#define THREADS 128
#define SEGMENT 2048

/* A row of taps in one channel, and the row of x that it multiplies for the outputs `at`; x is null where it is outside. */
struct Row {
    const X *x;
    const W *w;
};

__device__ __forceinline__ Row row_at(const Job &job, const Image &image, const int (&at)[NAXES], word number)
{
    word x = 0, w = 0;
    bool is_outside = false;
#pragma unroll
    for (int d = LAST - 1; d >= 0; d--) {
        const Axis &axis = job.axes[d];
        const int k = (int)(number % axis.taps);
        number /= axis.taps;
        const int s = sample_at(axis.stride * at[d] + axis.dilation * k - axis.before, axis);
        is_outside |= s < 0;
        x += s * axis.x;
        w += k * axis.w;
    }
    x += number * job.channel_x;
    return {is_outside ? nullptr : image.x + x, image.w + w + number * job.channel_w};
}

extern "C" __global__ void __launch_bounds__(128) KERNEL(const __grid_constant__ Job job)
{
    __shared__ SUM parts[LAGS][THREADS];
    const Axis &last = job.axes[LAST];
    const int thread = threadIdx.y * blockDim.x + threadIdx.x, cuts = (last.taps + SEGMENT - 1) / SEGMENT;
    const int groups_of_lags = (last.outputs + LAGS - 1) / LAGS;
    const SUM fill = Fill<SUM>::of(job);
    word segments = (word)job.channels * cuts, outputs = (word)job.batch * job.groups * job.filters * last.outputs;
    word blocks = (word)job.batch * job.groups * job.filters * groups_of_lags;
#pragma unroll
    for (int d = 0; d < LAST; d++) {
        segments *= job.axes[d].taps;
        outputs *= job.axes[d].outputs;
        blocks *= job.axes[d].outputs;
    }
    const word share = (segments + gridDim.x - 1) / gridDim.x, begin = blockIdx.x * share;
    const word end = begin + share < segments ? begin + share : segments;
    for (word block = blockIdx.y; block < blocks; block += gridDim.y) {
        word number = block / groups_of_lags, y_at = blockIdx.x * outputs;
        int at[NAXES];
        at[LAST] = (int)(block % groups_of_lags) * LAGS;
#pragma unroll
        for (int d = LAST - 1; d >= 0; d--) {
            at[d] = (int)(number % job.axes[d].outputs);
            number /= job.axes[d].outputs;
            y_at += at[d] * job.axes[d].y;
        }
        const Image image = image_at(job, number);
        SUM sums[LAGS];
#pragma unroll
        for (int lag = 0; lag < LAGS; lag++) sums[lag] = SUM();
        for (word segment = begin + threadIdx.y; segment < end; segment += blockDim.y) {
            const Row row = row_at(job, image, at, segment / cuts);
            const int first = (int)(segment % cuts) * SEGMENT, stop = least(first + SEGMENT, last.taps);
            for (int k = first + threadIdx.x; k < stop; k += blockDim.x) {
                const SUM tap = (SUM)row.w[k * last.w];
#pragma unroll
                for (int lag = 0; lag < LAGS; lag++) {
                    const int p = at[LAST] + lag;
                    if (p >= last.outputs) continue;
                    const int s = row.x ? sample_at(last.stride * p + last.dilation * k - last.before, last) : -1;
                    add_product(sums[lag], tap, s < 0 ? fill : (SUM)row.x[s * last.x]);
                }
            }
        }
        __syncthreads(); /* until the last sums are no longer read */
#pragma unroll
        for (int lag = 0; lag < LAGS; lag++) parts[lag][thread] = sums[lag];
        for (int half = THREADS / 2; half > 0; half /= 2) {
            __syncthreads();
            if (thread >= half) continue;
#pragma unroll
            for (int lag = 0; lag < LAGS; lag++) add(parts[lag][thread], parts[lag][thread + half]);
        }
        __syncthreads();
        for (int lag = thread; lag < LAGS; lag += THREADS)
            if (at[LAST] + lag < last.outputs) image.y[y_at + (at[LAST] + lag) * last.y] = (Y)parts[lag][0];
    }
}
