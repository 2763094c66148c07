/* The last two axes of KH x KW taps, each at most 9, known to the compiler; no stride, no dilation along them.

   A thread moves down the rows of its block in 4 adjacent columns and keeps KH rows of sums in registers: it reads every
   sample once, its neighbours' from the first cache. SOURCES planes of x, channels by taps of the leading axes, are read
   side by side. X_STEP and Y_STEP are the steps along the last axis. Threads along z compute other planes of y, where
   rows are short. */
#include "planes.cuh"
#define COLUMNS 4
#define SAMPLES (COLUMNS + KW - 1)

/* A sample near or beyond an end: rare, so not inlined. `x` is null in a plane outside. */
__device__ __noinline__ SUM outside(const X *x, int s, int position, word step, const Axis &column, SUM fill)
{
    const int c = s < 0 || !x ? -1 : sample_at(position, column);
    return c < 0 ? fill : (SUM)x[s * step + c * column.x];
}

extern "C" __global__ void __launch_bounds__(128) KERNEL(const __grid_constant__ Job job)
{
    const Axis &row = job.axes[LEADING], &column = job.axes[LEADING + 1];
    const int first = (blockIdx.x * blockDim.x + threadIdx.x) * COLUMNS, left = first - column.before;
    if (first >= column.outputs) return;
    const SUM fill = Fill<SUM>::of(job);
    const bool is_inside = left >= 0 && left + SAMPLES <= column.size;
    const int rows = (row.outputs + gridDim.y - 1) / gridDim.y;
    const int top = blockIdx.y * rows, stop = least(top + rows, row.outputs) + KH - 1;
    const word planes = planes_of(job);
    for (word number = blockIdx.z * blockDim.z + threadIdx.z; number < planes; number += gridDim.z * blockDim.z) {
        const Plane plane = plane_at(job, number);
        const X *x[SOURCES];
        SUM taps[SOURCES][KH][KW], sums[KH][COLUMNS];
#pragma unroll
        for (int q = 0; q < SOURCES; q++) {
            const Source source = source_at(job, plane, q);
            x[q] = source.x;
#pragma unroll
            for (int i = 0; i < KH; i++)
#pragma unroll
                for (int j = 0; j < KW; j++) taps[q][i][j] = (SUM)source.w[i * row.w + j * column.w];
        }
#pragma unroll
        for (int i = 0; i < KH; i++)
#pragma unroll
            for (int l = 0; l < COLUMNS; l++) sums[i][l] = SUM();
#pragma unroll 1
        for (int r = top; r < stop; r++) {
            const int s = sample_at(r - row.before, row);
#pragma unroll
            for (int q = 0; q < SOURCES; q++) {
                SUM samples[SAMPLES];
                if (is_inside && s >= 0 && x[q]) {
                    const X *from = x[q] + s * row.x + left * (word)X_STEP;
#pragma unroll
                    for (int j = 0; j < SAMPLES; j++) samples[j] = (SUM)from[j * (word)X_STEP];
                } else {
#pragma unroll
                    for (int j = 0; j < SAMPLES; j++) samples[j] = outside(x[q], s, left + j, row.x, column, fill);
                }
                /* Row i of the sums is that of output r - (KH - 1) + i. */
#pragma unroll
                for (int i = 0; i < KH; i++)
#pragma unroll
                    for (int j = 0; j < KW; j++)
#pragma unroll
                        for (int l = 0; l < COLUMNS; l++)
                            add_product(sums[i][l], taps[q][KH - 1 - i][j], samples[j + l]);
            }
            const int p = r - (KH - 1);
            if (p >= top) {
                Y *to = plane.image.y + p * row.y + first * (word)Y_STEP;
#pragma unroll
                for (int l = 0; l < COLUMNS; l++)
                    if (first + l < column.outputs) to[l * (word)Y_STEP] = (Y)sums[0][l];
            }
#pragma unroll
            for (int i = 0; i < KH; i++)
#pragma unroll
                for (int l = 0; l < COLUMNS; l++) sums[i][l] = i + 1 < KH ? sums[least(i + 1, KH - 1)][l] : SUM();
        }
    }
}
