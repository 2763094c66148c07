/* Chains of passes over blocks that stay in cache, included once per level. A pass sums windows along some axes of what
   the passes before it wrote:

       z[i] = rounded(scale * sum over terms t of  w[t] * x[i + offset[t]])

   A block of outputs and the samples of all its windows are converted to doubles, every pass runs from one buffer to
   another, and the last one is converted to the dtype of y. Between passes numbers are rounded as if they had been
   stored as that dtype. Several chains of the same samples may be added, as they are or squared. */

#define SUM_VECTORS 6 /* in registers at a time */
#define LANES (VECTOR / 8)
#define D AT_LEVEL(doubles)
#define I AT_LEVEL(longs)
#define N AT_LEVEL(ints)

typedef double D __attribute__((vector_size(VECTOR)));
typedef double AT_LEVEL(unaligned_doubles) __attribute__((vector_size(VECTOR), aligned(8), may_alias));
typedef int64_t I __attribute__((vector_size(VECTOR)));
typedef uint64_t AT_LEVEL(unsigned_longs) __attribute__((vector_size(VECTOR)));
typedef int32_t N __attribute__((vector_size(VECTOR / 2)));
typedef float AT_LEVEL(floats) __attribute__((vector_size(VECTOR / 2)));

INLINE D AT_LEVEL(load_doubles)(const double *from) { return *(const AT_LEVEL(unaligned_doubles) *)from; }

/* Store a vector, or its first `count` numbers. */
INLINE void AT_LEVEL(store_count)(double *to, D value, word count)
{
    if (count >= LANES) *(AT_LEVEL(unaligned_doubles) *)to = value;
    else
        for (word lane = 0; lane < count; lane++) to[lane] = value[lane];
}

INLINE D AT_LEVEL(splat_double)(double value) { return value - (D){0}; }

INLINE D AT_LEVEL(select)(I mask, D yes, D no) { return (D)(((I)yes & mask) | ((I)no & ~mask)); }

/* Return numbers as they are read again from an array of the dtype: integers are cut toward zero and wrap. What an int32
   (ROUND_narrow) or an int64 (ROUND_wide) does not contain is its lowest number first. */
INLINE D AT_LEVEL(rounded)(D value, const word rounding, const number_format *format)
{
    if (rounding == ROUND_none) return value;
    if (rounding == ROUND_float) return __builtin_convertvector(__builtin_convertvector(value, AT_LEVEL(floats)), D);
    const double half = rounding == ROUND_narrow ? 0x1p31 : 0x1p63;
    const D lowest = AT_LEVEL(splat_double)(-half), limit = AT_LEVEL(splat_double)(half);
    if (rounding == ROUND_unsigned) { /* the upper half has the bits of the negative numbers */
        const D wrapped = AT_LEVEL(select)(value < 0x1p64, value - 0x1p64, (D){0});
        value = AT_LEVEL(select)(value >= limit, wrapped, value);
    }
    value = AT_LEVEL(select)((value >= lowest) & (value < limit), value, lowest);
    if (rounding == ROUND_narrow) {
        N whole = __builtin_convertvector(value, N);
        whole = format->is_signed ? (whole << format->shift) >> format->shift : whole & (int)format->mask;
        return __builtin_convertvector(whole, D);
    }
    const I whole = __builtin_convertvector(value, I);
    if (rounding == ROUND_unsigned)
        return __builtin_convertvector((AT_LEVEL(unsigned_longs))whole, D);
    if (!format->is_signed) return __builtin_convertvector(whole & (int64_t)format->mask, D);
    return __builtin_convertvector((whole << (32 + format->shift)) >> (32 + format->shift), D);
}

/* Form sums of `vectors` vectors. SUM_ordered rounds every product and adds them in the order of the terms;
   SUM_mirrored and SUM_opposed add or subtract the samples of equal and of opposite factors of an odd number first. */
INLINE void AT_LEVEL(form_sums)(D *sums, const double *x, const word *offsets, const double *w, word terms,
                                const int vectors, const int how)
{
    const word half = terms / 2;
    if (how == SUM_mirrored || how == SUM_opposed) {
        const D factor = AT_LEVEL(splat_double)(w[half]);
        UNROLLED
        for (int v = 0; v < vectors; v++)
            sums[v] = how == SUM_mirrored ? factor * AT_LEVEL(load_doubles)(x + offsets[half] + v * LANES) : (D){0};
        for (word t = 0; t < half; t++) {
            const double *from = x + offsets[t], *opposite = x + offsets[terms - 1 - t];
            const D each = AT_LEVEL(splat_double)(w[t]);
            UNROLLED
            for (int v = 0; v < vectors; v++) {
                const D a = AT_LEVEL(load_doubles)(from + v * LANES), b = AT_LEVEL(load_doubles)(opposite + v * LANES);
                sums[v] += each * (how == SUM_mirrored ? a + b : a - b);
            }
        }
        return;
    }
    UNROLLED
    for (int v = 0; v < vectors; v++)
        sums[v] = AT_LEVEL(splat_double)(*w) * AT_LEVEL(load_doubles)(x + *offsets + v * LANES);
    for (word t = 1; t < terms; t++) {
        const double *from = x + offsets[t];
        const D factor = AT_LEVEL(splat_double)(w[t]);
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            D product = factor * AT_LEVEL(load_doubles)(from + v * LANES);
            if (how == SUM_ordered) IN_REGISTER(product);
            sums[v] += product;
        }
    }
}

/* Write `count` outputs of a pass. Up to a vector beyond the last sample is read. */
INLINE void AT_LEVEL(write_sums)(double *y, const double *x, const word *offsets, const double *w, word terms,
                                 word count, const int how, const word rounding, const number_format *format)
{
    D sums[SUM_VECTORS];
    word j = 0;
    for (; j + SUM_VECTORS * LANES <= count; j += SUM_VECTORS * LANES) {
        AT_LEVEL(form_sums)(sums, x + j, offsets, w, terms, SUM_VECTORS, how);
        for (int v = 0; v < SUM_VECTORS; v++)
            *(AT_LEVEL(unaligned_doubles) *)(y + j + v * LANES) = AT_LEVEL(rounded)(sums[v], rounding, format);
    }
    for (; j < count; j += LANES) {
        AT_LEVEL(form_sums)(sums, x + j, offsets, w, terms, 1, how);
        AT_LEVEL(store_count)(y + j, AT_LEVEL(rounded)(*sums, rounding, format), count - j);
    }
}

TARGET static void AT_LEVEL(sum_windows)(double *y, const double *x, const word *offsets, const double *w, word terms,
                                         word count, word how, const number_format *format)
{
    /* compiled for each way to sum and to round: neither is decided in a loop */
#define ROUNDED_CASE(how, rounding)                                                                                    \
    case rounding: AT_LEVEL(write_sums)(y, x, offsets, w, terms, count, how, rounding, format); break;
#define SUM_CASE(how)                                                                                                  \
    case how:                                                                                                          \
        switch (format->rounding) {                                                                                    \
            ROUNDED_CASE(how, ROUND_none) ROUNDED_CASE(how, ROUND_float) ROUNDED_CASE(how, ROUND_narrow)               \
            ROUNDED_CASE(how, ROUND_wide) ROUNDED_CASE(how, ROUND_unsigned)                                            \
        }                                                                                                              \
        break;
    switch (how) {
        SUM_CASE(SUM_ordered) SUM_CASE(SUM_fused) SUM_CASE(SUM_mirrored) SUM_CASE(SUM_opposed)
    }
#undef SUM_CASE
#undef ROUNDED_CASE
}

/* Divide sums and round them; whole numbers by a product that is cut like the exact quotient. */
TARGET static void AT_LEVEL(divide)(double *y, word count, const filter_pass *pass, const number_format *format)
{
    const double divisor = double_of(pass->divisor), raise = double_of(pass->raises);
    const word multiplies = pass->multiplies, rounding = format->rounding;
    for (word j = 0; j < count; j += LANES) {
        const D sums = AT_LEVEL(load_doubles)(y + j);
        AT_LEVEL(store_count)(y + j, AT_LEVEL(rounded)(multiplies ? sums * raise : sums / divisor * raise, rounding, format), count - j);
    }
}

/* Write or add numbers. */
TARGET static void AT_LEVEL(add_run)(double *to, const double *from, word count, int adds)
{
    word j = 0;
    for (; j + LANES <= count; j += LANES) {
        D value = AT_LEVEL(load_doubles)(from + j);
        if (adds) value += AT_LEVEL(load_doubles)(to + j);
        *(AT_LEVEL(unaligned_doubles) *)(to + j) = value;
    }
    for (; j < count; j++) to[j] = adds ? to[j] + from[j] : from[j];
}

/* Write the sums of windows of `taps` numbers, `step` apart, by sums of 1, 2, 4, ... neighbours, which replace x. */
TARGET static void AT_LEVEL(sum_neighbours)(double *y, double *x, word step, word taps, word count)
{
    word start = 0, ready = count + (taps - 1) * step; /* sums in x */
    for (word width = 1;; width *= 2) {
        if (taps & width) {
            AT_LEVEL(add_run)(y, x + start * step, count, start > 0);
            start += width;
        }
        if (start == taps) break;
        ready -= width * step;
        AT_LEVEL(add_run)(x, x + width * step, ready, 1);
    }
}

/* Convert `count` numbers, `step` apart, to doubles. */
TARGET static void AT_LEVEL(read_run)(double *to, const char *from, word step, word count, word number)
{
#define CASE(n, name, type)                                                                                            \
    case n: {                                                                                                          \
        const unaligned_##name *x = (const unaligned_##name *)from;                                                    \
        if (step == 1)                                                                                                 \
            for (word j = 0; j < count; j++) to[j] = (double)x[j];                                                     \
        else                                                                                                           \
            for (word j = 0; j < count; j++) to[j] = (double)x[j * step];                                              \
        break;                                                                                                         \
    }
    switch (number) { NUMBERS(CASE) }
#undef CASE
}

/* Convert rounded doubles to numbers `step` apart. */
TARGET static void AT_LEVEL(write_run)(char *to, word step, const double *from, word count, word number)
{
#define CASE(n, name, type)                                                                                            \
    case n: {                                                                                                          \
        unaligned_##name *y = (unaligned_##name *)to;                                                                  \
        if (step == 1)                                                                                                 \
            for (word j = 0; j < count; j++) y[j] = NUMBER_##name(from[j]);                                                     \
        else                                                                                                           \
            for (word j = 0; j < count; j++) y[j * step] = NUMBER_##name(from[j]);                                              \
        break;                                                                                                         \
    }
    switch (number) { NUMBERS(CASE) }
#undef CASE
}

/* Convert the samples of a block along axis `n` and those after it; x is at sample 0 of them. */
TARGET static double *AT_LEVEL(read_block)(const filter_job *job, const filter_block *block, word n, const char *x,
                                           int is_fill, double *to)
{
    const filter_axis *along = job->axes + n;
    const int is_last = n == job->table->axes - 1;
    const word padding = is_last ? block->padding : 0;
    const word first = block->first[n] - along->before, stop = first + block->size[n] - padding;
    const word each = job->table->each, number = job->table->x_number;
    for (word position = first, length; position < stop; position += length) {
        const word sample = filtered_sample(position, along, job->border);
        const int fills = is_fill || sample < 0;
        const char *from = x + (fills ? 0 : sample * along->x_step);
        const int is_inside = !fills && position >= 0 && position < along->size;
        length = is_last && is_inside ? min_word(stop, along->size) - position : 1;
        if (!is_last) to = AT_LEVEL(read_block)(job, block, n + 1, from, fills, to);
        else if (fills) to = fill_run(to, each, job->fill);
        else {
            const word x_step = along->x_step / job->x_bytes;
            if (length == 1 || x_step == each) AT_LEVEL(read_run)(to, from, 1, length * each, number);
            else if (each == 1) AT_LEVEL(read_run)(to, from, x_step, length, number);
            else
                for (word k = 0; k < length; k++)
                    AT_LEVEL(read_run)(to + k * each, from + k * along->x_step, 1, each, number);
            to += length * each;
        }
    }
    memset(to, 0, (size_t)(padding * each) * sizeof *to);
    return to + padding * each;
}

/* Convert outputs of a row to y, from a position of the last axis on. */
TARGET static void AT_LEVEL(write_row)(const filter_job *job, char *to, const double *row, word count)
{
    const word y_step = job->axes[job->table->axes - 1].y_step, each = job->table->each, number = job->table->y_number;
    if (y_step == each * job->y_bytes || count == 1) AT_LEVEL(write_run)(to, 1, row, count * each, number);
    else if (each == 1) AT_LEVEL(write_run)(to, y_step / job->y_bytes, row, count, number);
    else
        for (word k = 0; k < count; k++) AT_LEVEL(write_run)(to + k * y_step, 1, row + k * each, each, number);
}

/* Add a row of one chain to those of the chains before, or its squares; round the root of the last sum. */
TARGET static void AT_LEVEL(combine)(const filter_job *job, double *total, const double *row, word count, word chain)
{
    const int squares = job->table->combine == COMBINE_length;
    for (word j = 0; j < count; j += LANES) {
        D value = AT_LEVEL(load_doubles)(row + j), sum = AT_LEVEL(load_doubles)(total + j);
        if (squares) value = AT_LEVEL(rounded)(value * value, job->wrapped->rounding, job->wrapped);
        sum = chain ? AT_LEVEL(rounded)(sum + value, job->wrapped->rounding, job->wrapped) : value;
        if (squares && chain == job->table->chains - 1) {
            for (int lane = 0; lane < LANES; lane++) sum[lane] = sqrt(sum[lane]);
            sum = AT_LEVEL(rounded)(sum, job->format->rounding, job->format);
        }
        AT_LEVEL(store_count)(total + j, sum, count - j);
    }
}

/* Write the rows of a block from a buffer whose rows are `pitch` doubles apart. */
TARGET static void AT_LEVEL(write_block)(const filter_job *job, const filter_block *block, const double *from,
                                         word pitch)
{
    const word last = job->table->axes - 1;
    word index[MAX_FILTER_AXES] = {0};
    do {
        AT_LEVEL(write_row)(job, output_at(job, block, index), from, block->outputs[last]);
        from += pitch;
    } while (next_row(index, block->outputs, last));
}

/* Run a pass from x to z, both dense, by sums of neighbours. */
TARGET static void AT_LEVEL(run_means)(const filter_job *job, const filter_pass *pass, word axis, const word *size,
                                       word outputs, double *z, double *x)
{
    word outer = 1, inner = job->table->each;
    for (word n = 0; n < axis; n++) outer *= size[n];
    for (word n = axis + 1; n < job->table->axes; n++) inner *= size[n];
    for (word o = 0; o < outer; o++, z += outputs * inner, x += size[axis] * inner) {
        AT_LEVEL(sum_neighbours)(z, x, inner, pass->terms, outputs * inner);
        AT_LEVEL(divide)(z, outputs * inner, pass, job->format);
    }
}

/* Run a pass from x to z, both dense, or with `writes` to y. `size` is that of x, `outputs` that of z. */
TARGET static void AT_LEVEL(run_windows)(const filter_job *job, const filter_block *block, const filter_pass *pass,
                                         const double *w, const word *size, const word *outputs, double *z,
                                         const double *x, int writes)
{
    static const number_format unrounded = {ROUND_none, 0, 0, 0};
    const word last = job->table->axes - 1, each = job->table->each;
    /* a uint64 wraps when it is written: a double does not contain the largest */
    const number_format *format = writes && job->format->rounding == ROUND_unsigned ? &unrounded : job->format;
    const int divides = double_of(pass->divisor) != 1;
    word step[MAX_FILTER_AXES], index[MAX_FILTER_AXES];
    list_steps(job, size, step);
    list_offsets(job, pass, step);
    const word how = pass->how == SUM_ordered ? SUM_ordered : symmetry(w, pass->terms);
    const word stop = writes ? block->outputs[last] : outputs[last];
    const word strip = job->offsets[pass->terms - 1] > STRIP ? (STRIP + each - 1) / each : stop;
    for (word start = 0; start < stop; start += strip) {
        const word count = min_word(strip, stop - start);
        double *row = z + start * each;
        memset(index, 0, sizeof index);
        do {
            const double *from = x + start * each;
            for (word n = 0; n < last; n++) from += index[n] * step[n];
            double *to = writes ? job->row : row;
            AT_LEVEL(sum_windows)(to, from, job->offsets, w, pass->terms, count * each, how, divides ? &unrounded : format);
            if (divides) AT_LEVEL(divide)(to, count * each, pass, format);
            if (writes) AT_LEVEL(write_row)(job, output_at(job, block, index) + start * job->axes[last].y_step, to, count);
            row += outputs[last] * each;
        } while (next_row(index, outputs, last));
    }
}

/* Run the passes of a chain over a block of samples; return the result, or NULL where it was written to y. */
TARGET static double *AT_LEVEL(run_chain)(const filter_job *job, const filter_block *block, word chain, double *samples,
                                          word *size)
{
    const filters_table *table = job->table;
    double *from = samples;
    memcpy(size, block->size, sizeof block->size);
    for (word number = 0; number < table->passes; number++) {
        const filter_pass *pass = job->passes + chain * table->passes + number;
        const int by_neighbours = pass->how == SUM_mean && pass->terms > FEW_TERMS;
        const int writes = table->combine == COMBINE_none && number == table->passes - 1 && !by_neighbours;
        double *to = samples + (1 + number % 2) * table->scratch;
        word outputs[MAX_FILTER_AXES], axis = 0;
        for (word n = 0; n < table->axes; n++) {
            const int is_filtered = job->axes[n].number == number;
            outputs[n] = is_filtered ? block->outputs[n] : size[n];
            if (is_filtered) axis = n;
        }
        if (number) fill_outside(job, block, number, size, from);
        if (by_neighbours) AT_LEVEL(run_means)(job, pass, axis, size, outputs[axis], to, from);
        else AT_LEVEL(run_windows)(job, block, pass, weights_of(job, pass), size, outputs, to, from, writes);
        if (writes) return NULL;
        from = to;
        memcpy(size, outputs, sizeof outputs);
    }
    return from;
}

/* Compute a block: every chain of passes in turn, from the same samples. */
TARGET static void AT_LEVEL(compute_block)(const filter_job *job, const filter_block *block, double *samples)
{
    const filters_table *table = job->table;
    double *total = samples + 3 * table->scratch;
    word size[MAX_FILTER_AXES], count = table->each;
    AT_LEVEL(read_block)(job, block, 0, job->x, 0, samples);
    for (word chain = 0; chain < table->chains; chain++) {
        double *result = AT_LEVEL(run_chain)(job, block, chain, samples, size);
        if (result == NULL) return;
        if (chain == 0)
            for (word n = 0; n < table->axes; n++) count *= size[n];
        if (table->combine != COMBINE_none) AT_LEVEL(combine)(job, total, result, count, chain);
        else total = result;
    }
    AT_LEVEL(write_block)(job, block, total, size[table->axes - 1] * table->each);
}

/* Write the blocks [first, stop) of outputs. */
TARGET static int AT_LEVEL(filters)(const void *x, const void *w, void *y, const void *tables, double fill, word first,
                                    word stop)
{
    filter_job job;
    double *buffers = start_filters(&job, x, w, y, tables, fill);
    if (buffers == NULL) return 1;
    for (; first < stop; first++) {
        filter_block block;
        place_block(&job, first, &block);
        AT_LEVEL(compute_block)(&job, &block, buffers);
    }
    free(job.memory);
    return 0;
}

#undef SUM_VECTORS
#undef LANES
#undef D
#undef I
#undef N
