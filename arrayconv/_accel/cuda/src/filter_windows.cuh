/* One pass: windows along any axes, each with its boundary.

       y[p] = stored(sum over k of  tap[k] * x[stride*p + dilation*k - before])

   A thread computes LANES outputs of one row, `part` outputs from one another, so that neighbouring threads read and
   write neighbouring elements. */
#include "filters.cuh"

/* Add the products of one row of taps to the sums; `x` is null where the row is outside and filled. */
__device__ __forceinline__ void add_row(SUM (&sums)[LANES], const FilterJob &job, const X *x, word tap_at, int first, int part)
{
    const Axis &axis = job.axes[LAST];
    const SUM fill = Outside<SUM>::of(job);
    for (int k = 0; k < axis.taps; k++) {
        const W tap = TAPS[tap_at + k * axis.w];
        if (job.skips_zeros && tap == 0) continue;
#pragma unroll
        for (int lane = 0; lane < LANES; lane++) {
            const int p = first + lane * part;
            if (p >= axis.outputs) continue;
            const int s = x ? sample_at(axis.stride * p + axis.dilation * k - axis.before, axis) : -1;
            add_weighted(sums[lane], tap, s < 0 ? fill : wide(x[s * axis.x]));
        }
    }
}

extern "C" __global__ void __launch_bounds__(256) KERNEL(const __grid_constant__ FilterJob job)
{
    const Axis &last = job.axes[LAST];
    const FilterPass &pass = job.passes[0];
    const int part = (last.outputs + LANES - 1) / LANES;
    word total = part;
    int rows_of_taps = 1;
#pragma unroll
    for (int d = 0; d < LAST; d++) {
        total *= job.axes[d].outputs;
        rows_of_taps *= job.axes[d].taps;
    }
    for (word id = blockIdx.x * (word)blockDim.x + threadIdx.x; id < total; id += (word)gridDim.x * blockDim.x) {
        word number = id / part, y_at = 0;
        const int first = (int)(id % part);
        int at[NAXES];
#pragma unroll
        for (int d = LAST - 1; d >= 0; d--) {
            at[d] = (int)(number % job.axes[d].outputs);
            number /= job.axes[d].outputs;
            y_at += at[d] * job.axes[d].y;
        }
        SUM sums[LANES];
#pragma unroll
        for (int lane = 0; lane < LANES; lane++) sums[lane] = SUM();
        for (int t = 0; t < rows_of_taps; t++) {
            int tap = t;
            bool is_outside = false;
            word x_at = 0, tap_at = pass.first;
#pragma unroll
            for (int d = LAST - 1; d >= 0; d--) {
                const Axis &axis = job.axes[d];
                const int k = tap % axis.taps;
                tap /= axis.taps;
                const int s = sample_at(axis.stride * at[d] + axis.dilation * k - axis.before, axis);
                is_outside |= s < 0;
                x_at += s * axis.x;
                tap_at += k * axis.w;
            }
            add_row(sums, job, is_outside ? nullptr : (const X *)job.x + x_at, tap_at, first, part);
        }
#pragma unroll
        for (int lane = 0; lane < LANES; lane++) {
            const int p = first + lane * part;
            if (p < last.outputs)
                write_output((Y *)job.y + y_at + p * last.y, stored(scaled(sums[lane], pass)), job.is_first, job.is_last);
        }
    }
}
