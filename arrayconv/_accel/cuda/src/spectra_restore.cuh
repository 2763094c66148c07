/* Reads the outputs from the inverse transform and undoes both scales. Outputs whose windows contain a sample that is
   not finite become NaN, and all of a filter with such a tap. */
#include "spectra.cuh"

struct Place { /* of an output */
    int at[NAXES];
};

/* Whether the window of an output contains a marked window along the last axis. */
__device__ __noinline__ bool is_contaminated(const Transform &task, word image, Place place)
{
    const Job &job = task.job;
    word size = job.axes[LAST].outputs;
    int lines = 1;
#pragma unroll
    for (int d = 0; d < LAST; d++) {
        size *= reached(job.axes[d]);
        lines *= job.axes[d].taps;
    }
    for (int line = 0; line < lines; line++) {
        int number = line;
        word mark = place.at[LAST], step = job.axes[LAST].outputs;
#pragma unroll
        for (int d = LAST - 1; d >= 0; d--) {
            const Axis &axis = job.axes[d];
            mark += step * (axis.stride * place.at[d] + axis.dilation * (number % axis.taps));
            step *= reached(axis);
            number /= axis.taps;
        }
        if (task.marks[image * size + mark]) return true;
    }
    return false;
}

/* The index of an output in a transform that may wrap around. */
__device__ __forceinline__ int index_of(const Extent &extent, int stride, int output)
{
    const int index = extent.read + stride * output;
    return index < extent.length ? index : index - extent.length;
}

struct Scales { /* two powers of two, to be multiplied one after the other */
    PART first, second;
};

/* What undoes both scales: of opposite directions in one step, since the first alone might leave the range. */
__device__ __forceinline__ Scales scales_of(Bits x, Bits kernel)
{
    const int first = -scale_exponent(x), second = -scale_exponent(kernel);
    const bool is_joined = (first > 0 && second < 0) || (first < 0 && second > 0);
    return is_joined ? Scales{power(first + second), (PART)1} : Scales{power(first), power(second)};
}

extern "C" __global__ void __launch_bounds__(256) KERNEL(const __grid_constant__ Transform task)
{
    const Job &job = task.job;
    const Axis &last = job.axes[LAST];
    const word images = (word)job.batch * job.groups, filters = (word)job.groups * job.filters;
    const Bits *const x = (const Bits *)task.x_summary, *const w = (const Bits *)task.w_summary;
    const unsigned chunks = (unsigned)(last.outputs + CHUNK - 1) / CHUNK;
    unsigned units = chunks;
#pragma unroll
    for (int d = 0; d < LAST; d++) units *= (unsigned)job.axes[d].outputs;
    for (word row = blockIdx.y; row < images * job.filters; row += gridDim.y) {
        const word image = row / job.filters, filter = image % job.groups * job.filters + row % job.filters;
        const Scales scales = scales_of(x[image], w[filter]);
        const bool is_lost = w[filters + filter], has_marks = x[images + image];
        Y *const y = image_at(job, row).y;
        const SUM *const from = (const SUM *)task.samples + row * points_of(task);
        for (unsigned unit = blockIdx.x * WARPS + threadIdx.y; unit < units; unit += gridDim.x * WARPS) {
            unsigned number = unit / chunks;
            const int first = (int)(unit % chunks) * CHUNK, stop = least(first + CHUNK, last.outputs);
            Place place;
            word index = 0, step = task.extents[LAST].length, to = 0;
#pragma unroll
            for (int d = LAST - 1; d >= 0; d--) {
                const Axis &axis = job.axes[d];
                place.at[d] = (int)(number % (unsigned)axis.outputs);
                number /= (unsigned)axis.outputs;
                index += step * index_of(task.extents[d], axis.stride, place.at[d]);
                step *= task.extents[d].length;
                to += place.at[d] * axis.y;
            }
            for (int p = first + threadIdx.x; p < stop; p += 32) {
                place.at[LAST] = p;
                const SUM value = scaled(from[index + index_of(task.extents[LAST], last.stride, p)], scales.first);
                const bool is_nan = is_lost || (has_marks && is_contaminated(task, image, place));
                y[to + p * last.y] = is_nan ? not_a_number<SUM>() : scaled(value, scales.second);
            }
        }
    }
}
