/* Images of many channels of one kind of element at one level, any stride, dilation and upsampling.

   With a stride s and a dilation, tap k of output p meets sample s*p + o(k): of the samples that leave the same rest
   when divided by s, those of one tap are adjacent over p. So a block copies its samples apart by that rest, extended
   beyond the ends; rows of the copy follow each other, and all outputs of a block are one row for the loop of rows.h,
   the ends of rows computed and discarded. Outputs of an upsampled axis are phases, each with taps of its own, and
   interleaved when they are written. */

#define FLAT (512 / SIZE) /* outputs of a phase that are summed at a time: their samples of all channels stay near */

/* Write columns [first, stop) of every phase, of one row of outputs of one filter. */
INLINE void NAME(interleave_phases)(T *y, const T *sums, word sums_phase, const phased_axis *columns, word first,
                                    word stop)
{
    const word period = columns->period, outputs = columns->along.outputs, step = columns->along.y_step;
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
                                  const phased_axis *columns, word rows, T *sums)
{
    const word phase_count = least(columns->period, columns->along.outputs);
    const word cols = (columns->along.outputs - 1) / columns->period + 1, length = (rows - 1) * copy_row + cols;
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
    const images_table *table = tables;
    const word leads = table->lead_axes, groups = table->groups, filters = table->filters, channels = table->channels;
    const word bands = table->bands, band_rows = table->band_rows, copy_row = table->copy_row;
    const phased_axis *lead = (const phased_axis *)(table + 1), *rows = lead + leads, *columns = rows + 1;
    const word *border = (const word *)(columns + 1);
    const lead_phase *lead_phases = (const lead_phase *)(border + table->border);
    const phase *phases = (const phase *)(lead_phases + table->lead_phases);
    const word *offsets = (const word *)(phases + table->phases);
    const word row_phases = least(rows->period, rows->along.outputs), y_row = rows->period * rows->along.y_step;
    const word column_phases = least(columns->period, columns->along.outputs);
    const word row_step = rows->along.stride, col_step = columns->along.stride, part = table->copy_rows * copy_row;
    const word longest = (rows->along.outputs - 1) / rows->period + 1; /* rows of a phase */
    word places = 1;
    for (word n = 0; n < leads; n++) places *= lead[n].along.outputs;
    T *copy = malloc(sizeof(T) * (size_t)(table->room + FLAT * MOST_FILTERS * column_phases));
    if (copy == NULL) return 1;
    T *sums = copy + table->room;
    for (word unit = first; unit < stop; unit++) {
        const word from = unit % bands * band_rows;
        word rest = unit / bands, outputs = rest % places, which = 0, lead_taps = 1;
        rest /= places;
        const word batch = rest / groups, group = rest % groups;
        const word x_at = table->x_start + batch * table->x_batch + group * table->x_group;
        word y_at = table->y_start + batch * table->y_batch + group * table->y_group;
        lead_phase met[leads + 1]; /* by this output, of each axis */
        const lead_phase *own = lead_phases;
        for (word n = 0, left = places; n < leads; n++) {
            const axis *along = &lead[n].along;
            left /= along->outputs;
            const word output = outputs / left % along->outputs, period = lead[n].period;
            met[n] = own[output % period];
            met[n].first += along->stride * (output / period);
            lead_taps *= met[n].taps;
            which = which * least(period, along->outputs) + output % period;
            own += least(period, along->outputs);
            y_at += output * along->y_step;
        }
        const word planes = channels * lead_taps;
        const word band = least(band_rows, longest - from); /* the last one may be shorter */
        for (word plane = 0; plane < planes; plane++) {
            word tap = plane % lead_taps, sample = x_at + plane / lead_taps * table->x_channel;
            int is_fill = 0;
            for (word n = leads - 1; n >= 0; n--) {
                const axis *along = &lead[n].along;
                const word source = sample_at(met[n].first + along->dilation * (tap % met[n].taps), along, border);
                tap /= met[n].taps;
                is_fill |= source < 0;
                sample += source * along->x_step;
            }
            for (word r = 0; r < row_step; r++)
                for (word c = 0; c < col_step; c++)
                    NAME(copy_window)(copy + ((plane * row_step + r) * col_step + c) * part, copy_row,
                                      (const T *)xs + sample, row_step * from + r - rows->along.before,
                                      c - columns->along.before, row_step, col_step,
                                      band + table->copy_rows - band_rows, copy_row, &rows->along, &columns->along,
                                      border, (T)fill, is_fill);
        }
        for (word r = 0; r < row_phases; r++) {
            const word count = least(band_rows, (rows->along.outputs - r - 1) / rows->period + 1 - from);
            if (count <= 0) continue;
            const phase *own_phases = phases + (which * row_phases + r) * column_phases;
            NAME(row_band)((T *)ys + y_at + r * rows->along.y_step + from * y_row, y_row, table->y_filter, copy,
                           copy_row, ws, group, filters, own_phases, offsets, columns, count, sums);
        }
    }
    free(copy);
    return 0;
}

#undef FLAT
