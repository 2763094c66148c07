/* The loops of one kind of element at one level: included by level.h. T is an element, or a part of a complex one. */

#define NAME(what) AT_LEVEL(AND(what, KIND))
#define LANES (VECTOR / SIZE)
#define V NAME(vector)

typedef T V __attribute__((vector_size(VECTOR)));
typedef T NAME(unaligned) __attribute__((vector_size(VECTOR), aligned(SIZE), may_alias));

INLINE V NAME(load)(const T *from) { return *(const NAME(unaligned) *)from; }

INLINE void NAME(store)(T *to, V value) { *(NAME(unaligned) *)to = value; }

/* The same of the first `count` elements, one or more; the others are zeros, and not touched. */
#if VECTOR == 64
#define LOW_BITS(count) (~0ULL >> (64 - (count)))
#if SIZE == 8
#define LOAD_SOME(from, count) ((V)_mm512_maskz_loadu_epi64((__mmask8)LOW_BITS(count), from))
#define STORE_SOME(to, value, count) _mm512_mask_storeu_epi64(to, (__mmask8)LOW_BITS(count), (__m512i)(value))
#elif SIZE == 4
#define LOAD_SOME(from, count) ((V)_mm512_maskz_loadu_epi32((__mmask16)LOW_BITS(count), from))
#define STORE_SOME(to, value, count) _mm512_mask_storeu_epi32(to, (__mmask16)LOW_BITS(count), (__m512i)(value))
#elif SIZE == 2
#define LOAD_SOME(from, count) ((V)_mm512_maskz_loadu_epi16((__mmask32)LOW_BITS(count), from))
#define STORE_SOME(to, value, count) _mm512_mask_storeu_epi16(to, (__mmask32)LOW_BITS(count), (__m512i)(value))
#else
#define LOAD_SOME(from, count) ((V)_mm512_maskz_loadu_epi8((__mmask64)LOW_BITS(count), from))
#define STORE_SOME(to, value, count) _mm512_mask_storeu_epi8(to, (__mmask64)LOW_BITS(count), (__m512i)(value))
#endif
#elif VECTOR == 32 && SIZE == 8
#define BELOW(count) _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3))
#define LOAD_SOME(from, count) ((V)_mm256_maskload_epi64((const long long *)(from), BELOW(count)))
#define STORE_SOME(to, value, count) _mm256_maskstore_epi64((long long *)(to), BELOW(count), (__m256i)(value))
#elif VECTOR == 32 && SIZE == 4
#define BELOW(count) _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define LOAD_SOME(from, count) ((V)_mm256_maskload_epi32((const int *)(from), BELOW(count)))
#define STORE_SOME(to, value, count) _mm256_maskstore_epi32((int *)(to), BELOW(count), (__m256i)(value))
#endif

INLINE V NAME(load_some)(const T *from, word count)
{
#if defined(LOAD_SOME)
    return LOAD_SOME(from, count);
#else
    V value = {0};
    for (word lane = 0; lane < count; lane++) value[lane] = from[lane];
    return value;
#endif
}

INLINE void NAME(store_some)(T *to, V value, word count)
{
#if defined(STORE_SOME)
    STORE_SOME(to, value, count);
#else
    for (word lane = 0; lane < count; lane++) to[lane] = value[lane];
#endif
}

INLINE V NAME(splat)(T value) { return value - (V){0}; }

INLINE T NAME(times)(T a, T b) { return (T)((WIDE)a * (WIDE)b); }

#include "rows.h"
#if defined(HAS_TILES)
#include "tiles.h"
#include "images.h"
#endif

#undef NAME
#undef LANES
#undef V
#undef LOW_BITS
#undef BELOW
#undef LOAD_SOME
#undef STORE_SOME
#undef PARTS
#undef TOGETHER
#undef MOST_VECTORS
#undef SHARED_VECTORS
#undef KIND
#undef T
#undef SIZE
#undef WIDE
#undef IS_COMPLEX
#undef HAS_TILES
