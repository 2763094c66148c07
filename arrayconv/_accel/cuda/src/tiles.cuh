/* The last two axes of up to MAX_TAPS taps each, known at run time; no stride, no dilation along them.

   A block of 32 x 4 threads reads the samples of TILE_X x TILE_Y outputs into shared memory, plane by plane. A thread
   sums 4 adjacent columns of ROWS rows in registers, a row of samples and 4 taps at a time. */
#include "planes.cuh"
#include "four.cuh"
#define TILE_X 128
#define TILE_Y (4 * ROWS)
#define PITCH (TILE_X + MAX_TAPS)

typedef SUM Sums[ROWS][4];

/* Add N taps of one row of samples to the rows of sums whose windows contain it; with ALL every row's does. `taps`
   points at the row of taps that multiplies the first row of sums. */
template <int N, bool ALL>
__device__ __forceinline__ void add_taps(Sums &sums, const Four &a, const Four &b, const SUM *taps, int r, int rows)
{
    SUM samples[8];
    join(samples, a, b);
#pragma unroll
    for (int o = 0; o < ROWS; o++) {
        if (!ALL && (unsigned)(r - o) >= (unsigned)rows) continue;
        add_four<N>(sums[o], samples, four(taps - o * MAX_TAPS));
    }
}

template <bool ALL>
__device__ __forceinline__ void add_row(Sums &sums, const SUM *from, const SUM *taps, int r, int rows, int columns)
{
    Four a = four(from);
    int c = 0;
#pragma unroll 1
    for (; c + 4 <= columns; c += 4) {
        const Four b = four(from + c + 4);
        add_taps<4, ALL>(sums, a, b, taps + c, r, rows);
        a = b;
    }
    if (c == columns) return;
    const Four b = four(from + c + 4);
    if (columns - c == 3) add_taps<3, ALL>(sums, a, b, taps + c, r, rows);
    else if (columns - c == 2) add_taps<2, ALL>(sums, a, b, taps + c, r, rows);
    else add_taps<1, ALL>(sums, a, b, taps + c, r, rows);
}

/* Read the samples of a tile, extended, and the taps of one plane. */
__device__ __forceinline__ void read_tile(SUM *tile, SUM *taps, const Source &source, const Job &job, int left, int top)
{
    const Axis &row = job.axes[LEADING], &column = job.axes[LEADING + 1];
    const int thread = threadIdx.y * 32 + threadIdx.x;
    for (int t = thread; t < row.taps * column.taps; t += 128) {
        const int i = t / column.taps, j = t % column.taps;
        taps[i * MAX_TAPS + j] = (SUM)source.w[i * row.w + j * column.w];
    }
    const int x0 = left - column.before, y0 = top - row.before;
    const int width = TILE_X + column.taps - 1, height = TILE_Y + row.taps - 1;
    const bool is_inside = x0 >= 0 && x0 + width <= column.size;
    const SUM fill = Fill<SUM>::of(job);
    for (int r = threadIdx.y; r < height; r += 4) {
        const int s = source.x ? sample_at(y0 + r, row) : -1;
        for (int c = threadIdx.x; c < width; c += 32) {
            const int at = s < 0 ? -1 : is_inside ? x0 + c : sample_at(x0 + c, column);
            tile[r * PITCH + c] = at < 0 ? fill : (SUM)source.x[s * row.x + at * column.x];
        }
    }
}

extern "C" __global__ void __launch_bounds__(128, 5) KERNEL(const __grid_constant__ Job job)
{
    alignas(16) __shared__ SUM tile[(TILE_Y + MAX_TAPS - 1) * PITCH];
    alignas(16) __shared__ SUM taps[MAX_TAPS * MAX_TAPS];
    const Axis &row = job.axes[LEADING], &column = job.axes[LEADING + 1];
    const int left = blockIdx.x * TILE_X, top = blockIdx.y * TILE_Y;
    const int sources = sources_of(job);
    const word planes = planes_of(job);
    for (word number = blockIdx.z; number < planes; number += gridDim.z) {
        const Plane plane = plane_at(job, number);
        Sums sums;
#pragma unroll
        for (int o = 0; o < ROWS; o++)
#pragma unroll
            for (int l = 0; l < 4; l++) sums[o][l] = SUM();
        for (int source = 0; source < sources; source++) {
            __syncthreads(); /* until the last tile is no longer read */
            read_tile(tile, taps, source_at(job, plane, source), job, left, top);
            __syncthreads();
            const SUM *from = tile + threadIdx.y * ROWS * PITCH + threadIdx.x * 4;
#pragma unroll 1
            for (int r = 0; r < ROWS + row.taps - 1; r++, from += PITCH) {
                const SUM *factors = taps + r * MAX_TAPS;
                if (r >= ROWS - 1 && r < row.taps) add_row<true>(sums, from, factors, r, row.taps, column.taps);
                else add_row<false>(sums, from, factors, r, row.taps, column.taps);
            }
        }
        const int first = left + threadIdx.x * 4;
#pragma unroll
        for (int o = 0; o < ROWS; o++) {
            const int p = top + threadIdx.y * ROWS + o;
            if (p >= row.outputs) continue;
#pragma unroll
            for (int l = 0; l < 4; l++)
                if (first + l < column.outputs) plane.image.y[p * row.y + (first + l) * column.y] = (Y)sums[o][l];
        }
    }
}
