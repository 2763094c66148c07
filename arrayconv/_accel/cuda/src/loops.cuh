/* Any number of axes, strides, dilations, channels, boundaries and layouts of memory.

   A thread computes LANES outputs of one row, `part` outputs from one another, so that neighbouring threads read and
   write neighbouring elements. NAXES is the number of axes, 1 or more. */
#include "job.cuh"
#define LANES 4
#define LAST (NAXES - 1)

struct Place {
    int at[NAXES]; /* of the leading axes */
    word y;
};

/* Split the number of a row into outputs of the leading axes; what is left numbers the image. */
__device__ __forceinline__ Place place_of(const Job &job, word &number)
{
    Place place;
    place.y = 0;
#pragma unroll
    for (int d = LAST - 1; d >= 0; d--) {
        place.at[d] = (int)(number % job.axes[d].outputs);
        number /= job.axes[d].outputs;
        place.y += place.at[d] * job.axes[d].y;
    }
    return place;
}

/* Add the products of one row of taps to the sums; `x` is null where the row is outside and filled. */
__device__ __forceinline__ void add_row(SUM (&sums)[LANES], const X *x, const W *w, const Axis &axis, int first, int part, SUM fill)
{
    for (int k = 0; k < axis.taps; k++) {
        const SUM tap = (SUM)w[k * axis.w];
#pragma unroll
        for (int lane = 0; lane < LANES; lane++) {
            const int p = first + lane * part;
            if (p >= axis.outputs) continue;
            const int s = x ? sample_at(axis.stride * p + axis.dilation * k - axis.before, axis) : -1;
            add_product(sums[lane], tap, s < 0 ? fill : (SUM)x[s * axis.x]);
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) KERNEL(const __grid_constant__ Job job)
{
    const Axis &last = job.axes[LAST];
    const int part = (last.outputs + LANES - 1) / LANES;
    word total = (word)job.batch * job.groups * job.filters * part;
    int rows_of_taps = 1;
#pragma unroll
    for (int d = 0; d < LAST; d++) {
        total *= job.axes[d].outputs;
        rows_of_taps *= job.axes[d].taps;
    }
    const SUM fill = Fill<SUM>::of(job);
    for (word id = blockIdx.x * (word)blockDim.x + threadIdx.x; id < total; id += (word)gridDim.x * blockDim.x) {
        word number = id / part;
        const int first = (int)(id % part);
        const Place place = place_of(job, number);
        const Image image = image_at(job, number);
        SUM sums[LANES];
#pragma unroll
        for (int lane = 0; lane < LANES; lane++) sums[lane] = SUM();
        for (int channel = 0; channel < job.channels; channel++) {
            for (int t = 0; t < rows_of_taps; t++) {
                int tap = t;
                bool is_outside = false;
                word x_at = channel * job.channel_x, w_at = channel * job.channel_w;
#pragma unroll
                for (int d = LAST - 1; d >= 0; d--) {
                    const Axis &axis = job.axes[d];
                    const int k = tap % axis.taps;
                    tap /= axis.taps;
                    const int s = sample_at(axis.stride * place.at[d] + axis.dilation * k - axis.before, axis);
                    is_outside |= s < 0;
                    x_at += s * axis.x;
                    w_at += k * axis.w;
                }
                add_row(sums, is_outside ? nullptr : image.x + x_at, image.w + w_at, last, first, part, fill);
            }
        }
#pragma unroll
        for (int lane = 0; lane < LANES; lane++) {
            const int p = first + lane * part;
            if (p < last.outputs) image.y[place.y + p * last.y] = (Y)sums[lane];
        }
    }
}
