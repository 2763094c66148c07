/* Convolution as machine code: what native_loops and native_tiles call. Nothing here knows of Python.

   Built by hatch_build.py, with any compiler that has GNU's vector extensions, into a library without dependencies.
   The loops are compiled for every level of processors below; the caller says which level its machine has. They are
   functions of memory that the caller owns and keep nothing, so threads may run them side by side. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

typedef int64_t word;

/* One convolved axis, as _tiles.py describes it. */
typedef struct {
    word size, first, low; /* samples; where its own in `beyond` begin, and how many of those come before x */
    word before, outputs, taps, stride, dilation;
    word in_x, in_y; /* how far one step moves */
} axis;

/* An axis of native/images.h: `before` counts samples before x that blocks begin at; steps are those within a phase. */
typedef struct {
    axis along;
    word period; /* outputs p, p + period and so on meet the same taps */
} phased;

typedef void rows_of_kind(const void *, const void *, void *, const word *, word, word);
typedef int tiles_of_kind(const void *, const void *, void *, const word *, double, word, word);

#define INTERFACE 3 /* of the arguments and tables; _native.py names the one it speaks */
#define ROWS 6      /* of outputs at a time: with 15 factors they fill the registers of the widest processors */
#define MOST_FILTERS 6 /* of the same samples at a time */
#define TAP_ROWS 5  /* of a pass, at most */
#define TAP_COLUMNS 3
#define CHUNK 256 /* outputs that are summed together where they or their samples are apart */

#define JOIN(a, b) a##_##b
#define AND(a, b) JOIN(a, b)
#define AT_LEVEL(what) AND(what, LEVEL)
#define INLINE TARGET static inline __attribute__((always_inline))

#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif

/* Keep a value in a register: compilers would else load a sample again for each sum that it enters. */
#if defined(__x86_64__)
#define HELD(value) __asm__("" : "+v"(value))
#elif defined(__aarch64__)
#define HELD(value) __asm__("" : "+w"(value))
#else
#define HELD(value)
#endif

static word least(word a, word b) { return a < b ? a : b; }

/* How many of some filters are summed together: six with two vectors each fill the registers, and few are left alone. */
static word together(word filters) { return filters < 4 ? 1 : filters < 6 || filters == 8 || filters == 9 ? 4 : 6; }

static word most(word a, word b) { return a > b ? a : b; }

/* Return the sample that stands at a position of an extended axis, -1 for the fill. */
static word sample_at(word position, const axis *along, const word *beyond)
{
    if (position < 0) return beyond[along->first - 1 - position];
    if (position >= along->size) return beyond[along->first + along->low + position - along->size];
    return position;
}

#define LEVEL any
#define TARGET
#define VECTOR 16
#include "level.h"

#if defined(__x86_64__)
#define LEVEL avx2
#define TARGET __attribute__((target("avx2,fma")))
#define VECTOR 32
#include "level.h"

#define LEVEL avx512
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define VECTOR 64
#include "level.h"
#endif

#if defined(_WIN32)
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

EXPORTED int arrayconv_interface(void) { return INTERFACE; }

#ifndef SOURCES
#define SOURCES 0 /* what hatch_build.py counts of these files: a library of earlier ones is told by it */
#endif
EXPORTED word arrayconv_sources(void) { return SOURCES; }

/* The highest level that this machine has: 0 for any, 1 for AVX2 with FMA, 2 for AVX-512. */
EXPORTED int arrayconv_level(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
        return 2;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
    return 0;
}

#if defined(__x86_64__)
static rows_of_kind *const *const ROWS_AT[] = {ROWS_OF_any, ROWS_OF_avx2, ROWS_OF_avx512};
static tiles_of_kind *const *const TILES_AT[] = {TILES_OF_any, TILES_OF_avx2, TILES_OF_avx512};
static tiles_of_kind *const *const IMAGES_AT[] = {IMAGES_OF_any, IMAGES_OF_avx2, IMAGES_OF_avx512};
#else
static rows_of_kind *const *const ROWS_AT[] = {ROWS_OF_any};
static tiles_of_kind *const *const TILES_AT[] = {TILES_OF_any};
static tiles_of_kind *const *const IMAGES_AT[] = {IMAGES_OF_any};
#endif

/* Write the blocks [first, stop) of rows of outputs: see rows.h. */
EXPORTED void arrayconv_rows(int level, int kind, const void *x, const void *w, void *y, const word *table, word first,
                             word stop)
{
    ROWS_AT[level][kind](x, w, y, table, first, stop);
}

/* Write the blocks [first, stop) of tiles of outputs: see tiles.h. Returns 0, or 1 where there is no memory. */
EXPORTED int arrayconv_tiles(int level, int kind, const void *x, const void *w, void *y, const word *table, double fill,
                             word first, word stop)
{
    return TILES_AT[level][kind](x, w, y, table, fill, first, stop);
}

/* Write the blocks [first, stop) of images of outputs: see images.h. Returns 0, or 1 where there is no memory. */
EXPORTED int arrayconv_images(int level, int kind, const void *x, const void *w, void *y, const word *table, double fill,
                              word first, word stop)
{
    return IMAGES_AT[level][kind](x, w, y, table, fill, first, stop);
}

/* Copy samples among zeros. Each axis is four words: its size, where x begins, how many samples, one step in x. */
static void among_zeros(char *copy, size_t bytes, const char *x, const word *sizes, word axes, size_t element)
{
    const size_t each = bytes / (size_t)sizes[0], before = (size_t)sizes[1] * each;
    const word length = sizes[2];
    memset(copy, 0, before);
    if (axes == 1) memcpy(copy + before, x, (size_t)length * element);
    else
        for (word i = 0; i < length; i++)
            among_zeros(copy + before + (size_t)i * each, each, x + i * sizes[3] * (word)element, sizes + 4, axes - 1,
                        element);
    const size_t done = before + (size_t)length * each;
    memset(copy + done, 0, bytes - done);
}

/* Copy factors, each run of `taps` of them in reverse. */
static void turned(char *copy, const char *w, word factors, word taps, size_t element)
{
    for (word first = 0; first < factors; first += taps)
        for (word tap = 0; tap < taps; tap++)
            memcpy(copy + (size_t)(first + tap) * element, w + (size_t)(first + taps - 1 - tap) * element, element);
}

/* Do all of a call: extend x by zeros, turn the kernel around, and run a loop over every block. The table: level, kind,
   the bits of the fill; bytes of an element; whether the loop is that of tiles; its blocks; how many factors, and of how
   many each run is turned around, 0 for none; where x begins; how many axes x is extended along, 0 for none, then those
   as above; the loop's table. Returns 0, or 1 where there is no memory. */
EXPORTED int arrayconv_call(const char *x, const char *w, void *y, const word *table)
{
    const word level = table[0], kind = table[1], is_tiles = table[4], blocks = table[5];
    const size_t element = (size_t)table[3];
    const word factors = table[6], taps = table[7], axes = table[9], *sizes = table + 10;
    double fill;
    memcpy(&fill, table + 2, sizeof fill);
    size_t bytes = axes ? element : 0;
    for (word axis = 0; axis < axes; axis++) bytes *= (size_t)sizes[4 * axis];
    char *room = taps || bytes ? malloc(bytes + (size_t)factors * element) : NULL;
    if (room == NULL && (taps || bytes)) return 1;
    x += table[8] * (word)element;
    if (bytes) {
        among_zeros(room, bytes, x, sizes, axes, element);
        x = room;
    }
    if (taps) {
        turned(room + bytes, w, factors, taps, element);
        w = room + bytes;
    }
    int failed = 0;
    if (is_tiles) failed = TILES_AT[level][kind](x, w, y, sizes + 4 * axes, fill, 0, blocks);
    else ROWS_AT[level][kind](x, w, y, sizes + 4 * axes, 0, blocks);
    free(room);
    return failed;
}

#include "xla.h"
