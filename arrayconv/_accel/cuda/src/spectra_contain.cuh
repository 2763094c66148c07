/* Returns at once where all samples are finite and in the safe range. Elsewhere it scales the padded samples of an
   image by a power of two, and marks the windows along the last axis that contain a sample that is not finite. */
#include "spectra.cuh"

__device__ __noinline__ void scale_samples(const Transform &task, word image, PART scale)
{
    const word size = points_of(task) * task.job.channels;
    SUM *const samples = (SUM *)task.samples + image * size;
    for (word at = blockIdx.x * (word)blockDim.x + threadIdx.x; at < size; at += (word)gridDim.x * blockDim.x)
        samples[at] = scaled(samples[at], scale);
}

/* Whether a window along the last axis contains a sample that is not finite, in any channel. */
__device__ __forceinline__ bool is_contaminated(const Job &job, const X *line, int p)
{
    const Axis &axis = job.axes[LAST];
    const SUM fill = Fill<SUM>::of(job);
    for (int k = 0; k < axis.taps; k++) {
        const int s = line ? sample_at(axis.stride * p + axis.dilation * k - axis.before, axis) : -1;
        for (int channel = 0; channel < (s < 0 ? 1 : job.channels); channel++) {
            const SUM value = s < 0 ? fill : (SUM)line[channel * job.channel_x + s * axis.x];
            if (magnitude(value) >= INFINITE) return true;
        }
    }
    return false;
}

__device__ __noinline__ void mark_windows(const Transform &task, word image)
{
    const Job &job = task.job;
    const int outputs = job.axes[LAST].outputs;
    word size = outputs;
#pragma unroll
    for (int d = 0; d < LAST; d++) size *= reached(job.axes[d]);
    for (word at = blockIdx.x * (word)blockDim.x + threadIdx.x; at < size; at += (word)gridDim.x * blockDim.x) {
        word number = at / outputs;
        const X *line = image_of(job, image);
        bool is_fill = false;
#pragma unroll
        for (int d = LAST - 1; d >= 0; d--) {
            const Axis &axis = job.axes[d];
            const int s = sample_at((int)(number % reached(axis)) - axis.before, axis);
            number /= reached(axis);
            is_fill |= s < 0;
            line += (s < 0 ? 0 : s) * axis.x;
        }
        task.marks[image * size + at] = is_contaminated(job, is_fill ? nullptr : line, (int)(at % outputs));
    }
}

extern "C" __global__ void __launch_bounds__(256) KERNEL(const __grid_constant__ Transform task)
{
    const word images = (word)task.job.batch * task.job.groups;
    const Bits *const summary = (const Bits *)task.x_summary;
    for (word image = blockIdx.y; image < images; image += gridDim.y) {
        const int exponent = scale_exponent(summary[image]);
        if (exponent) scale_samples(task, image, power(exponent));
        if (summary[images + image]) mark_windows(task, image);
    }
}
