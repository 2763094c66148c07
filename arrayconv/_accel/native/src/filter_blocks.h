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

#define BYTE_NUMBERS(X)                                                                                                \
    X(0, int8, int8_t)                                                                                                 \
    X(1, uint8, uint8_t)

#define FLOAT_NUMBERS(X) X(8, float32, float)

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

/* ROUNDING: how a double becomes a number of y: as it is; as a float; an integer by way of int32, int64 or uint64; cut
   to an integer that y is known to contain. */
enum { ROUND_none, ROUND_float, ROUND_narrow, ROUND_wide, ROUND_unsigned, ROUND_cut };
#define MAX_ROUNDINGS 8
/* SUM: products rounded, in the order of the terms; with fused multiplications; in any order; equal weights of a mean.
   The last two are those of SUM_any with symmetric and antisymmetric weights. */
enum { SUM_ordered, SUM_fused, SUM_any, SUM_mean, SUM_mirrored, SUM_opposed };
/* Combinations of both that sums_float64.h and sums_whole.h are compiled for. */
#define ORDERLESS_CASES(X, rounding) X(SUM_fused, rounding) X(SUM_mirrored, rounding) X(SUM_opposed, rounding)
#define ROUNDED_CASES(X, how)                                                                                          \
    X(how, ROUND_none) X(how, ROUND_float) X(how, ROUND_narrow) X(how, ROUND_wide) X(how, ROUND_unsigned)
#define DOUBLE_CASES(X)                                                                                                \
    ROUNDED_CASES(X, SUM_ordered) ROUNDED_CASES(X, SUM_mean) X(SUM_mean, ROUND_cut) ORDERLESS_CASES(X, ROUND_none)     \
    ORDERLESS_CASES(X, ROUND_float) ORDERLESS_CASES(X, ROUND_wide) ORDERLESS_CASES(X, ROUND_unsigned)
#define FLOAT_CASES(X) X(SUM_mean, ROUND_none) ORDERLESS_CASES(X, ROUND_none)
#define INTEGER_CASES FLOAT_CASES
#define MEAN_CASES(X) X(SUM_mean, ROUND_none)
/* How numbers are stored between passes. */
enum { SUMS_float64, SUMS_float32, SUMS_int32, SUMS_uint16, SUMS_uint8 };
/* COMBINE: the results of chains, as their sum, or as the root of the sum of their squares; none of a single chain. */
enum { COMBINE_none, COMBINE_sum, COMBINE_length };

#define FEW_TERMS 8        /* of a mean, up to which one sum of all costs less than sums of sums */
#define MANY_TERMS 100     /* of a mean, from which sums of sums of sums cost less than sums of sums */
#define ROW_NUMBERS 1536   /* of a row of a block, with the padding, at most */
#define FLOAT32 8          /* of NUMBERS */
#define LAST_SHORT 3       /* of NUMBERS, of two bytes */
#define LAST_INTEGER 7     /* of NUMBERS */
#define MOST_WHOLE (1 << 21) /* of sums in int32 */
#define WHOLE_BYTES 4      /* of integers whose sums a double contains, of so many terms */
#define WHOLE_TERMS (1 << 20)
#define MAX_FILTER_AXES 64 /* as in NumPy */
#define LONG_ROWS 128      /* whose sums of sums are formed at a time, or as many as the window has */
#define WIDE_TERMS 64      /* of a mean, up to which those of several vectors of columns are formed at a time */
#define ROW_PADDING 128    /* numbers of it, at most */
#define LINE_BYTES 64 /* of a line of the cache */
#define MAX_ROWS 7    /* of a window that is summed row by row */
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
    word *offsets, *edge_offsets; /* of windows, and of those beyond the ends of x */
    void *sums; /* of means of many samples, two levels */
    void *line;     /* a row of samples as numbers of the sums */
    word sums_size; /* numbers of each level */
    double fill[2]; /* its parts where elements are complex */
    word x_bytes, y_bytes;
    int is_x_stored, is_y_stored; /* whether rows are contiguous numbers as in the buffers */
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

static size_t whole_lines(size_t bytes) { return (bytes + LINE_BYTES - 1) / LINE_BYTES * LINE_BYTES; }

/* Whether all passes are means of few integers that y contains, all of two bytes at most, whose sums are small. */
static int has_small_means(const filters_table *table, double fill)
{
    const number_format *format = (const number_format *)(table + 1);
    const filter_axis *axes = (const filter_axis *)(format + 2);
    const filter_pass *passes = (const filter_pass *)(axes + table->axes);
    if (format->rounding != ROUND_cut || table->x_number > LAST_SHORT || table->y_number > LAST_SHORT) return 0;
    word most = 0;
    for (word n = 0; n < table->passes; n++) most = max_word(most, passes[n].terms);
    return most <= MOST_WHOLE >> 16 && fill == (double)(int32_t)fill;
}

/* Return how a table's numbers are stored. float32 arrays are stored as floats, where those contain the fill too. */
static int sums_of(const filters_table *table, double fill)
{
    const double second = double_of(table->fill_second);
    if (!table->is_uint16) {
        const int is_float = table->x_number == FLOAT32 && table->y_number == FLOAT32;
        const int fits = fill == (double)(float)fill && second == (double)(float)second;
        if (has_small_means(table, fill)) return SUMS_int32;
        return is_float && fits ? SUMS_float32 : SUMS_float64;
    }
    return NUMBER_BYTES[table->x_number] == 1 && NUMBER_BYTES[table->y_number] == 1 ? SUMS_uint8 : SUMS_uint16;
}

/* Return the numbers of a line. */
static word line_size(const filter_job *job, word vector_numbers)
{
    const filter_axis *last = job->axes + job->table->axes - 1;
    return (last->block + last->taps + ROW_PADDING) * job->table->each + 4 * vector_numbers;
}

/* Return the numbers of the sums of each level of a mean of many samples. */
static word sums_size(const filter_job *job, word vector_numbers)
{
    word most = 0;
    for (word n = 0; n < job->table->axes; n++) {
        const word taps = job->axes[n].taps;
        const word strip = max_word(4 * (LONG_ROWS + WIDE_TERMS), LONG_ROWS + 2 * taps) * vector_numbers;
        if (taps > FEW_TERMS) most = max_word(most, max_word(line_size(job, vector_numbers), strip));
    }
    return most;
}

/* Read a table, whose numbers are of so many bytes, and their sums; return memory for all buffers, or NULL. */
static void *start_filters(filter_job *job, const void *x, void *y, const void *tables, double fill, size_t bytes,
                           size_t sum_bytes, word lanes)
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
    job->sums_size = sums_size(job, lanes);
    const size_t sizes[] = {(size_t)(3 * table->scratch + table->total) * bytes,
                            (size_t)(2 * job->sums_size) * sum_bytes,
                            (size_t)(2 * terms) * sizeof(word),
                            ROW_NUMBERS * bytes,
                            (size_t)terms * sum_bytes,
                            (size_t)line_size(job, lanes) * sum_bytes};
    size_t total = LINE_BYTES;
    for (int n = 0; n < 6; n++) total += whole_lines(sizes[n]);
    char *memory = malloc(total), *parts[6];
    if (memory == NULL) return NULL;
    job->memory = memory;
    parts[0] = memory + LINE_BYTES - (uintptr_t)memory % LINE_BYTES;
    for (int n = 1; n < 6; n++) parts[n] = parts[n - 1] + whole_lines(sizes[n - 1]);
    job->sums = parts[1];
    job->offsets = (word *)parts[2];
    job->edge_offsets = job->offsets + terms;
    job->row = parts[3];
    job->w = parts[4];
    job->line = parts[5];
    return parts[0];
}

/* Note whether rows of x and of y can be read and written in place; where all addresses are multiples of `bytes`. */
static void mark_stored(filter_job *job, word bytes, int is_x, int is_y)
{
    const word axes = job->table->axes, each = job->table->each;
    is_x &= (uintptr_t)job->x % (uintptr_t)bytes == 0 && job->axes[axes - 1].x_step == each * bytes;
    is_y &= (uintptr_t)job->y % (uintptr_t)bytes == 0 && job->axes[axes - 1].y_step == each * bytes;
    for (word n = 0; n < axes; n++) {
        is_x &= job->axes[n].x_step % bytes == 0;
        is_y &= job->axes[n].y_step % bytes == 0;
    }
    job->is_x_stored = is_x;
    job->is_y_stored = is_y;
}

/* Whether a pass reads what an earlier one computed from a fill that is not 0: where positions beyond the ends of an
   axis are filled before the first pass alone. */
static int filters_fill(const filter_job *job, const filter_axis *along)
{
    const word after = along->outputs + along->taps - 1 - along->before - along->size;
    if (along->is_constant || (job->fill[0] == 0 && job->fill[1] == 0)) return 0;
    for (word n = 0; n < along->border_before + max_word(after, 0); n++)
        if (job->border[along->border + n] < 0) return 1;
    return 0;
}

/* Whether the rows of a window along the columns exceed the nearest cache: means are sums of few rows each. */
static int has_many_rows(const filter_job *job)
{
    if (job->table->axes < 2) return 0;
    const filter_axis *rows = job->axes + job->table->axes - 2;
    return rows->number >= 0 && rows->taps > MAX_ROWS && job->passes[rows->number].how != SUM_mean;
}

/* Whether a single chain filters no axis before the last two, and few rows at a time, so that rows go through it one
   after the other. */
static int filters_rows(const filter_job *job)
{
    if (job->table->combine != COMBINE_none || has_many_rows(job)) return 0;
    for (word n = 0; n < job->table->axes; n++)
        if (filters_fill(job, job->axes + n)) return 0;
    for (word n = 0; n < job->table->axes - 2; n++)
        if (job->axes[n].number >= 0) return 0;
    return 1;
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
static void list_offsets(const filter_job *job, const filter_pass *pass, const word *step, word *offsets)
{
    const word axes = job->table->axes, *position = job->positions + pass->positions;
    for (word term = 0; term < pass->terms; term++) {
        offsets[term] = 0;
        for (word n = 0; n < axes; n++) offsets[term] += *position++ * step[n];
    }
}
