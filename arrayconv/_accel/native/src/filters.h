/* Chains of passes over blocks that stay in cache, once for each kind of sum. A pass sums windows along some axes of
   what the pass before it wrote:

       z[i] = rounded(sum over terms t of  w[t] * x[i + offset[t]])

   The samples of a block of outputs and of all its windows are converted to numbers of the sums, every pass runs from
   one buffer to another, and what the last one writes is converted to the dtype of y. Between passes numbers are
   rounded as if they had been stored as that dtype. Several chains of the same samples may be combined. Where one chain
   filters the last two axes alone, each row goes through all its passes at once: filter_rows.h. */

#include "row_sums.h"

/* Write a fill, whose parts alternate. */
TARGET static S *SN(fill_run)(S *to, word count, const double *fill)
{
    const S parts[2] = {(S)SN(number)(fill[0]), (S)SN(number)(fill[1])};
    for (word j = 0; j < count; j++) *to++ = parts[j % 2];
    return to;
}

/* Write the weights of all passes in the order of their terms. */
TARGET static void SN(order_weights)(const filter_job *job, const double *w)
{
    A *to = job->w;
    for (word number = 0; number < job->table->chains * job->table->passes; number++) {
        const filter_pass *pass = job->passes + number;
        for (word term = 0; term < pass->terms; term++) *to++ = SN(number)(w[pass->w_start + term * pass->w_step]);
    }
}

static const A *SN(weights_of)(const filter_job *job, const filter_pass *pass)
{
    const A *w = job->w;
    for (const filter_pass *before = job->passes; before < pass; before++) w += before->terms;
    return w;
}

/* Return how weights are summed in any order: half as many products where they are symmetric or antisymmetric. */
TARGET static word SN(symmetry)(const A *w, word terms)
{
    if (terms % 2 == 0 || terms < 3) return SUM_fused;
    int mirrored = 1, opposed = w[terms / 2] == 0;
    for (word t = 0; t < terms / 2; t++) {
        mirrored &= w[t] == w[terms - 1 - t];
        opposed &= w[t] == (A)-w[terms - 1 - t];
    }
    return mirrored ? SUM_mirrored : opposed ? SUM_opposed : SUM_fused;
}

/* Return how a pass sums and rounds. The last one does not round to uint64: that wraps when it is written, since a
   double does not contain the largest. */
TARGET static SN(rule) SN(rule_of)(const filter_job *job, const filter_pass *pass, int is_last)
{
    const A *w = SN(weights_of)(job, pass);
    const word how = pass->how == SUM_any ? SN(symmetry)(w, pass->terms) : pass->how;
    const int wraps = is_last && job->format->rounding == ROUND_unsigned;
    return (SN(rule)){pass, w, how, wraps ? &UNROUNDED : job->format};
}

static int SN(is_long)(const filter_pass *pass) { return pass->how == SUM_mean && pass->terms > FEW_TERMS; }

/* Put the fill beyond the ends of the axes that a pass filters, which earlier passes changed. */
TARGET static void SN(fill_outside)(const filter_job *job, const filter_block *block, word pass, const word *size,
                                    S *numbers)
{
    const word axes = job->table->axes;
    word outer = 1, inner = job->table->each;
    for (word n = 0; n < axes; n++) inner *= size[n];
    for (word n = 0; n < axes; outer *= size[n], n++) {
        const filter_axis *along = job->axes + n;
        inner /= size[n];
        if (along->number != pass || !along->is_constant) continue;
        const word first = block->first[n] - along->before, before = min_word(max_word(-first, 0), size[n]);
        const word after = min_word(max_word(first + size[n] - along->size, 0), size[n]);
        for (word o = 0; o < outer; o++) {
            S *line = numbers + o * size[n] * inner;
            SN(fill_run)(line, before * inner, job->fill);
            SN(fill_run)(line + (size[n] - after) * inner, after * inner, job->fill);
        }
    }
}

/* Convert samples of a row. */
TARGET static void SN(read_samples)(const filter_job *job, S *to, const char *from, word count)
{
    const word step = job->axes[job->table->axes - 1].x_step, each = job->table->each, number = job->table->x_number;
    const word bytes = job->x_bytes;
    if (step == each * bytes || count == 1) SN(read_run)(to, from, bytes, count * each, number);
    else if (each == 1) SN(read_run)(to, from, step, count, number);
    else
        for (word k = 0; k < count; k++) SN(read_run)(to + k * each, from + k * step, bytes, each, number);
}

/* Convert the samples of a block along axis `n` and those after it; x is at sample 0 of them. */
TARGET static S *SN(read_block)(const filter_job *job, const filter_block *block, word n, const char *x, int is_fill,
                                S *to)
{
    const filter_axis *along = job->axes + n;
    const int is_last = n == job->table->axes - 1;
    const word padding = is_last ? block->padding : 0;
    const word first = block->first[n] - along->before, stop = first + block->size[n] - padding;
    const word each = job->table->each;
    for (word position = first, length; position < stop; position += length) {
        const word sample = filtered_sample(position, along, job->border);
        const int fills = is_fill || sample < 0;
        const char *from = x + (fills ? 0 : sample * along->x_step);
        const int is_inside = !fills && position >= 0 && position < along->size;
        length = is_last && is_inside ? min_word(stop, along->size) - position : 1;
        if (!is_last) to = SN(read_block)(job, block, n + 1, from, fills, to);
        else if (fills) to = SN(fill_run)(to, each, job->fill);
        else {
            SN(read_samples)(job, to, from, length);
            to += length * each;
        }
    }
    memset(to, 0, (size_t)(padding * each) * sizeof *to);
    return to + padding * each;
}

/* Convert outputs of a row to y, from a position of the last axis on. */
TARGET static void SN(write_row)(const filter_job *job, char *to, const S *row, word count)
{
    const word y_step = job->axes[job->table->axes - 1].y_step, each = job->table->each, number = job->table->y_number;
    const word bytes = job->y_bytes;
    if (y_step == each * bytes || count == 1) SN(write_run)(to, bytes, row, count * each, number);
    else if (each == 1) SN(write_run)(to, y_step, row, count, number);
    else
        for (word k = 0; k < count; k++) SN(write_run)(to + k * y_step, bytes, row + k * each, each, number);
}

/* Write the rows of a block from a buffer whose rows are `pitch` numbers apart. */
TARGET static void SN(write_block)(const filter_job *job, const filter_block *block, const S *from, word pitch)
{
    const word last = job->table->axes - 1;
    word index[MAX_FILTER_AXES] = {0};
    do {
        SN(write_row)(job, output_at(job, block, index), from, block->outputs[last]);
        from += pitch;
    } while (next_row(index, block->outputs, last));
}

/* Whether numbers of a dtype have the bits of those in a buffer. */
static int SN(is_stored)(word number)
{
    const int is_float = number > LAST_INTEGER;
    return NUMBER_BYTES[number] == sizeof(S) && is_float == (sizeof(A) == sizeof(double));
}

/* Whether sums of a pass's samples are whole numbers that A contains, or contains modulo 2^16. */
static int SN(is_whole)(const filter_job *job, const filter_pass *pass, word number)
{
    const word x = number ? job->table->y_number : job->table->x_number;
    return x <= LAST_INTEGER && NUMBER_BYTES[x] <= WHOLE_BYTES && pass->terms <= WHOLE_TERMS;
}

/* Run a pass of a mean of many samples along an axis from x to z, both dense. */
TARGET static void SN(run_means)(const filter_job *job, const filter_pass *pass, word number, word axis,
                                 const word *size, word outputs, S *z, const S *x)
{
    word outer = 1, inner = job->table->each;
    for (word n = 0; n < axis; n++) outer *= size[n];
    for (word n = axis + 1; n < job->table->axes; n++) inner *= size[n];
    const SN(rule) rule = SN(rule_of)(job, pass, 0);
    for (word o = 0; o < outer; o++, z += outputs * inner, x += size[axis] * inner)
        if (axis == job->table->axes - 1) {
            SN(widen)(job->line, x, size[axis] * inner);
            SN(long_row)(job, z, job->line, inner, &rule, outputs * inner);
        } else SN(long_columns)(job, z, inner, x, inner, outputs, &rule, SN(is_whole)(job, pass, number), inner);
}

/* Return where to write a row of y: there, where that has the numbers of a buffer. */
static S *SN(row_of)(const filter_job *job, char *y) { return job->is_y_stored ? (S *)y : job->row; }

/* Run a pass from x to z, both dense, or with `writes` to y. `size` is that of x, `outputs` that of z. */
TARGET static void SN(run_windows)(const filter_job *job, const filter_block *block, const filter_pass *pass,
                                   const word *size, const word *outputs, S *z, const S *x, int writes)
{
    const word last = job->table->axes - 1, each = job->table->each;
    const SN(rule) rule = SN(rule_of)(job, pass, writes);
    word step[MAX_FILTER_AXES], index[MAX_FILTER_AXES];
    list_steps(job, size, step);
    list_offsets(job, pass, step, job->offsets);
    const word stop = writes ? block->outputs[last] : outputs[last];
    const word strip = job->offsets[pass->terms - 1] > STRIP ? (STRIP + each - 1) / each : stop;
    for (word start = 0; start < stop; start += strip) {
        const word count = min_word(strip, stop - start);
        S *row = z + start * each;
        memset(index, 0, sizeof index);
        do {
            const S *from = x + start * each;
            for (word n = 0; n < last; n++) from += index[n] * step[n];
            char *y = writes ? output_at(job, block, index) + start * job->axes[last].y_step : NULL;
            S *to = writes ? SN(row_of)(job, y) : row;
            SN(sum_windows)(to, from, job->offsets, &rule, count * each);
            if (writes && !job->is_y_stored) SN(write_row)(job, y, to, count);
            row += outputs[last] * each;
        } while (next_row(index, outputs, last));
    }
}

/* Run the passes of a chain over a block of samples; return the result, or NULL where it was written to y. */
TARGET static S *SN(run_chain)(const filter_job *job, const filter_block *block, word chain, S *samples,
                               word *size)
{
    const filters_table *table = job->table;
    S *from = samples;
    memcpy(size, block->size, sizeof block->size);
    for (word number = 0; number < table->passes; number++) {
        const filter_pass *pass = job->passes + chain * table->passes + number;
        const int writes = table->combine == COMBINE_none && number == table->passes - 1 && !SN(is_long)(pass);
        S *to = samples + (1 + number % 2) * table->scratch;
        word outputs[MAX_FILTER_AXES] = {0}, axis = 0;
        for (word n = 0; n < table->axes; n++) {
            const int is_filtered = job->axes[n].number == number;
            outputs[n] = is_filtered ? block->outputs[n] : size[n];
            if (is_filtered) axis = n;
        }
        if (number) SN(fill_outside)(job, block, number, size, from);
        if (SN(is_long)(pass)) SN(run_means)(job, pass, number, axis, size, outputs[axis], to, from);
        else SN(run_windows)(job, block, pass, size, outputs, to, from, writes);
        if (writes) return NULL;
        from = to;
        memcpy(size, outputs, sizeof outputs);
    }
    return from;
}

#include "filter_rows.h"

/* Compute a block: every chain of passes in turn, from the same samples. */
TARGET static void SN(compute_block)(const filter_job *job, const filter_block *block, S *samples)
{
    const filters_table *table = job->table;
    S *total = samples + 3 * table->scratch;
    word size[MAX_FILTER_AXES], count = table->each;
    if (filters_rows(job)) {
        SN(compute_rows)(job, block, samples);
        return;
    }
    SN(read_block)(job, block, 0, job->x, 0, samples);
    for (word chain = 0; chain < table->chains; chain++) {
        S *result = SN(run_chain)(job, block, chain, samples, size);
        if (result == NULL) return;
        if (chain == 0)
            for (word n = 0; n < table->axes; n++) count *= size[n];
        if (table->combine != COMBINE_none) SN(combine)(job, total, result, count, chain);
        else total = result;
    }
    SN(write_block)(job, block, total, size[table->axes - 1] * table->each);
}

/* Write the blocks [first, stop) of outputs. */
TARGET static int SN(filters)(const void *x, const void *w, void *y, const void *tables, double fill, word first,
                            word stop)
{
    filter_job job;
    S *buffers = start_filters(&job, x, y, tables, fill, sizeof(S), sizeof(A), LANES);
    if (buffers == NULL) return 1;
    mark_stored(&job, sizeof(S), SN(is_stored)(job.table->x_number), SN(is_stored)(job.table->y_number));
    SN(order_weights)(&job, w);
    for (; first < stop; first++) {
        filter_block block;
        place_block(&job, first, LINE_BYTES / sizeof(S), &block);
        SN(compute_block)(&job, &block, buffers);
    }
    free(job.memory);
    return 0;
}

#undef SUMS
#undef S
#undef A
#undef V
#undef LANES
#undef SUM_VECTORS
#undef WIDEN
#undef NARROW
#undef LINE_ROUNDING
#undef STORED_AS
#undef SUMMED_CASES
