/* Chains of passes over blocks that stay in cache, once for each kind of sum. A pass sums windows along some axes of
   what the pass before it wrote:

       z[i] = rounded(sum over terms t of  w[t] * x[i + offset[t]])

   The samples of a block of outputs and of all its windows are converted to numbers of the sums, every pass runs from
   one buffer to another, and what the last one writes is converted to the dtype of y. Between passes numbers are
   rounded as if they had been stored as that dtype. Several chains of the same samples may be combined. */

/* Write a fill, whose parts alternate. */
TARGET static S *SN(fill_run)(S *to, word count, const double *fill)
{
    const S parts[2] = {SN(number)(fill[0]), SN(number)(fill[1])};
    for (word j = 0; j < count; j++) *to++ = parts[j % 2];
    return to;
}

/* Write the weights of all passes in the order of their terms. */
TARGET static void SN(order_weights)(const filter_job *job, const double *w)
{
    S *to = job->w;
    for (word number = 0; number < job->table->chains * job->table->passes; number++) {
        const filter_pass *pass = job->passes + number;
        for (word term = 0; term < pass->terms; term++) *to++ = SN(number)(w[pass->w_start + term * pass->w_step]);
    }
}

static const S *SN(weights_of)(const filter_job *job, const filter_pass *pass)
{
    const S *w = job->w;
    for (const filter_pass *before = job->passes; before < pass; before++) w += before->terms;
    return w;
}

/* Return how weights are summed in any order: half as many products where they are symmetric or antisymmetric. */
TARGET static word SN(symmetry)(const S *w, word terms)
{
    if (terms % 2 == 0 || terms < 3) return SUM_fused;
    int mirrored = 1, opposed = w[terms / 2] == 0;
    for (word t = 0; t < terms / 2; t++) {
        mirrored &= w[t] == w[terms - 1 - t];
        opposed &= w[t] == (S)-w[terms - 1 - t];
    }
    return mirrored ? SUM_mirrored : opposed ? SUM_opposed : SUM_fused;
}

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

/* Convert the samples of a block along axis `n` and those after it; x is at sample 0 of them. */
TARGET static S *SN(read_block)(const filter_job *job, const filter_block *block, word n, const char *x, int is_fill,
                                S *to)
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
        if (!is_last) to = SN(read_block)(job, block, n + 1, from, fills, to);
        else if (fills) to = SN(fill_run)(to, each, job->fill);
        else {
            const word bytes = job->x_bytes;
            if (length == 1 || along->x_step == each * bytes) SN(read_run)(to, from, bytes, length * each, number);
            else if (each == 1) SN(read_run)(to, from, along->x_step, length, number);
            else
                for (word k = 0; k < length; k++)
                    SN(read_run)(to + k * each, from + k * along->x_step, bytes, each, number);
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

/* Write equal weights' sums of samples at `terms` offsets, for `rows` rows of `inner` numbers; by strips whose samples
   fit the nearest cache. */
TARGET static void SN(sum_rows)(const filter_job *job, const S *ones, S *z, const S *x, word terms, word rows,
                                word inner)
{
    const word strip = inner > STRIP ? STRIP : inner * rows, lines = inner > STRIP ? rows : 1;
    const word stop = inner > STRIP ? inner : inner * rows;
    for (word start = 0; start < stop; start += strip)
        for (word row = 0; row < lines; row++) {
            const word at = row * inner + start;
            const word count = min_word(strip, stop - start);
            SN(sum_windows)(z + at, x + at, job->offsets, ones, terms, count, SUM_fused, &UNROUNDED);
        }
}

/* Run a pass of a mean of many samples from x to z, both dense: sums of short windows first, then sums of those and of
   the samples that remain, about twice the root of the window each. `spare` is a buffer like x. */
TARGET static void SN(run_means)(const filter_job *job, const filter_pass *pass, word axis, const word *size,
                                 word outputs, S *z, const S *x, S *spare)
{
    word outer = 1, inner = job->table->each, length = 1;
    for (word n = 0; n < axis; n++) outer *= size[n];
    for (word n = axis + 1; n < job->table->axes; n++) inner *= size[n];
    while ((length + 1) * (length + 1) <= pass->terms) length++;
    const word windows = pass->terms / length, samples = pass->terms % length;
    const S *ones = SN(weights_of)(job, pass);
    for (word o = 0; o < outer; o++, z += outputs * inner, x += size[axis] * inner) {
        for (word term = 0; term < length; term++) job->offsets[term] = term * inner;
        SN(sum_rows)(job, ones, spare, x, length, outputs + (windows - 1) * length, inner);
        for (word term = 0; term < windows; term++) job->offsets[term] = spare - x + term * length * inner;
        for (word term = 0; term < samples; term++) job->offsets[windows + term] = (windows * length + term) * inner;
        SN(sum_rows)(job, ones, z, x, windows + samples, outputs, inner);
        SN(divide)(z, outputs * inner, pass, job->format);
    }
}

/* Run a pass from x to z, both dense, or with `writes` to y. `size` is that of x, `outputs` that of z. */
TARGET static void SN(run_windows)(const filter_job *job, const filter_block *block, const filter_pass *pass,
                                   const S *w, const word *size, const word *outputs, S *z, const S *x, int writes)
{
    const word last = job->table->axes - 1, each = job->table->each;
    /* a uint64 wraps when it is written: a double does not contain the largest */
    const number_format *format = writes && job->format->rounding == ROUND_unsigned ? &UNROUNDED : job->format;
    const int divides = pass->divides != 0;
    word step[MAX_FILTER_AXES], index[MAX_FILTER_AXES];
    list_steps(job, size, step);
    list_offsets(job, pass, step);
    const word how = pass->how == SUM_any || pass->how == SUM_mean ? SN(symmetry)(w, pass->terms) : pass->how;
    const word stop = writes ? block->outputs[last] : outputs[last];
    const word strip = job->offsets[pass->terms - 1] > STRIP ? (STRIP + each - 1) / each : stop;
    for (word start = 0; start < stop; start += strip) {
        const word count = min_word(strip, stop - start);
        S *row = z + start * each;
        memset(index, 0, sizeof index);
        do {
            const S *from = x + start * each;
            for (word n = 0; n < last; n++) from += index[n] * step[n];
            S *to = writes ? job->row : row;
            SN(sum_windows)(to, from, job->offsets, w, pass->terms, count * each, how, divides ? &UNROUNDED : format);
            if (divides) SN(divide)(to, count * each, pass, format);
            if (writes) SN(write_row)(job, output_at(job, block, index) + start * job->axes[last].y_step, to, count);
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
        const int is_long = pass->how == SUM_mean && pass->terms > FEW_TERMS;
        const int writes = table->combine == COMBINE_none && number == table->passes - 1 && !is_long;
        S *to = samples + (1 + number % 2) * table->scratch;
        word outputs[MAX_FILTER_AXES] = {0}, axis = 0;
        for (word n = 0; n < table->axes; n++) {
            const int is_filtered = job->axes[n].number == number;
            outputs[n] = is_filtered ? block->outputs[n] : size[n];
            if (is_filtered) axis = n;
        }
        if (number) SN(fill_outside)(job, block, number, size, from);
        S *spare = samples + (number ? 0 : 2) * table->scratch;
        if (is_long) SN(run_means)(job, pass, axis, size, outputs[axis], to, from, spare);
        else SN(run_windows)(job, block, pass, SN(weights_of)(job, pass), size, outputs, to, from, writes);
        if (writes) return NULL;
        from = to;
        memcpy(size, outputs, sizeof outputs);
    }
    return from;
}

/* Compute a block: every chain of passes in turn, from the same samples. */
TARGET static void SN(compute_block)(const filter_job *job, const filter_block *block, S *samples)
{
    const filters_table *table = job->table;
    S *total = samples + 3 * table->scratch;
    word size[MAX_FILTER_AXES], count = table->each;
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
    S *buffers = start_filters(&job, x, y, tables, fill, sizeof(S));
    if (buffers == NULL) return 1;
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
#undef V
#undef LANES
#undef SUM_VECTORS
