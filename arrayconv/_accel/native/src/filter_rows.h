/* A chain along the last two axes, row by row: each row goes from x to y through all passes while it is in the nearest
   cache. Results are those of filters.h, which runs every other chain. */

/* A block at one place of the axes before its rows. The pass along the columns, `down`, which may sum windows along
   both axes, sums numbers [start, start + count) of rows that are `size` samples long. A line is a row of samples as
   numbers of the sums. */
typedef struct {
    const filter_job *job;
    const filter_block *block;
    const filter_pass *down, *along; /* NULL: none */
    SN(rule) down_rule, along_rule;
    word axis, last;    /* of rows, -1 for none, and of columns */
    word taps, outputs; /* rows */
    int is_along_first; /* whether rows are filtered before the columns */
    int is_inside;      /* whether samples beyond the ends of a row are copies of sums, or the fill */
    int is_in_place;    /* whether rows are read where they are */
    word start, count, size, pitch;
    word *down_offsets, *along_offsets;
    const char *x; /* at sample 0 */
    S *rows, *sums, *row, *fills;
    A *line;
} SN(plane);

/* Whether every sample beyond the ends of a block's rows is in the same block, or the fill. */
static int SN(is_inside)(const filter_job *job, const filter_block *block, word last, word start, word stop)
{
    const filter_axis *along = job->axes + last;
    const word first = block->first[last] - along->before, size = block->size[last] - block->padding;
    if (start >= stop) return 0;
    for (word c = 0; c < size; c++) {
        if (c == start) c = stop;
        if (c >= size) break;
        const word sample = filtered_sample(first + c, along, job->border);
        if (sample >= 0 && (sample - first < start || sample - first >= stop)) return 0;
    }
    return 1;
}

/* Extend a row of sums beyond its ends; outside of them alone by the fill where sums of extended samples are there. */
TARGET static void SN(extend_row)(const SN(plane) *p, A *line)
{
    const filter_axis *along = p->job->axes + p->last;
    const word first = p->block->first[p->last] - along->before, each = p->job->table->each;
    const word size = p->size - p->block->padding, before = max_word(-first, 0), stop = along->size - first;
    if (!along->is_constant && !p->is_inside) return;
    for (word c = 0; c < size; c++) {
        if (c == before) c = max_word(stop, before);
        if (c >= size) break;
        const word sample = filtered_sample(first + c, along, p->job->border);
        for (word k = 0; k < each; k++)
            line[c * each + k] = sample < 0 ? SN(number)(p->job->fill[k % 2]) : line[(sample - first) * each + k];
    }
}

/* Filter a row, whose samples `from` are extended. */
TARGET static void SN(filter_row)(const SN(plane) *p, S *to, const A *from)
{
    const word each = p->job->table->each, count = p->block->outputs[p->last] * each;
    if (SN(is_long)(p->along)) SN(long_row)(p->job, to, from, each, &p->along_rule, count);
    else SN(sum_line)(to, from, p->along_offsets, &p->along_rule, count);
}

/* Return a line of the extended samples of a row. */
TARGET static const A *SN(read_line)(const SN(plane) *p, const char *x)
{
    SN(read_block)(p->job, p->block, p->last, x, 0, sizeof(S) == sizeof(A) ? (S *)p->line : p->row);
    if (sizeof(S) < sizeof(A)) SN(widen)(p->line, p->row, p->size * p->job->table->each);
    return p->line;
}

/* Return the sample of a row of windows, -1 for the fill. */
static word SN(row_sample)(const SN(plane) *p, word row)
{
    const filter_axis *rows = p->job->axes + p->axis;
    return filtered_sample(p->block->first[p->axis] - rows->before + row, rows, p->job->border);
}

/* Read a row of windows to its place among p->rows, filtered where that comes first. */
TARGET static void SN(read_row)(const SN(plane) *p, word row)
{
    const word each = p->job->table->each, sample = SN(row_sample)(p, row);
    S *to = p->rows + row * p->pitch;
    if (sample < 0) {
        SN(fill_run)(to, p->pitch, p->job->fill);
        return;
    }
    const char *x = p->x + sample * p->job->axes[p->axis].x_step;
    if (p->is_inside) {
        const word first = p->block->first[p->last] - p->job->axes[p->last].before + p->start / each;
        SN(read_samples)(p->job, to + p->start, x + first * p->job->axes[p->last].x_step, p->count / each);
    } else if (p->is_along_first) {
        SN(filter_row)(p, to, SN(read_line)(p, x));
    } else SN(read_block)(p->job, p->block, p->last, x, 0, to);
}

/* Sum windows along the columns: to a line, which the next pass reads, or to a row. */
TARGET static void SN(sum_columns)(const SN(plane) *p, void *to, const S *from, const word *offsets)
{
    if (p->along && !p->is_along_first) SN(sum_to_line)((A *)to + p->start, from, offsets, &p->down_rule, p->count);
    else SN(sum_windows)(to, from, offsets, &p->down_rule, p->count);
}

/* Sum a row of windows along the columns from rows of x, some of which are beyond its ends. */
TARGET static void SN(sum_at_ends)(const SN(plane) *p, void *to, word row, word column)
{
    const filter_job *job = p->job;
    const word *position = job->positions + p->down->positions + p->axis;
    const S *base = (const S *)p->x;
    for (word term = 0; term < p->down->terms; term++, position += job->table->axes) {
        const word sample = SN(row_sample)(p, row + *position);
        const char *from = p->x + sample * job->axes[p->axis].x_step + column * (word)sizeof(S);
        const uintptr_t at = sample < 0 ? (uintptr_t)p->fills : (uintptr_t)from;
        job->edge_offsets[term] = ((word)at - (word)(uintptr_t)base) / (word)sizeof(S);
    }
    SN(sum_columns)(p, to, base, job->edge_offsets);
}

/* Sum a row of windows along the columns. */
TARGET static void SN(sum_down)(const SN(plane) *p, void *to, word row)
{
    if (!p->is_in_place) {
        SN(sum_columns)(p, to, p->rows + row * p->pitch + p->start, p->down_offsets);
        return;
    }
    const filter_axis *rows = p->job->axes + p->axis, *along = p->job->axes + p->last;
    const word first = p->block->first[p->axis] - rows->before + row, each = p->job->table->each;
    const word column = (p->block->first[p->last] - along->before) * each + p->start;
    if (first < 0 || first + p->taps > rows->size) SN(sum_at_ends)(p, to, row, column);
    else SN(sum_columns)(p, to, (const S *)(p->x + first * rows->x_step) + column, p->down_offsets);
}

/* Compute a row of outputs, once the rows of its windows have been read. */
TARGET static void SN(compute_row)(const SN(plane) *p, char *y, word row)
{
    const filter_job *job = p->job;
    S *to = SN(row_of)(job, y);
    const int is_long = p->down && SN(is_long)(p->down), is_last = !p->along || p->is_along_first;
    if (!p->down) {
        const word sample = p->axis < 0 ? 0 : SN(row_sample)(p, row);
        SN(filter_row)(p, to, SN(read_line)(p, p->x + (p->axis < 0 ? 0 : sample * job->axes[p->axis].x_step)));
    } else if (is_last && is_long) to = p->sums + row * p->pitch;
    else if (is_last) SN(sum_down)(p, to, row);
    else {
        if (is_long) SN(widen)(p->line + p->start, p->sums + row * p->pitch + p->start, p->count);
        else SN(sum_down)(p, p->line, row);
        SN(extend_row)(p, p->line);
        SN(filter_row)(p, to, p->line);
    }
    if ((char *)to != y) SN(write_row)(job, y, to, p->block->outputs[p->last]);
}

/* Set the passes of a plane, what is read in place and what is copied. */
TARGET static void SN(start_plane)(SN(plane) *p, const filter_job *job, const filter_block *block, S *samples)
{
    const filters_table *table = job->table;
    const word last = table->axes - 1, axis = table->axes - 2, each = table->each, scratch = table->scratch;
    const word across = job->axes[last].number, down = axis < 0 ? -1 : job->axes[axis].number;
    const filter_axis *along = job->axes + last;
    *p = (SN(plane)){.job = job, .block = block, .axis = axis, .last = last, .taps = 1, .outputs = 1};
    if (axis >= 0) p->taps = job->axes[axis].taps, p->outputs = block->outputs[axis];
    p->size = block->size[last];
    p->pitch = p->size * each;
    p->rows = samples, p->sums = p->fills = samples + scratch, p->row = samples + 2 * scratch, p->line = job->line;
    p->down = down < 0 ? NULL : job->passes + down;
    p->along = across < 0 || across == down ? NULL : job->passes + across;
    p->is_along_first = p->down && p->along && across < down;
    p->down_offsets = job->offsets;
    p->along_offsets = job->offsets + (p->down ? p->down->terms : 0);
    const word first = block->first[last] - along->before, start = max_word(-first, 0);
    const word stop = min_word(along->size - first, p->size - block->padding);
    p->is_inside = p->down && across != down && !p->is_along_first && SN(is_inside)(job, block, last, start, stop);
    p->start = p->is_inside ? start * each : 0;
    p->count = (p->is_inside ? stop - start : p->along && !p->is_along_first ? p->size : block->outputs[last]) * each;
    p->is_in_place = p->is_inside && job->is_x_stored && p->count >= LANES && !SN(is_long)(p->down);
    word step[MAX_FILTER_AXES] = {0};
    step[last] = each;
    if (p->along) p->along_rule = SN(rule_of)(job, p->along, across == table->passes - 1);
    if (p->along) list_offsets(job, p->along, step, p->along_offsets);
    if (axis >= 0) step[axis] = p->is_in_place ? job->axes[axis].x_step / (word)sizeof(S) : p->pitch;
    if (p->down) p->down_rule = SN(rule_of)(job, p->down, down == table->passes - 1);
    if (p->down) list_offsets(job, p->down, step, p->down_offsets);
    if (p->is_in_place) SN(fill_run)(p->fills, p->count, job->fill);
}

/* Compute the rows of a plane, which is at a place of the axes before. */
TARGET static void SN(compute_plane)(const SN(plane) *p, word *index)
{
    const word rows = p->outputs + p->taps - 1;
    if (p->down && SN(is_long)(p->down)) {
        for (word row = 0; row < rows; row++) SN(read_row)(p, row);
        SN(long_columns)(p->job, p->sums + p->start, p->pitch, p->rows + p->start, p->pitch, p->outputs, &p->down_rule,
                         SN(is_whole)(p->job, p->down, p->down - p->job->passes), p->count);
    }
    for (word row = 0; row < rows; row++) {
        const word output = row - p->taps + 1;
        if (!p->is_in_place && p->down && !SN(is_long)(p->down)) SN(read_row)(p, row);
        if (output < 0) continue;
        if (p->axis >= 0) index[p->axis] = output;
        SN(compute_row)(p, output_at(p->job, p->block, index), output);
    }
}

/* Compute a block of a chain that `filters_rows`. */
TARGET static void SN(compute_rows)(const filter_job *job, const filter_block *block, S *samples)
{
    SN(plane) plane;
    SN(start_plane)(&plane, job, block, samples);
    word index[MAX_FILTER_AXES] = {0}, outer[MAX_FILTER_AXES] = {0};
    const word axes = job->table->axes;
    do {
        plane.x = job->x;
        for (word n = 0; n < axes - 2; n++) plane.x += (block->first[n] + outer[n]) * job->axes[n].x_step;
        memcpy(index, outer, sizeof index);
        SN(compute_plane)(&plane, index);
    } while (axes > 2 && next_row(outer, block->outputs, axes - 2));
}
