/* One axis of any number of taps; no stride, no dilation.

   A block of 128 threads reads the samples of PLACES x 512 outputs and CHUNK taps into shared memory, chunk by chunk and
   channel by channel. A thread sums 4 adjacent outputs in each place: 4 taps, loaded once, multiply samples of all. */
#include "job.cuh"
#include "four.cuh"
#define THREADS 128
#define PLACE (4 * THREADS)
#define CHUNK 256
typedef SUM Sums[PLACES][4];

/* Add N taps to the sums; `a` are the first four samples of each place. */
template <int N> __device__ __forceinline__ void add_taps(Sums &sums, Four (&a)[PLACES], const SUM *from, const SUM *taps)
{
    const Four factors = four(taps);
#pragma unroll
    for (int place = 0; place < PLACES; place++) {
        const Four b = four(from + place * PLACE + 4);
        SUM samples[8];
        join(samples, a[place], b);
        add_four<N>(sums[place], samples, factors);
        a[place] = b;
    }
}

/* Add the taps of a chunk: the samples of this thread begin at `from`. */
__device__ __forceinline__ void add_chunk(Sums &sums, const SUM *from, const SUM *taps, int count)
{
    Four a[PLACES];
#pragma unroll
    for (int place = 0; place < PLACES; place++) a[place] = four(from + place * PLACE);
    int k = 0;
#pragma unroll 1
    for (; k + 4 <= count; k += 4) add_taps<4>(sums, a, from + k, taps + k);
    if (count - k == 3) add_taps<3>(sums, a, from + k, taps + k);
    else if (count - k == 2) add_taps<2>(sums, a, from + k, taps + k);
    else if (count - k == 1) add_taps<1>(sums, a, from + k, taps + k);
}

/* Read `count` taps, and the samples that they multiply, extended. */
__device__ __forceinline__ void read_chunk(SUM *samples, SUM *taps, const X *x, const W *w, const Axis &axis, int first, int count, SUM fill)
{
    for (int k = threadIdx.x; k < count; k += THREADS) taps[k] = (SUM)w[k * axis.w];
    const int width = PLACES * PLACE + count - 1;
    const bool is_inside = first >= 0 && first + width <= axis.size;
    for (int i = threadIdx.x; i < width; i += THREADS) {
        const int s = is_inside ? first + i : sample_at(first + i, axis);
        samples[i] = s < 0 ? fill : (SUM)x[s * axis.x];
    }
}

extern "C" __global__ void __launch_bounds__(128, 5) KERNEL(const __grid_constant__ Job job)
{
    alignas(16) __shared__ SUM samples[PLACES * PLACE + CHUNK + 4];
    alignas(16) __shared__ SUM taps[CHUNK];
    const Axis &axis = job.axes[0];
    const SUM fill = Fill<SUM>::of(job);
    const int left = blockIdx.x * (PLACES * PLACE), own = threadIdx.x * 4;
    const word images = (word)job.batch * job.groups * job.filters;
    for (word number = blockIdx.z; number < images; number += gridDim.z) {
        const Image image = image_at(job, number);
        Sums sums;
#pragma unroll
        for (int place = 0; place < PLACES; place++)
#pragma unroll
            for (int l = 0; l < 4; l++) sums[place][l] = SUM();
        for (int channel = 0; channel < job.channels; channel++) {
            const X *x = image.x + channel * job.channel_x;
            const W *w = image.w + channel * job.channel_w;
#pragma unroll 1
            for (int k = 0; k < axis.taps; k += CHUNK) {
                const int count = least(CHUNK, axis.taps - k);
                __syncthreads(); /* until the last chunk is no longer read */
                read_chunk(samples, taps, x, w + k * axis.w, axis, left + k - axis.before, count, fill);
                __syncthreads();
                add_chunk(sums, samples + own, taps, count);
            }
        }
#pragma unroll
        for (int place = 0; place < PLACES; place++)
#pragma unroll
            for (int l = 0; l < 4; l++) {
                const int p = left + place * PLACE + own + l;
                if (p < axis.outputs) image.y[p * axis.y] = (Y)sums[place][l];
            }
    }
}
