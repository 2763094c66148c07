/* Images of many channels of one kind of element at one level, any stride, dilation and upsampling.

   With a stride s and a dilation, tap k of output p multiplies sample s*p + o(k): among samples of the same remainder
   modulo s, those of one tap are contiguous over p. So a block copies its samples separated by that remainder and
   extended beyond the ends. Rows of the copy are contiguous, so all outputs of a block are one row for the loop of
   rows.h; row ends are computed and discarded. Outputs of an upsampled axis are phases, each with its own taps, and
   are interleaved when they are written. */

#define FLAT_CHUNK (512 / SIZE) /* outputs of a phase summed at a time: their samples of all channels stay in cache */

/* Write columns [first, stop) of every phase, of one row of outputs of one filter. */
INLINE void NAME(interleave_phases)(T *y, const T *sums, word sums_phase, const axis *columns, word first,
                                    word stop)
{
    const word period = columns->period, outputs = columns->outputs, step = columns->y_step;
    if (period == 1 && step == 1) {
        memcpy(y + first, sums, sizeof(T) * (size_t)(min_word(stop, outputs) - first));
        return;
    }
    if (period == 2 && step == 1) {
        const word both = min_word(stop, outputs / 2);
        const T *even = sums, *odd = sums + sums_phase;
        for (word j = first; j < both; j++) {
            y[2 * j] = even[j - first];
            y[2 * j + 1] = odd[j - first];
        }
        if (both < stop && outputs % 2) y[outputs - 1] = even[both - first];
        return;
    }
    for (word n = 0; n < min_word(period, outputs); n++) {
        const word end = min_word(stop, (outputs - n + period - 1) / period);
        for (word j = first; j < end; j++) y[(n + period * j) * step] = sums[n * sums_phase + j - first];
    }
}

/* Write outputs of a block: `rows` rows of one phase, columns [left, left + cols) of all their phases, which start at
   `phases`. */
TARGET static void NAME(row_block)(T *y, word y_row, word y_filter, const T *copy, word copy_row, const T *ws,
                                  word group, word filters, const phase *phases, const word *offsets,
                                  const axis *columns, word rows, word left, word cols, T *sums)
{
    const word phase_count = min_word(columns->period, columns->outputs), length = (rows - 1) * copy_row + cols;
    for (word at = 0; at < length; at += FLAT_CHUNK) {
        const word count = min_word(FLAT_CHUNK, length - at);
        for (word filter = 0, pass_filters; filter < filters; filter += pass_filters) {
            pass_filters = FILTERS_PER_PASS(filters - filter);
            for (word n = 0; n < phase_count; n++) {
                const word terms = phases[n].terms;
                const T *w = ws + phases[n].factors + (group * filters + filter) * terms;
                NAME(row_multi_filter)(sums + n * FLAT_CHUNK * MAX_FILTERS, FLAT_CHUNK, copy + at,
                                       offsets + phases[n].offsets, w, terms, terms, count, pass_filters);
            }
            for (word row = at / copy_row, begin = at; begin < at + count; row++, begin = row * copy_row) {
                const word first = begin - row * copy_row, stop = min_word(cols, at + count - row * copy_row);
                if (first >= stop) continue;
                for (word f = 0; f < pass_filters; f++)
                    NAME(interleave_phases)(y + row * y_row + (filter + f) * y_filter,
                                            sums + f * FLAT_CHUNK + begin - at, FLAT_CHUNK * MAX_FILTERS, columns,
                                            left + first, left + stop);
            }
        }
    }
}

/* Write the blocks [first, stop) of outputs. Returns 0, or 1 if memory can't be allocated. */
TARGET static int NAME(images)(const void *xs, const void *ws, void *ys, const void *tables, word fill, word first,
                               word stop)
{
    const planes_head *head = tables;
    const images_table *table = (const images_table *)(head + 1);
    const word leads = head->lead_axes, groups = head->groups, filters = head->filters, channels = head->channels;
    const word row_blocks = table->row_blocks, block_rows = table->block_rows, copy_row = head->copy_row;
    const axis *lead = (const axis *)(table + 1), *rows = lead + leads, *columns = rows + 1;
    const word *border = (const word *)(columns + 1);
    const lead_phase *lead_phases = (const lead_phase *)(border + head->border);
    const phase *phases = (const phase *)(lead_phases + table->lead_phases);
    const word *offsets = (const word *)(phases + table->phases);
    const word row_phases = min_word(rows->period, rows->outputs), y_row = rows->period * rows->y_step;
    const word column_phases = min_word(columns->period, columns->outputs);
    const word row_step = rows->stride, col_step = columns->stride, plane_size = table->copy_rows * copy_row;
    const word longest = (rows->outputs - 1) / rows->period + 1; /* rows of a phase */
    const word widest = (columns->outputs - 1) / columns->period + 1;
    word places = 1;
    for (word n = 0; n < leads; n++) places *= lead[n].outputs;
    T *copy = malloc(sizeof(T) * (size_t)(head->copy_size + FLAT_CHUNK * MAX_FILTERS * column_phases));
    if (copy == NULL) return 1;
    T *sums = copy + head->copy_size;
    for (word unit = first; unit < stop; unit++) {
        const word left = unit % table->column_blocks * table->block_columns;
        const word from = unit / table->column_blocks % row_blocks * block_rows;
        const word cols = min_word(table->block_columns, widest - left);
        word quotient = unit / table->column_blocks / row_blocks;
        word outputs = quotient % places, lead_index = 0, lead_taps = 1;
        quotient /= places;
        const word batch = quotient / groups, group = quotient % groups;
        const word x_at = head->x_start + batch * head->x_batch + group * head->x_group;
        word y_at = head->y_start + batch * head->y_batch + group * head->y_group;
        window windows[leads + 1];
        const lead_phase *axis_phases = lead_phases;
        for (word n = 0, inner = places; n < leads; n++) {
            const axis *along = lead + n;
            inner /= along->outputs;
            const word output = outputs / inner % along->outputs, period = along->period;
            windows[n] = axis_phases[output % period];
            windows[n].first += along->stride * (output / period);
            lead_taps *= windows[n].taps;
            lead_index = lead_index * min_word(period, along->outputs) + output % period;
            axis_phases += min_word(period, along->outputs);
            y_at += output * along->y_step;
        }
        const word planes = channels * lead_taps;
        const word num_rows = min_word(block_rows, longest - from); /* the last one may be shorter */
        for (word plane = 0; plane < planes; plane++) {
            int is_fill;
            const T *x = (const T *)xs + plane_at(x_at + plane / lead_taps * head->x_channel, plane % lead_taps, leads,
                                                  lead, windows, border, &is_fill);
            for (word r = 0; r < row_step; r++)
                for (word c = 0; c < col_step; c++)
                    NAME(copy_window)(copy + ((plane * row_step + r) * col_step + c) * plane_size, copy_row, x,
                                      row_step * from + r - rows->before, col_step * left + c - columns->before,
                                      row_step, col_step, num_rows + table->copy_rows - block_rows,
                                      cols + copy_row - table->block_columns, rows, columns, border,
                                      NAME(fill_of)(fill), is_fill);
        }
        for (word r = 0; r < row_phases; r++) {
            const word count = min_word(block_rows, (rows->outputs - r - 1) / rows->period + 1 - from);
            if (count <= 0) continue;
            const phase *unit_phases = phases + (lead_index * row_phases + r) * column_phases;
            NAME(row_block)((T *)ys + y_at + r * rows->y_step + from * y_row, y_row, head->y_filter, copy, copy_row, ws,
                            group, filters, unit_phases, offsets, columns, count, left, cols, sums);
        }
    }
    free(copy);
    return 0;
}

#undef FLAT_CHUNK
