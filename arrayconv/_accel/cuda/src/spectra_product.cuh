/* The product of spectra, summed over channels and divided by the number of points, which the inverse then need not do.
   With one channel and one filter it may be written over the spectrum of x. */
#include "spectra.cuh"

extern "C" __global__ void __launch_bounds__(256) KERNEL(const __grid_constant__ Transform task)
{
    const Job &job = task.job;
    const word frequencies = task.frequencies, rows = (word)job.batch * job.groups * job.filters;
    const PART factor = (PART)task.factor;
    for (word row = blockIdx.y; row < rows; row += gridDim.y) {
        const word image = row / job.filters, filter = image % job.groups * job.filters + row % job.filters;
        const Frequency *const a = (const Frequency *)task.spectrum + image * job.channels * frequencies;
        const Frequency *const b = (const Frequency *)task.kernel + filter * job.channels * frequencies;
        Frequency *const to = (Frequency *)task.product + row * frequencies;
        for (word f = blockIdx.x * (word)blockDim.x + threadIdx.x; f < frequencies; f += (word)gridDim.x * blockDim.x) {
            Frequency sum = {0, 0};
            for (int channel = 0; channel < job.channels; channel++)
                add_product(sum, a[channel * frequencies + f], b[channel * frequencies + f]);
            to[f] = scaled(sum, factor);
        }
    }
}
