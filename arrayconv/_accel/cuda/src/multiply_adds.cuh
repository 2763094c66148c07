/* Multiply-adds of registers and nothing else: how many a card computes in a second. No method runs this.

   Every thread computes `batch` rounds of ROUND multiply-adds for each of SUMS sums, and writes their total. */
#include "job.cuh"
#define SUMS 8
#define ROUND 32

extern "C" __global__ void __launch_bounds__(256) KERNEL(const __grid_constant__ Job job)
{
    const int thread = blockIdx.x * 256 + threadIdx.x;
    const SUM factor = (SUM)job.fill_real, term = (SUM)job.fill_imag;
    SUM sums[SUMS], total = SUM();
#pragma unroll
    for (int i = 0; i < SUMS; i++) sums[i] = (SUM)(thread + i);
    for (int round = 0; round < job.batch; round++) {
#pragma unroll
        for (int step = 0; step < ROUND; step++) {
#pragma unroll
            for (int i = 0; i < SUMS; i++) sums[i] = sums[i] * factor + term;
        }
    }
#pragma unroll
    for (int i = 0; i < SUMS; i++) total += sums[i];
    ((SUM *)job.y)[thread] = total;
}
