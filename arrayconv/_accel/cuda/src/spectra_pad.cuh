/* Writes the samples of a transform: extended by the boundary, zeros up to its lengths and for samples that are not
   finite. Blocks join their summaries in memory that is zero before.

   With SCANS every block reads its whole image first, a kernel's few taps, and scales what it writes by the power of
   two of `scale_exponent`; the summary needs no zeros. */
#include "spectra.cuh"

/* Samples along the last axis, at one position of the others. */
struct Line {
    word x;
    bool is_zero, is_fill;
};

__device__ __forceinline__ Line line_of(const Transform &task, unsigned number)
{
    Line line = {0, false, false};
#pragma unroll
    for (int d = LAST - 1; d >= 0; d--) {
        const Extent &extent = task.extents[d];
        const int i = (int)(number % (unsigned)extent.length);
        number /= (unsigned)extent.length;
        const int s = sample_at(extent.first + i, task.job.axes[d]);
        line.is_zero |= i >= extent.count;
        line.is_fill |= s < 0;
        line.x += s * task.job.axes[d].x;
    }
    return line;
}

__device__ __forceinline__ SUM sample(const Transform &task, const X *x, const Line &line, int i)
{
    const Extent &extent = task.extents[LAST];
    if (line.is_zero || i >= extent.count) return SUM();
    const int s = sample_at(extent.first + i, task.job.axes[LAST]);
    return line.is_fill || s < 0 ? Fill<SUM>::of(task.job) : (SUM)x[line.x + s * task.job.axes[LAST].x];
}

/* Summarize all samples of an image, which are inside. */
__device__ __forceinline__ void scan(Summary &summary, const Transform &task, const X *image)
{
    unsigned total = (unsigned)task.job.channels;
#pragma unroll
    for (int d = 0; d < NAXES; d++) total *= (unsigned)task.extents[d].count;
    for (unsigned at = threadIdx.y * 32 + threadIdx.x; at < total; at += 32 * WARPS) {
        unsigned number = at;
        word x = 0;
#pragma unroll
        for (int d = LAST; d >= 0; d--) {
            const unsigned count = (unsigned)task.extents[d].count;
            x += number % count * task.job.axes[d].x;
            number /= count;
        }
        counted(summary, (SUM)image[x + number * task.job.channel_x]);
    }
}

__device__ __forceinline__ void write_samples(Summary &summary, const Transform &task, const X *x, SUM *to, PART scale)
{
    const Extent &last = task.extents[LAST];
    const unsigned chunks = (unsigned)(last.length + CHUNK - 1) / CHUNK;
    const unsigned units = (unsigned)(points_of(task) / last.length) * chunks;
    for (unsigned unit = blockIdx.x * WARPS + threadIdx.y; unit < units; unit += gridDim.x * WARPS) {
        const unsigned number = unit / chunks;
        const int first = (int)(unit % chunks) * CHUNK, stop = least(first + CHUNK, last.length);
        const Line line = line_of(task, number);
        SUM *const row = to + (word)number * last.length;
        for (int i = first + threadIdx.x; i < stop; i += 32) {
            const SUM value = counted(summary, sample(task, x, line, i));
            row[i] = SCANS ? scaled(value, scale) : value;
        }
    }
}

__device__ __forceinline__ void join(Bits *joined, const Summary &summary)
{
    if (summary.largest > *(volatile Bits *)joined) atomicMax(joined, summary.largest);
    if (summary.nonfinite) joined[1] = 1;
}

extern "C" __global__ void __launch_bounds__(256) KERNEL(const __grid_constant__ Transform task)
{
    __shared__ Bits joined[2];
    const Job &job = task.job;
    const word images = (word)job.batch * job.groups, points = points_of(task);
    const bool is_first = threadIdx.x == 0 && threadIdx.y == 0;
    Bits *const to = (Bits *)task.x_summary;
    for (word row = blockIdx.y; row < images * job.channels; row += gridDim.y) {
        const word image = row / job.channels, channel = row % job.channels;
        const X *const x = image_of(job, image);
        Summary summary = {0, 0};
        if (is_first) joined[0] = joined[1] = 0;
        __syncthreads(); /* before other threads join */
        if (SCANS) {
            scan(summary, task, x);
            join(joined, summary);
            __syncthreads(); /* until all have joined */
        }
        const PART scale = power(SCANS ? scale_exponent(joined[0]) : 0);
        write_samples(summary, task, x + channel * job.channel_x, (SUM *)task.samples + row * points, scale);
        if (!SCANS) {
            join(joined, summary);
            __syncthreads(); /* until all have joined */
            if (is_first && joined[0]) atomicMax(to + image, joined[0]);
            if (is_first && joined[1]) to[images + image] = 1;
        } else if (is_first && blockIdx.x == 0 && channel == 0) {
            to[image] = joined[0];
            to[images + image] = joined[1];
        }
        __syncthreads(); /* until the joined summary is no longer read */
    }
}
