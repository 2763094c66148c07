/* Images of many channels of one kind of element at one level, any stride, dilation and upsampling.

   With a stride s and a dilation, tap k of output p meets sample s*p + o(k): of the samples that leave the same rest
   when divided by s, those of one tap are adjacent over p. So a block copies its samples apart by that rest, extended
   beyond the ends; rows of the copy follow each other, and all outputs of a block are one row for the loop of rows.h,
   the ends of rows computed and discarded. Outputs of an upsampled axis are phases, each with taps of its own, and
   interleaved when they are written. */

#define FLAT (512 / SIZE) /* outputs of a phase that are summed at a time: their samples of all channels stay near */

/* Write columns [first, stop) of every phase, of one row of outputs of one filter. */
INLINE void NAME(interleave_phases)(T *y, const T *sums, word sums_phase, const axis *columns, word first,
                                    word stop)
{
    const word period = columns->period, outputs = columns->outputs, step = columns->y_step;
    if (period == 1 && step == 1) {
        memcpy(y + first, sums, sizeof(T) * (size_t)(least(stop, outputs) - first));
        return;
    }
    if (period == 2 && step == 1) {
        const word both = least(stop, outputs / 2);
        const T *even = sums, *odd = sums + sums_phase;
        for (word j = first; j < both; j++) {
            y[2 * j] = even[j - first];
            y[2 * j + 1] = odd[j - first];
        }
        if (both < stop && outputs % 2) y[outputs - 1] = even[both - first];
        return;
    }
    for (word n = 0; n < least(period, outputs); n++) {
        const word end = least(stop, (outputs - n + period - 1) / period);
        for (word j = first; j < end; j++) y[(n + period * j) * step] = sums[n * sums_phase + j - first];
    }
}

/* Write outputs of a block: `rows` of one phase of rows, every phase of columns, of which `phases` is the first. */
TARGET static void NAME(row_band)(T *y, word y_row, word y_filter, const T *copy, word copy_row, const T *ws,
                                  word group, word filters, const phase *phases, const word *offsets,
                                  const axis *columns, word rows, T *sums)
{
    const word phase_count = least(columns->period, columns->outputs);
    const word cols = (columns->outputs - 1) / columns->period + 1, length = (rows - 1) * copy_row + cols;
    for (word at = 0; at < length; at += FLAT) {
        const word count = least(FLAT, length - at);
        for (word filter = 0, taken; filter < filters; filter += taken) {
            taken = FILTERS_PER_PASS(filters - filter);
            for (word n = 0; n < phase_count; n++) {
                const word terms = phases[n].terms;
                const T *w = ws + phases[n].factors + (group * filters + filter) * terms;
                NAME(row_multi_filter)(sums + n * FLAT * MOST_FILTERS, FLAT, copy + at, offsets + phases[n].offsets, w,
                                       terms, terms, count, taken);
            }
            for (word row = at / copy_row, begin = at; begin < at + count; row++, begin = row * copy_row) {
                const word first = begin - row * copy_row, stop = least(cols, at + count - row * copy_row);
                if (first >= stop) continue;
                for (word f = 0; f < taken; f++)
                    NAME(interleave_phases)(y + row * y_row + (filter + f) * y_filter, sums + f * FLAT + begin - at,
                                            FLAT * MOST_FILTERS, columns, first, stop);
            }
        }
    }
}

/* Write the blocks [first, stop) of outputs. Returns 0, or 1 where there is no memory. */
TARGET static int NAME(images)(const void *xs, const void *ws, void *ys, const void *tables, double fill, word first,
                               word stop)
{
    const planes_head *head = tables;
    const images_table *table = (const images_table *)(head + 1);
    const word leads = head->lead_axes, groups = head->groups, filters = head->filters, channels = head->channels;
    const word bands = table->bands, band_rows = table->band_rows, copy_row = head->copy_row;
    const axis *lead = (const axis *)(table + 1), *rows = lead + leads, *columns = rows + 1;
    const word *border = (const word *)(columns + 1);
    const lead_phase *lead_phases = (const lead_phase *)(border + head->border);
    const phase *phases = (const phase *)(lead_phases + table->lead_phases);
    const word *offsets = (const word *)(phases + table->phases);
    const word row_phases = least(rows->period, rows->outputs), y_row = rows->period * rows->y_step;
    const word column_phases = least(columns->period, columns->outputs);
    const word row_step = rows->stride, col_step = columns->stride, part = table->copy_rows * copy_row;
    const word longest = (rows->outputs - 1) / rows->period + 1; /* rows of a phase */
    word places = 1;
    for (word n = 0; n < leads; n++) places *= lead[n].outputs;
    T *copy = malloc(sizeof(T) * (size_t)(head->room + FLAT * MOST_FILTERS * column_phases));
    if (copy == NULL) return 1;
    T *sums = copy + head->room;
    for (word unit = first; unit < stop; unit++) {
        const word from = unit % bands * band_rows;
        word rest = unit / bands, outputs = rest % places, which = 0, lead_taps = 1;
        rest /= places;
        const word batch = rest / groups, group = rest % groups;
        const word x_at = head->x_start + batch * head->x_batch + group * head->x_group;
        word y_at = head->y_start + batch * head->y_batch + group * head->y_group;
        met meets[leads + 1];
        const lead_phase *own = lead_phases;
        for (word n = 0, left = places; n < leads; n++) {
            const axis *along = lead + n;
            left /= along->outputs;
            const word output = outputs / left % along->outputs, period = along->period;
            meets[n] = own[output % period];
            meets[n].first += along->stride * (output / period);
            lead_taps *= meets[n].taps;
            which = which * least(period, along->outputs) + output % period;
            own += least(period, along->outputs);
            y_at += output * along->y_step;
        }
        const word planes = channels * lead_taps;
        const word band = least(band_rows, longest - from); /* the last one may be shorter */
        for (word plane = 0; plane < planes; plane++) {
            int is_fill;
            const T *x = (const T *)xs + plane_at(x_at + plane / lead_taps * head->x_channel, plane % lead_taps, leads,
                                                  lead, meets, border, &is_fill);
            for (word r = 0; r < row_step; r++)
                for (word c = 0; c < col_step; c++)
                    NAME(copy_window)(copy + ((plane * row_step + r) * col_step + c) * part, copy_row, x,
                                      row_step * from + r - rows->before, c - columns->before, row_step, col_step,
                                      band + table->copy_rows - band_rows, copy_row, rows, columns, border, (T)fill,
                                      is_fill);
        }
        for (word r = 0; r < row_phases; r++) {
            const word count = least(band_rows, (rows->outputs - r - 1) / rows->period + 1 - from);
            if (count <= 0) continue;
            const phase *own_phases = phases + (which * row_phases + r) * column_phases;
            NAME(row_band)((T *)ys + y_at + r * rows->y_step + from * y_row, y_row, head->y_filter, copy,
                           copy_row, ws, group, filters, own_phases, offsets, columns, count, sums);
        }
    }
    free(copy);
    return 0;
}

#undef FLAT
