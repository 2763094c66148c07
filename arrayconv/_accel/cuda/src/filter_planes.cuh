/* Two passes of each chain in one launch: one down the rows and one along the columns, the last two of NAXES axes, in
   the order of IS_DOWN_FIRST.

   A block of 32 x TILE_Y / 4 threads writes what the first pass makes of the samples of TILE_Y x TILE_X outputs and
   their windows to shared memory, as numbers of Y, and filters it from there. A thread sums LANES neighbours along the
   axis of the pass, so that it reads and converts a sample once for all of them. */
#include "filters.cuh"
#define TILE_X 128
#define STEP_Y (TILE_Y / LANES) /* threads of a block down the rows */
#define ROW (NAXES - 2)

/* A column of the tile. One in 33 is unused, so that threads that read every fourth column use different banks. */
__device__ __forceinline__ int skewed(int column) { return column + (column >> 5); }

/* Sum the windows of LANES neighbours; `read` returns the sample at a position from the first window's start. */
template <class Read>
__device__ __forceinline__ void sum_windows(SUM (&sums)[LANES], const FilterJob &job, const FilterPass &pass, int taps, Read read)
{
#pragma unroll
    for (int lane = 0; lane < LANES; lane++) sums[lane] = SUM();
#pragma unroll 1
    for (int r = 0; r < taps + LANES - 1; r++) {
        const SUM sample = read(r);
#pragma unroll
        for (int lane = 0; lane < LANES; lane++) {
            const int k = r - lane;
            if ((unsigned)k < (unsigned)taps) add_weighted(sums[lane], TAPS[pass.first + k * pass.step], sample);
        }
    }
}

/* Write the first pass's results to the tile, whose first row and column are those of the first output's window. */
__device__ __forceinline__ void write_tile(Y *tile, int pitch, const FilterJob &job, const FilterPass &pass, const X *x, int top, int left)
{
    const Axis &row = job.axes[ROW], &column = job.axes[LAST];
    const SUM fill = Outside<SUM>::of(job);
    SUM sums[LANES];
#if IS_DOWN_FIRST
    const int first = threadIdx.y * LANES, width = TILE_X + column.taps - 1;
    for (int c = threadIdx.x; c < width; c += 32) {
        const int s = sample_at(left + c - column.before, column);
        sum_windows(sums, job, pass, row.taps, [&](int r) {
            const int t = sample_at(top + first + r - row.before, row);
            return s < 0 || t < 0 ? fill : wide(x[t * row.x + s * column.x]);
        });
#pragma unroll
        for (int lane = 0; lane < LANES; lane++)
            tile[(first + lane) * pitch + skewed(c)] = stored(scaled(sums[lane], pass));
    }
#else
    const int first = threadIdx.x * LANES, height = TILE_Y + row.taps - 1;
    for (int r = threadIdx.y; r < height; r += STEP_Y) {
        const int t = sample_at(top + r - row.before, row);
        sum_windows(sums, job, pass, column.taps, [&](int c) {
            const int s = sample_at(left + first + c - column.before, column);
            return s < 0 || t < 0 ? fill : wide(x[t * row.x + s * column.x]);
        });
#pragma unroll
        for (int lane = 0; lane < LANES; lane++)
            tile[r * pitch + skewed(first + lane)] = stored(scaled(sums[lane], pass));
    }
#endif
}

/* Write outputs: windows of the tile along the axis of the second pass, which a filter extends anew by its fill. */
__device__ __forceinline__ void filter_tile(const Y *tile, int pitch, const FilterJob &job, int chain, Y *y, int top, int left)
{
    const Axis &row = job.axes[ROW], &column = job.axes[LAST];
    const FilterPass &pass = job.passes[2 * chain + 1];
    const bool is_first = job.is_first && chain == 0, is_last = job.is_last && chain == job.chains - 1;
    const SUM fill = Outside<SUM>::of(job);
    SUM sums[LANES];
#if IS_DOWN_FIRST
    const bool fills = !job.is_one_kernel && column.boundary == CONSTANT;
    const int first = threadIdx.x * LANES;
    for (int r = threadIdx.y; r < TILE_Y && top + r < row.outputs; r += STEP_Y) {
        sum_windows(sums, job, pass, column.taps, [&](int c) {
            const bool is_outside = fills && (unsigned)(left + first + c - column.before) >= (unsigned)column.size;
            return is_outside ? fill : wide(tile[r * pitch + skewed(first + c)]);
        });
        Y *to = y + (top + r) * row.y + (left + first) * column.y;
#pragma unroll
        for (int lane = 0; lane < LANES; lane++)
            if (left + first + lane < column.outputs)
                write_output(to + lane * column.y, stored(scaled(sums[lane], pass)), is_first, is_last);
    }
#else
    const bool fills = !job.is_one_kernel && row.boundary == CONSTANT;
    const int first = threadIdx.y * LANES;
    for (int c = threadIdx.x; c < TILE_X && left + c < column.outputs; c += 32) {
        sum_windows(sums, job, pass, row.taps, [&](int r) {
            const bool is_outside = fills && (unsigned)(top + first + r - row.before) >= (unsigned)row.size;
            return is_outside ? fill : wide(tile[(first + r) * pitch + skewed(c)]);
        });
        Y *to = y + (top + first) * row.y + (left + c) * column.y;
#pragma unroll
        for (int lane = 0; lane < LANES; lane++)
            if (top + first + lane < row.outputs)
                write_output(to + lane * row.y, stored(scaled(sums[lane], pass)), is_first, is_last);
    }
#endif
}

extern "C" __global__ void __launch_bounds__(32 * STEP_Y) KERNEL(const __grid_constant__ FilterJob job)
{
    __shared__ Y tile[NUMBERS];
    const int top = blockIdx.y * TILE_Y, left = blockIdx.x * TILE_X;
    const int pitch = skewed(TILE_X - 1 + (IS_DOWN_FIRST ? job.axes[LAST].taps - 1 : 0)) + 1;
    word images = 1;
#pragma unroll
    for (int d = 0; d < ROW; d++) images *= job.axes[d].outputs;
    for (word image = blockIdx.z; image < images; image += gridDim.z) {
        word number = image, x_at = 0, y_at = 0;
#pragma unroll
        for (int d = ROW - 1; d >= 0; d--) {
            const word at = number % job.axes[d].outputs;
            number /= job.axes[d].outputs;
            x_at += at * job.axes[d].x;
            y_at += at * job.axes[d].y;
        }
        for (int chain = 0; chain < job.chains; chain++) {
            __syncthreads(); /* until the last chain's tile is no longer read */
            write_tile(tile, pitch, job, job.passes[2 * chain], (const X *)job.x + x_at, top, left);
            __syncthreads();
            filter_tile(tile, pitch, job, chain, (Y *)job.y + y_at, top, left);
        }
    }
}
