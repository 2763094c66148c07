/* The loops of one level of processors, for every kind of element. loops.c defines LEVEL and includes this file. */

#define AT_LEVEL(name) PASTE(name, LEVEL)
#define VECTOR PASTE(BYTES, LEVEL)
#define TARGET PASTE(TARGET, LEVEL)
#define INLINE TARGET static inline __attribute__((always_inline))

#define KIND 0
#include "kind.h"
#define KIND 1
#include "kind.h"
#define KIND 2
#include "kind.h"
#define KIND 3
#include "kind.h"
#define KIND 4
#include "kind.h"
#define KIND 5
#include "kind.h"
#define KIND 6
#include "kind.h"
#define KIND 7
#include "kind.h"
#define KIND 8
#include "kind.h"
#define KIND 9
#include "kind.h"
#define KIND 10
#include "kind.h"
#define KIND 11
#include "kind.h"

#define SN(name) PASTE(AT_LEVEL(name), SUMS)
#define SUMS float64
#define S double
#define STORED_AS NUMBERS
#define SUMMED_CASES DOUBLE_CASES
#include "sums_float64.h"
#include "filters.h"
#undef VECTOR
/* Conversions between float and double of 64 bytes take more than twice as long as those of 32. */
#define VECTOR (PASTE(BYTES, LEVEL) > 32 ? 32 : PASTE(BYTES, LEVEL))
#define SUMS float32
#define S float
#define STORED_AS FLOAT_NUMBERS
#define SUMMED_CASES FLOAT_CASES
#include "sums_float64.h"
#include "filters.h"
#undef VECTOR
#define VECTOR PASTE(BYTES, LEVEL)
#if VECTOR == 64
#define WIDEN(from) _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(from)))
#define NARROW(to, value) _mm256_storeu_si256((__m256i *)(to), _mm512_cvtepi16_epi8((__m512i)(value)))
#elif VECTOR == 32
#define WIDEN(from) _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(from)))
#endif
#define SUMS uint8
#define S uint8_t
#define A uint16_t
#define STORED_AS BYTE_NUMBERS
#define SUMMED_CASES INTEGER_CASES
#include "sums_whole.h"
#include "filters.h"
#define SUMS uint16
#define S uint16_t
#define A uint16_t
#define STORED_AS SHORT_NUMBERS
#define SUMMED_CASES INTEGER_CASES
#include "sums_whole.h"
#include "filters.h"
#define SUMS int32
#define S int32_t
#define A int32_t
#define STORED_AS SHORT_NUMBERS
#define SUMMED_CASES MEAN_CASES
#define IN_FLOAT
#include "sums_whole.h"
#include "filters.h"
#undef IN_FLOAT

/* Write the blocks [first, stop) of outputs. */
static int AT_LEVEL(filters)(const void *x, const void *w, void *y, const void *table, word bits, word first,
                             word stop)
{
    const double fill = double_of(bits);
    switch (sums_of(table, fill)) {
        case SUMS_uint8: return PASTE(AT_LEVEL(filters), uint8)(x, w, y, table, fill, first, stop);
        case SUMS_int32: return PASTE(AT_LEVEL(filters), int32)(x, w, y, table, fill, first, stop);
        case SUMS_uint16: return PASTE(AT_LEVEL(filters), uint16)(x, w, y, table, fill, first, stop);
        case SUMS_float32: return PASTE(AT_LEVEL(filters), float32)(x, w, y, table, fill, first, stop);
    }
    return PASTE(AT_LEVEL(filters), float64)(x, w, y, table, fill, first, stop);
}

#define ROWS_ENTRY(n, ...) [n] = PASTE(AT_LEVEL(rows), n),
#define TILES_ENTRY(n, dtypes, t, size, product, parts, in_images, tiled, ...) ENTRY_##tiled(n, tiles)
#define IMAGES_ENTRY(n, dtypes, t, size, product, parts, in_images, ...) ENTRY_##in_images(n, images)
#define DOTS_ENTRY(n, dtypes, t, size, product, parts, in_images, tiled, ...) ENTRY_##tiled(n, dots)
#define GAPS_ENTRY(n, dtypes, t, size, product, parts, in_images, tiled, ...) ENTRY_##tiled(n, gaps)
#define WINOGRAD_ENTRY(n, dtypes, t, size, product, parts, in_images, tiled, ...) ENTRY_##tiled(n, winograd)
#define WINOGRAD_KERNELS_ENTRY(n, dtypes, t, size, product, parts, in_images, tiled, ...)                              \
    ENTRY_##tiled(n, winograd_kernels)
#define WINOGRAD_DOTS_ENTRY(n, dtypes, t, size, product, parts, in_images, tiled, ...) ENTRY_##tiled(n, winograd_dots)
#define FILTERS_ENTRY(n, ...) [n] = AT_LEVEL(filters), /* which has the dtypes in its table */
#define ENTRY_0(n, name)
#define ENTRY_1(n, name) [n] = PASTE(AT_LEVEL(name), n),
static const by_kind AT_LEVEL(CODE)[LOOP_COUNT] = {
    [LOOP_rows] = {KINDS(ROWS_ENTRY)}, [LOOP_tiles] = {KINDS(TILES_ENTRY)}, [LOOP_images] = {KINDS(IMAGES_ENTRY)},
    [LOOP_filters] = {KINDS(FILTERS_ENTRY)}, [LOOP_dots] = {KINDS(DOTS_ENTRY)},
    [LOOP_gaps] = {KINDS(GAPS_ENTRY)}, [LOOP_winograd] = {KINDS(WINOGRAD_ENTRY)},
    [LOOP_winograd_kernels] = {KINDS(WINOGRAD_KERNELS_ENTRY)}, [LOOP_winograd_dots] = {KINDS(WINOGRAD_DOTS_ENTRY)}};

#undef ROWS_ENTRY
#undef TILES_ENTRY
#undef IMAGES_ENTRY
#undef FILTERS_ENTRY
#undef DOTS_ENTRY
#undef GAPS_ENTRY
#undef WINOGRAD_ENTRY
#undef WINOGRAD_KERNELS_ENTRY
#undef WINOGRAD_DOTS_ENTRY
#undef ENTRY_0
#undef ENTRY_1
#undef SN
#undef AT_LEVEL
#undef VECTOR
#undef TARGET
#undef INLINE
#undef LEVEL
