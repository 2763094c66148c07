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

/* Writes the blocks [first, stop) of y for x, w, a table and the fill. Returns 0, or 1 where there is no memory. */
typedef int loop(const void *, const void *, void *, const void *, double, word, word);
typedef loop *by_kind[KIND_COUNT];

#define INTERFACE 5 /* of the arguments and tables; loader.py names the one it speaks */
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

/* What one output meets of an axis: the position of its first tap, and how many there are. */
typedef lead_phase met;

/* Return where a plane of samples begins that a tap of the axes before the last two meets, after x_at; `is_fill` where
   that is beyond the ends. */
static word plane_at(word x_at, word tap, word leads, const axis *lead, const met *meets, const word *border,
                     int *is_fill)
{
    *is_fill = 0;
    for (word n = leads - 1; n >= 0; n--) {
        const word sample = sample_at(meets[n].first + lead[n].dilation * (tap % meets[n].taps), lead + n, border);
        tap /= meets[n].taps;
        *is_fill |= sample < 0;
        x_at += sample * lead[n].x_step;
    }
    return x_at;
}

#define LEVEL any
#include "level.h"
#if defined(__x86_64__)
#define LEVEL avx2
#include "level.h"
#define LEVEL avx512
#include "level.h"
#endif

#define CODE_ENTRY(level) CODE_##level,
static const by_kind *const CODE_AT[] = {LEVELS(CODE_ENTRY)};

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

/* Run the loop of a head and its table as a level has it. */
static int run_loop(const loop_head *head, word level, const void *x, const void *w, void *y, word first, word stop)
{
    double fill;
    memcpy(&fill, &head->fill, sizeof fill);
    return CODE_AT[level][head->loop][head->kind](x, w, y, head + 1, fill, first, stop);
}

/* Write the blocks [first, stop) of a loop's outputs. Returns 0, or 1 where there is no memory. */
EXPORTED int arrayconv_blocks(const void *x, const void *w, void *y, const loop_head *head, word first, word stop)
{
    return run_loop(head, head->level, x, w, y, first, stop);
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
    const loop_head *own = (const loop_head *)(pad + head->pad_axes);
    const int failed = arrayconv_blocks(x, w, y, own, 0, own->units);
    free(room);
    return failed;
}

#include "xla.h"
