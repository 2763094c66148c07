/* What the processor and the system support, read from the processor itself: the compilers' __builtin_cpu_supports needs
   a run-time library that some of them (zig) link without initializing it, so that it denies every feature. */

#include <cpuid.h>

#define FMA (1u << 12) /* leaf 1, ecx */
#define OSXSAVE (1u << 27)
#define AVX (1u << 28)
#define AVX2 (1u << 5) /* leaf 7, ebx */
#define AVX512_F_DQ_BW_VL (1u << 16 | 1u << 17 | 1u << 30 | 1u << 31)
#define YMM_STATE 0x06u /* the registers that the system saves, in xcr0 */
#define ZMM_STATE 0xe6u

/* Return whether the processor has AVX, FMA and all `features` of leaf 7, and the system saves `state`. */
static int processor_has(unsigned features, unsigned state)
{
    unsigned a, b, c, d, saved, high;
    const unsigned basic = FMA | OSXSAVE | AVX;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & basic) != basic) return 0;
    __asm__ volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
    if ((saved & state) != state) return 0;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & features) == features;
}
