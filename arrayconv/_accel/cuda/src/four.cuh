/* Four adjacent outputs of a thread: samples and taps are loaded four at a time, 16 bytes of a 4-byte type. */

struct alignas(16) Four {
    SUM at[4];
};

__device__ __forceinline__ Four four(const SUM *from) { return *(const Four *)from; }

/* Add the products of N taps and 8 adjacent samples to four sums. */
template <int N> __device__ __forceinline__ void add_four(SUM (&sums)[4], const SUM (&samples)[8], const Four &taps)
{
#pragma unroll
    for (int j = 0; j < N; j++)
#pragma unroll
        for (int l = 0; l < 4; l++) add_product(sums[l], taps.at[j], samples[j + l]);
}

__device__ __forceinline__ void join(SUM (&samples)[8], const Four &a, const Four &b)
{
#pragma unroll
    for (int l = 0; l < 4; l++) {
        samples[l] = a.at[l];
        samples[4 + l] = b.at[l];
    }
}
