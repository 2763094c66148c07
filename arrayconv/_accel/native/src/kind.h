/* The loops of one kind of element at one level. level.h defines KIND and includes this file, which is empty where
   KINDS has no such row. */

#if KIND < KIND_COUNT
#define SIZE (0 KINDS(SIZE_OF))
#define PARTS (0 KINDS(PARTS_OF))
#define T PASTE(element, KIND)
#define PRODUCT PASTE(product, KIND)
#define NAME(what) PASTE(AT_LEVEL(what), KIND)
#define LANES (VECTOR / SIZE)
#define V NAME(vector)

typedef T V __attribute__((vector_size(VECTOR)));
typedef T NAME(unaligned) __attribute__((vector_size(VECTOR), aligned(SIZE), may_alias));

INLINE V NAME(load)(const T *from) { return *(const NAME(unaligned) *)from; }

INLINE void NAME(store)(T *to, V value) { *(NAME(unaligned) *)to = value; }

/* Load or store the first `count` >= 1 elements alone: the others are zeros, and their memory is not touched. */
#if VECTOR == 64
#define LOW_BITS(count) (~0ULL >> (64 - (count)))
#if SIZE == 8
#define LOAD_COUNT(from, count) ((V)_mm512_maskz_loadu_epi64((__mmask8)LOW_BITS(count), from))
#define STORE_COUNT(to, value, count) _mm512_mask_storeu_epi64(to, (__mmask8)LOW_BITS(count), (__m512i)(value))
#elif SIZE == 4
#define LOAD_COUNT(from, count) ((V)_mm512_maskz_loadu_epi32((__mmask16)LOW_BITS(count), from))
#define STORE_COUNT(to, value, count) _mm512_mask_storeu_epi32(to, (__mmask16)LOW_BITS(count), (__m512i)(value))
#elif SIZE == 2
#define LOAD_COUNT(from, count) ((V)_mm512_maskz_loadu_epi16((__mmask32)LOW_BITS(count), from))
#define STORE_COUNT(to, value, count) _mm512_mask_storeu_epi16(to, (__mmask32)LOW_BITS(count), (__m512i)(value))
#else
#define LOAD_COUNT(from, count) ((V)_mm512_maskz_loadu_epi8((__mmask64)LOW_BITS(count), from))
#define STORE_COUNT(to, value, count) _mm512_mask_storeu_epi8(to, (__mmask64)LOW_BITS(count), (__m512i)(value))
#endif
#elif VECTOR == 32 && SIZE == 8
#define BELOW(count) _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3))
#define LOAD_COUNT(from, count) ((V)_mm256_maskload_epi64((const long long *)(from), BELOW(count)))
#define STORE_COUNT(to, value, count) _mm256_maskstore_epi64((long long *)(to), BELOW(count), (__m256i)(value))
#elif VECTOR == 32 && SIZE == 4
#define BELOW(count) _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define LOAD_COUNT(from, count) ((V)_mm256_maskload_epi32((const int *)(from), BELOW(count)))
#define STORE_COUNT(to, value, count) _mm256_maskstore_epi32((int *)(to), BELOW(count), (__m256i)(value))
#endif

INLINE V NAME(load_count)(const T *from, word count)
{
#if defined(LOAD_COUNT)
    return LOAD_COUNT(from, count);
#else
    V value = {0};
    for (word lane = 0; lane < count; lane++) value[lane] = from[lane];
    return value;
#endif
}

INLINE void NAME(store_count)(T *to, V value, word count)
{
#if defined(STORE_COUNT)
    STORE_COUNT(to, value, count);
#else
    for (word lane = 0; lane < count; lane++) to[lane] = value[lane];
#endif
}

INLINE V NAME(splat)(T value) { return value - (V){0}; }

INLINE T NAME(times)(T a, T b) { return (T)((PRODUCT)a * (PRODUCT)b); }

/* The fill from its word in a loop_head: the number itself if the kind is one of integers, which 0.5 shows. */
static inline T NAME(fill_of)(word fill) { return (T)0.5 == 0 ? (T)fill : (T)double_of(fill); }

#include "rows.h"
#if 0 KINDS(IMAGES_OF)
#include "window_copy.h"
#include "images.h"
#endif
#if 0 KINDS(TILED_OF)
#include "tiles.h"
#include "dots.h"
#include "gaps.h"
#include "winograd_tiles.h"
#include "winograd.h"
#include "winograd_dots.h"
#endif

#undef SIZE
#undef PARTS
#undef T
#undef PRODUCT
#undef NAME
#undef LANES
#undef V
#undef LOW_BITS
#undef BELOW
#undef LOAD_COUNT
#undef STORE_COUNT
#undef FILTERS_PER_PASS
#undef HALVES
#undef MAX_VECTORS
#undef SHARED_VECTORS
#undef GAP_FLAGS
#endif
#undef KIND
