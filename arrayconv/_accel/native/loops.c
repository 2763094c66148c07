/* Convolution as machine code: what native_loops, native_tiles, native_images and their XLA counterparts call. Nothing
   here knows of Python. README.md is the way in.

   Built by hatch_build.py, with any compiler that has C11 with its atomics and GNU's vector extensions (clang-cl on
   Windows, MSVC has not the latter), into a library without dependencies. The loops are compiled for every level of
   processors in kinds.h; the caller says which level its machine has. They are functions of memory that the caller owns
   and keep nothing, so threads may run them side by side. */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "tables.h"
#include "xla_ffi.h"

#include "kinds.h"

typedef void rows_of_kind(const void *, const void *, void *, const rows_table *, word, word);
typedef int tiles_of_kind(const void *, const void *, void *, const void *, double, word, word);

#define INTERFACE 4 /* of the arguments and tables; _native.py names the one it speaks */
#define TILE_ROWS 6 /* of outputs at a time: with 15 factors they fill the registers of the widest processors */
#define MOST_FILTERS 6 /* of the same samples at a time */
#define TAP_ROWS 5  /* of a pass, at most */
#define TAP_COLUMNS 3
#define CHUNK 256 /* outputs that are summed together where they or their samples are apart */

#define JOIN(a, b) a##_##b
#define AND(a, b) JOIN(a, b)

#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif

/* Keep a value in a register: compilers would else load a sample again for each sum that it enters. */
#if defined(__x86_64__)
#define IN_REGISTER(value) __asm__("" : "+v"(value))
#elif defined(__aarch64__)
#define IN_REGISTER(value) __asm__("" : "+w"(value))
#else
#define IN_REGISTER(value)
#endif

#if defined(_WIN32)
#define EXPORTED __declspec(dllexport)
#else
#define EXPORTED __attribute__((visibility("default")))
#endif

static word least(word a, word b) { return a < b ? a : b; }

static word most(word a, word b) { return a > b ? a : b; }

/* How many filters of some are summed together: six with two vectors each fill the registers, and few are left alone. */
static word filters_per_pass(word filters)
{
    return filters < 4 ? 1 : filters < 6 || filters == 8 || filters == 9 ? 4 : 6;
}

/* Return the sample that stands at a position of an extended axis, -1 for the fill. */
static word sample_at(word position, const axis *along, const word *border)
{
    if (position < 0) return border[along->border - 1 - position];
    if (position >= along->size) return border[along->border + along->border_before + position - along->size];
    return position;
}

#define LEVEL any
#include "level.h"
#if defined(__x86_64__)
#define LEVEL avx2
#include "level.h"
#define LEVEL avx512
#include "level.h"
#endif

#define ROWS_ENTRY(level) ROWS_##level,
#define TILES_ENTRY(level) TILES_##level,
#define IMAGES_ENTRY(level) IMAGES_##level,
static rows_of_kind *const *const ROWS_AT[] = {LEVELS(ROWS_ENTRY)};
static tiles_of_kind *const *const TILES_AT[] = {LEVELS(TILES_ENTRY)};
static tiles_of_kind *const *const IMAGES_AT[] = {LEVELS(IMAGES_ENTRY)};

EXPORTED int arrayconv_interface(void) { return INTERFACE; }

#ifndef SOURCES
#define SOURCES 0 /* what hatch_build.py counts of these files: a library of earlier ones is told by it */
#endif
EXPORTED word arrayconv_sources(void) { return SOURCES; }

/* The highest level that this machine has. */
EXPORTED int arrayconv_level(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    int level = -1;
#define COUNT_LEVEL(name) \
    if (HAS_##name) level++;
    LEVELS(COUNT_LEVEL)
    return level;
}

/* The tables as "name:field,field,;...", the kinds' dtypes and the levels in their order: what Python has them compared
   with. */
EXPORTED const char *arrayconv_tables(void)
{
#define TABLE_TEXT(name, fields) #name ":" fields(NAMED) ";"
    return TABLES(TABLE_TEXT);
}

EXPORTED const char *arrayconv_kinds(void)
{
#define KIND_TEXT(n, dtypes, ...) dtypes ";"
    return KINDS(KIND_TEXT);
}

EXPORTED const char *arrayconv_levels(void)
{
#define LEVEL_TEXT(name) #name ";"
    return LEVELS(LEVEL_TEXT);
}

/* Write the blocks [first, stop) of rows of outputs: see rows.h. */
EXPORTED void arrayconv_rows(int level, int kind, const void *x, const void *w, void *y, const rows_table *table,
                             word first, word stop)
{
    ROWS_AT[level][kind](x, w, y, table, first, stop);
}

/* Write the blocks [first, stop) of tiles of outputs: see tiles.h. Returns 0, or 1 where there is no memory. */
EXPORTED int arrayconv_tiles(int level, int kind, const void *x, const void *w, void *y, const tiles_table *table,
                             double fill, word first, word stop)
{
    return TILES_AT[level][kind](x, w, y, table, fill, first, stop);
}

/* Write the blocks [first, stop) of images of outputs: see images.h. Returns 0, or 1 where there is no memory. */
EXPORTED int arrayconv_images(int level, int kind, const void *x, const void *w, void *y, const images_table *table,
                              double fill, word first, word stop)
{
    return IMAGES_AT[level][kind](x, w, y, table, fill, first, stop);
}

/* The same of any loop. */
static int run_loop(word loop, word level, word kind, const void *x, const void *w, void *y, const void *table,
                    word fill_bits, word first, word stop)
{
    double fill;
    memcpy(&fill, &fill_bits, sizeof fill);
    switch (loop) {
    case LOOP_tiles: return TILES_AT[level][kind](x, w, y, table, fill, first, stop);
    case LOOP_images: return IMAGES_AT[level][kind](x, w, y, table, fill, first, stop);
    default: ROWS_AT[level][kind](x, w, y, table, first, stop); return 0;
    }
}

/* Copy samples among zeros along one axis and those after it. */
static void zero_pad(char *copy, size_t bytes, const char *x, const pad_axis *along, word axes, size_t itemsize)
{
    const size_t each = bytes / (size_t)along->size, before = (size_t)along->start * each;
    const word length = along->samples;
    memset(copy, 0, before);
    if (axes == 1) memcpy(copy + before, x, (size_t)length * itemsize);
    else
        for (word i = 0; i < length; i++)
            zero_pad(copy + before + (size_t)i * each, each, x + i * along->x_step * (word)itemsize, along + 1,
                     axes - 1, itemsize);
    const size_t done = before + (size_t)length * each;
    memset(copy + done, 0, bytes - done);
}

/* Copy factors, each run of `taps` of them in reverse. */
static void reverse_taps(char *copy, const char *w, word factors, word taps, size_t itemsize)
{
    for (word first = 0; first < factors; first += taps)
        for (word tap = 0; tap < taps; tap++)
            memcpy(copy + (size_t)(first + tap) * itemsize, w + (size_t)(first + taps - 1 - tap) * itemsize, itemsize);
}

/* Do all of a call: extend x by zeros, reverse the kernel, and run a loop over every block. Returns 0, or 1 where there
   is no memory. */
EXPORTED int arrayconv_call(const char *x, const char *w, void *y, const call_head *head)
{
    const pad_axis *pad = (const pad_axis *)(head + 1);
    const size_t itemsize = (size_t)head->itemsize;
    size_t bytes = head->pad_axes ? itemsize : 0;
    for (word axis = 0; axis < head->pad_axes; axis++) bytes *= (size_t)pad[axis].size;
    char *room = head->taps || bytes ? malloc(bytes + (size_t)head->factors * itemsize) : NULL;
    if (room == NULL && (head->taps || bytes)) return 1;
    x += head->x_start * head->itemsize;
    if (bytes) {
        zero_pad(room, bytes, x, pad, head->pad_axes, itemsize);
        x = room;
    }
    if (head->taps) {
        reverse_taps(room + bytes, w, head->factors, head->taps, itemsize);
        w = room + bytes;
    }
    const int failed =
        run_loop(head->loop, head->level, head->kind, x, w, y, pad + head->pad_axes, head->fill, 0, head->units);
    free(room);
    return failed;
}

#include "xla.h"
