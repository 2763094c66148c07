/* What filters.h needs at every level: dtypes, the blocks of a table, the places of windows. */

/* Number, name and type of the dtypes that x and y may have. */
#define NUMBERS(X)                                                                                                     \
    X(0, int8, int8_t)                                                                                                 \
    X(1, uint8, uint8_t)                                                                                               \
    X(2, int16, int16_t)                                                                                               \
    X(3, uint16, uint16_t)                                                                                             \
    X(4, int32, int32_t)                                                                                               \
    X(5, uint32, uint32_t)                                                                                             \
    X(6, int64, int64_t)                                                                                               \
    X(7, uint64, uint64_t)                                                                                             \
    X(8, float32, float)                                                                                               \
    X(9, float64, double)

/* Those of one and of two bytes. */
#define SHORT_NUMBERS(X)                                                                                               \
    X(0, int8, int8_t)                                                                                                 \
    X(1, uint8, uint8_t)                                                                                               \
    X(2, int16, int16_t)                                                                                               \
    X(3, uint16, uint16_t)

#define UNALIGNED(n, name, type) typedef type unaligned_##name __attribute__((aligned(1), may_alias));
NUMBERS(UNALIGNED)
#undef UNALIGNED

/* Conversions of rounded doubles. */
#define NUMBER_int8(value) (int8_t)(value)
#define NUMBER_uint8(value) (uint8_t)(value)
#define NUMBER_int16(value) (int16_t)(value)
#define NUMBER_uint16(value) (uint16_t)(value)
#define NUMBER_int32(value) (int32_t)(value)
#define NUMBER_uint32(value) (uint32_t)(value)
#define NUMBER_int64(value) (int64_t)(value)
#define NUMBER_uint64(value) wrapped_uint64(value)
#define NUMBER_float32(value) (float)(value)
#define NUMBER_float64(value) (value)

/* Return a number cut toward zero and wrapped; what no 64 bits contain as 0 above and as 1 << 63 below. */
static inline uint64_t wrapped_uint64(double value)
{
    if (value >= 0x1p63) return value < 0x1p64 ? (uint64_t)value : 0;
    return (uint64_t)(value >= -0x1p63 ? (int64_t)value : INT64_MIN);
}

#define BYTES(n, name, type) sizeof(type),
static const word NUMBER_BYTES[] = {NUMBERS(BYTES)};
#undef BYTES

/* ROUNDING: how a double becomes a number of y: as it is; as a float; an integer by way of int32, int64 or uint64. */
enum { ROUND_none, ROUND_float, ROUND_narrow, ROUND_wide, ROUND_unsigned };
/* SUM: products rounded, in the order of the terms; with fused multiplications; in any order; equal weights of a mean.
   The last two are those of SUM_any with symmetric and antisymmetric weights. */
enum { SUM_ordered, SUM_fused, SUM_any, SUM_mean, SUM_mirrored, SUM_opposed };
/* COMBINE: the results of chains, as their sum, or as the root of the sum of their squares; none of a single chain. */
enum { COMBINE_none, COMBINE_sum, COMBINE_length };

#define FEW_TERMS 8        /* of a mean, up to which one sum of all costs less than sums of sums */
#define ROW_NUMBERS 1280   /* of a row of a block, with the padding, at most */
#define MAX_FILTER_AXES 64 /* as in NumPy */
#define LINE_BYTES 64 /* of a line of the cache */
#define STRIP 128          /* numbers: those of many rows fit the L1 cache */

typedef struct {
    const filters_table *table;
    const number_format *format, *wrapped;
    const filter_axis *axes;
    const filter_pass *passes;
    const word *positions, *border;
    const char *x;
    char *y;
    void *memory;
    void *row; /* of outputs of the last pass */
    void *w;   /* of all passes, in the order of their terms */
    word *offsets;
    double fill[2]; /* its parts where elements are complex */
    word x_bytes, y_bytes;
} filter_job;

/* A block of outputs: for every axis its first output, its outputs, and the samples of their windows; rows are padded
   to whole lines of the cache, and to an odd number of them, so that rows below each other are in different sets. */
typedef struct {
    word first[MAX_FILTER_AXES], outputs[MAX_FILTER_AXES], size[MAX_FILTER_AXES], padding;
} filter_block;

static const number_format UNROUNDED = {ROUND_none, 0, 0, 0};

static double double_of(word bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Read a table, whose sums are numbers of so many bytes; return memory for all buffers, or NULL. */
static void *start_filters(filter_job *job, const void *x, void *y, const void *tables, double fill, size_t bytes)
{
    const filters_table *table = job->table = tables;
    job->format = (const number_format *)(table + 1);
    job->wrapped = job->format + 1;
    job->axes = (const filter_axis *)(job->wrapped + 1);
    job->passes = (const filter_pass *)(job->axes + table->axes);
    job->positions = (const word *)(job->passes + table->chains * table->passes);
    job->x = (const char *)x + table->x_start;
    job->y = (char *)y + table->y_start;
    job->x_bytes = NUMBER_BYTES[table->x_number];
    job->y_bytes = NUMBER_BYTES[table->y_number];
    job->fill[0] = fill;
    job->fill[1] = double_of(table->fill_second);
    word terms = 0;
    for (word pass = 0; pass < table->chains * table->passes; pass++) terms += job->passes[pass].terms;
    job->border = job->positions + terms * table->axes;
    const size_t numbers = (size_t)(3 * table->scratch + table->total) * bytes;
    char *memory = malloc(numbers + ROW_NUMBERS * bytes + (size_t)terms * (sizeof(word) + bytes) + 2 * LINE_BYTES);
    if (memory == NULL) return NULL;
    job->memory = memory;
    char *buffers = memory + LINE_BYTES - (uintptr_t)memory % LINE_BYTES;
    job->offsets = (word *)(buffers + (numbers + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES);
    job->row = job->offsets + terms;
    job->w = (char *)job->row + ROW_NUMBERS * bytes;
    return buffers;
}

/* Return the sample at a position of an extended axis, -1 for the fill. */
static word filtered_sample(word position, const filter_axis *along, const word *border)
{
    if (position < 0) return border[along->border - 1 - position];
    if (position >= along->size) return border[along->border + along->border_before + position - along->size];
    return position;
}

/* Set the place of a block. */
static void place_block(const filter_job *job, word number, word line_numbers, filter_block *block)
{
    for (word n = job->table->axes - 1; n >= 0; n--) {
        const filter_axis *along = job->axes + n;
        const word blocks = (along->outputs + along->block - 1) / along->block;
        block->first[n] = number % blocks * along->block;
        block->outputs[n] = min_word(along->block, along->outputs - block->first[n]);
        block->size[n] = block->outputs[n] + along->taps - 1;
        number /= blocks;
    }
    const word last = job->table->axes - 1, each = job->table->each;
    const word line = each > line_numbers ? 1 : line_numbers / each;
    word size = (block->size[last] + line - 1) / line * line;
    if (size / line % 2 == 0 && size / line >= 8) size += line;
    block->padding = size - block->size[last];
    block->size[last] = size;
}

/* List the steps of a dense buffer. */
static void list_steps(const filter_job *job, const word *size, word *step)
{
    word each = job->table->each;
    for (word n = job->table->axes - 1; n >= 0; each *= size[n], n--) step[n] = each;
}

/* Go on to the next row, of so many along each axis before the last; return whether there is one. */
static int next_row(word *index, const word *rows, word last)
{
    word n = last - 1;
    for (; n >= 0 && ++index[n] == rows[n]; n--) index[n] = 0;
    return n >= 0;
}

/* Return where a row of outputs begins in y. */
static char *output_at(const filter_job *job, const filter_block *block, const word *index)
{
    const word last = job->table->axes - 1;
    char *y = job->y + block->first[last] * job->axes[last].y_step;
    for (word n = 0; n < last; n++) y += (block->first[n] + index[n]) * job->axes[n].y_step;
    return y;
}

/* List the offset of every term's sample from that of an output. */
static void list_offsets(const filter_job *job, const filter_pass *pass, const word *step)
{
    const word axes = job->table->axes, *position = job->positions + pass->positions;
    for (word term = 0; term < pass->terms; term++) {
        job->offsets[term] = 0;
        for (word n = 0; n < axes; n++) job->offsets[term] += *position++ * step[n];
    }
}
