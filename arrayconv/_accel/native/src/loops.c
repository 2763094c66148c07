/* Convolution as machine code: native_loops, native_tiles, native_images and their XLA counterparts call it. Nothing
   here depends on Python. Start with README.md.

   hatch_build.py builds it with any compiler that supports C11 with atomics and GNU vector extensions (on Windows
   clang or zig: MSVC does not support the latter) into a library without dependencies. The loops are compiled for every
   level of processors in kinds.h; the caller passes the level of its machine. They work on memory that the caller owns
   and keep no state but the machine's level and the loops that threads share, so threads may run them in parallel. */

#include <math.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>

#include "processor.h"
#endif

#include "tables.h"
#include "xla_ffi.h"

#include "kinds.h"

/* Writes the blocks [first, stop) of y for x, w, a table and the fill. Returns 0, 1 if memory can't be allocated, or 2
   if it stopped at an output that is not finite. */
typedef int loop(const void *, const void *, void *, const void *, word, word, word);
typedef loop *by_kind[KIND_COUNT];

#define INTERFACE 11 /* version of the arguments and tables; loader.py has the one it supports */
#define TILE_ROWS 6 /* rows of outputs in a tile: with 15 factors they fill the registers of the widest processors */
#define MAX_FILTERS 6 /* in a pass */
#define TAP_ROWS 5  /* in a pass, at most */
#define TAP_COLUMNS 3
#define DOT_FILTERS 4 /* in a unit of dot products */
#define DOT_MAX_COLUMNS 9
#define GAP_VECTORS 4 /* of outputs whose samples and masks are summed at a time */
#define STRIDED_CHUNK 256 /* outputs summed at a time where they or their samples are strided */

#define PASTE_TOKENS(a, b) a##_##b
#define PASTE(a, b) PASTE_TOKENS(a, b)

#if defined(__clang__)
#define UNROLLED _Pragma("clang loop unroll(full)")
#else
#define UNROLLED _Pragma("GCC unroll 16")
#endif

/* Keep a value in a register: otherwise compilers load a sample again for each sum that uses it. */
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

static word min_word(word a, word b) { return a < b ? a : b; }

static word max_word(word a, word b) { return a > b ? a : b; }

/* Return how many filters one pass sums: six with two vectors each fill the registers; fewer where that leaves few
   over. */
static word filters_per_pass(word filters)
{
    return filters < 4 ? 1 : filters < 6 || filters == 8 || filters == 9 ? 4 : 6;
}

/* Return the sample at a position of an extended axis, -1 for the fill. */
static word sample_at(word position, const axis *along, const word *border)
{
    if (position < 0) return border[along->border - 1 - position];
    if (position >= along->size) return border[along->border + along->border_before + position - along->size];
    return position;
}

/* The window of one output along an axis: the position of its first tap, and the number of taps. */
typedef lead_phase window;

/* Return the offset of the plane of samples that a tap of the axes before the last two multiplies, counted on from x_at;
   set `is_fill` where it is beyond the ends. */
static word plane_at(word x_at, word tap, word leads, const axis *lead, const window *windows, const word *border,
                     int *is_fill)
{
    *is_fill = 0;
    for (word n = leads - 1; n >= 0; n--) {
        const word sample = sample_at(windows[n].first + lead[n].dilation * (tap % windows[n].taps), lead + n, border);
        tap /= windows[n].taps;
        *is_fill |= sample < 0;
        x_at += sample * lead[n].x_step;
    }
    return x_at;
}

#include "filter_blocks.h"

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
#define SOURCES 0 /* hatch_build.py's digest of these files, which identifies a library of other sources */
#endif
EXPORTED word arrayconv_sources(void) { return SOURCES; }

/* Return the highest level that this machine supports. It is read once: in a virtual machine that takes tens of
   microseconds, and XLA's calls need it each time. Threads that read it at the same time read the same. */
EXPORTED int arrayconv_level(void)
{
    static _Atomic int known = -1;
    int level = atomic_load_explicit(&known, memory_order_relaxed);
    if (level >= 0) return level;
#define COUNT_LEVEL(name) \
    if (HAS_##name) level++;
    LEVELS(COUNT_LEVEL)
    atomic_store_explicit(&known, level, memory_order_relaxed);
    return level;
}

/* The tables as "name:field,field,;...", the dtypes of the kinds and the levels, in order. Python compares the tables
   with its own. */
EXPORTED const char *arrayconv_tables(void)
{
#define TABLE_TEXT(name, fields) #name ":" fields(NAMED) ";"
    return TABLES(TABLE_TEXT);
}

EXPORTED const char *arrayconv_numbers(void)
{
#define NUMBER_TEXT(n, name, type) #name ";"
    return NUMBERS(NUMBER_TEXT);
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

/* Run the loop that a head names, compiled for `level`. */
static int run_loop(const loop_head *head, word level, const void *x, const void *w, void *y, word first, word stop)
{
    return CODE_AT[level][head->loop][head->kind](x, w, y, head + 1, head->fill, first, stop);
}

/* Write the blocks [first, stop) of a loop's outputs. Returns what the loop does. */
EXPORTED int arrayconv_blocks(const void *x, const void *w, void *y, const loop_head *head, word first, word stop)
{
    return run_loop(head, head->level, x, w, y, first, stop);
}

#include "team.h"

/* Copy samples and pad them with zeros, along one axis and those after it. */
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
    const size_t after = before + (size_t)length * each;
    memset(copy + after, 0, bytes - after);
}

/* Copy element `from` of w to element `to` of a copy. Of a known size that is no call. */
static inline void copy_element(char *copy, word to, const char *w, word from, size_t itemsize)
{
    if (itemsize == 4) memcpy(copy + 4 * to, w + 4 * from, 4);
    else if (itemsize == 8) memcpy(copy + 8 * to, w + 8 * from, 8);
    else memcpy(copy + (size_t)to * itemsize, w + (size_t)from * itemsize, itemsize);
}

/* Copy factors, with each run of `taps` of them reversed. */
static void reverse_taps(char *copy, const char *w, word factors, word taps, size_t itemsize)
{
    for (word first = 0; first < factors; first += taps)
        for (word tap = 0; tap < taps; tap++) copy_element(copy, first + tap, w, first + taps - 1 - tap, itemsize);
}

/* Copy the factors at `indices`. */
static void gather_factors(char *copy, const char *w, const word *indices, word count, size_t itemsize)
{
    for (word i = 0; i < count; i++) copy_element(copy, i, w, indices[i], itemsize);
}

/* Run a whole call: pad x with zeros, reverse or gather the kernel, and run a loop over every block. Returns 1 if memory
   can't be allocated, else what the loop does. */
EXPORTED int arrayconv_call(const char *x, const char *w, void *y, const call_head *head)
{
    const pad_axis *pad = (const pad_axis *)(head + 1);
    const size_t itemsize = (size_t)head->itemsize;
    size_t bytes = head->pad_axes ? itemsize : 0;
    for (word axis = 0; axis < head->pad_axes; axis++) bytes *= (size_t)pad[axis].size;
    const word copies = head->taps || head->gathered || bytes;
    char *scratch = copies ? malloc(bytes + (size_t)head->factors * itemsize) : NULL;
    if (scratch == NULL && copies) return 1;
    x += head->x_start * head->itemsize;
    if (bytes) {
        zero_pad(scratch, bytes, x, pad, head->pad_axes, itemsize);
        x = scratch;
    }
    const word *indices = (const word *)(pad + head->pad_axes);
    if (head->gathered) gather_factors(scratch + bytes, w, indices, head->gathered, itemsize);
    else if (head->taps) reverse_taps(scratch + bytes, w, head->factors, head->taps, itemsize);
    if (head->gathered || head->taps) w = scratch + bytes;
    const loop_head *loop_table = (const loop_head *)(indices + head->gathered);
    const int failed = head->threads > 1 ? share(x, w, y, loop_table, head->threads, head->chunks,
                                                 (parallel *)(uintptr_t)head->openmp)
                                         : arrayconv_blocks(x, w, y, loop_table, 0, loop_table->units);
    free(scratch);
    return failed;
}

typedef uint32_t float_bits __attribute__((may_alias));
typedef uint64_t double_bits __attribute__((may_alias));

/* Return whether all of `count` floats of `itemsize` bytes, 4 or 8, are finite: whether an exponent has a zero bit. */
EXPORTED int arrayconv_finite(const void *x, word count, word itemsize)
{
    const uint32_t float_exponent = 0x7f800000u, double_exponent = 0x7ff00000u;
    uint32_t bad = 0;
    if (itemsize == 4)
        for (word i = 0; i < count; i++)
            bad |= (((const float_bits *)x)[i] & float_exponent) == float_exponent;
    else
        for (word i = 0; i < count; i++)
            bad |= ((uint32_t)(((const double_bits *)x)[i] >> 32) & double_exponent) == double_exponent;
    return !bad;
}

/* Add a number for each channel to y (outer, channels, inner), of floats of `itemsize` bytes, 4 or 8. */
EXPORTED void arrayconv_add(void *y, const void *each, word outer, word channels, word inner, word itemsize)
{
#define ADD(type)                                                                                                      \
    for (word n = 0; n < outer * channels; n++) {                                                                      \
        type *row = (type *)y + n * inner;                                                                             \
        const type number = ((const type *)each)[n % channels];                                                        \
        for (word i = 0; i < inner; i++) row[i] += number;                                                             \
    }
    if (itemsize == 4) ADD(float)
    else ADD(double)
#undef ADD
}

#include "fold.h"
#include "xla.h"
