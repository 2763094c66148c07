/* Images of many channels of one kind of element at one level, any stride, dilation and upsampling.

   With a stride s and a dilation, tap k of output p meets sample s*p + o(k): of the samples that leave the same rest when
   divided by s, those of one tap are adjacent over p. So a block copies its samples apart by that rest, extended beyond
   the ends; rows of the copy follow each other, and all outputs of a block are one row for the loop of rows.h, with some
   at the ends of rows that nobody wants. Outputs of an upsampled axis are phases, each with taps of its own, and woven
   together when they are written. */

#define FLAT (512 / SIZE) /* outputs of a phase that are summed at a time: their samples of all channels stay near */

/* Write columns [first, stop) of every phase, of one row of outputs of one filter. */
INLINE void NAME(woven)(T *y, const T *sums, word sums_phase, const phased *columns, word first, word stop)
{
    const word period = columns->period, outputs = columns->along.outputs, step = columns->along.in_y;
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
    for (word phase = 0; phase < least(period, outputs); phase++) {
        const word end = least(stop, (outputs - phase + period - 1) / period);
        for (word j = first; j < end; j++) y[(phase + period * j) * step] = sums[phase * sums_phase + j - first];
    }
}

/* Write outputs of a block: rows [0, down) of one phase of rows, every phase of columns. `phase` is the table's first
   entry for those: terms, where their offsets stand, where their factors do. */
TARGET static void NAME(band)(T *y, word y_row, word y_filter, const T *copy, word pitch, const T *ws, word group,
                              word filters, const word *phase, const word *offsets, const phased *columns, word down,
                              T *sums)
{
    const word phases = least(columns->period, columns->along.outputs);
    const word across = (columns->along.outputs - 1) / columns->period + 1, length = (down - 1) * pitch + across;
    for (word at = 0; at < length; at += FLAT) {
        const word some = least(FLAT, length - at);
        for (word filter = 0, shared; filter < filters; filter += shared) {
            shared = TOGETHER(filters - filter);
            for (word number = 0; number < phases; number++) {
                const word terms = phase[3 * number], *offset = offsets + phase[3 * number + 1];
                const T *w = ws + phase[3 * number + 2] + (group * filters + filter) * terms;
                NAME(several)(sums + number * FLAT * MOST_FILTERS, FLAT, copy + at, offset, w, terms, terms, some, shared);
            }
            for (word row = at / pitch, begin = at; begin < at + some; row++, begin = row * pitch) {
                const word first = begin - row * pitch, stop = least(across, at + some - row * pitch);
                if (first >= stop) continue;
                for (word f = 0; f < shared; f++)
                    NAME(woven)(y + row * y_row + (filter + f) * y_filter, sums + f * FLAT + begin - at, FLAT * MOST_FILTERS,
                                columns, first, stop);
            }
        }
    }
}

/* Write the blocks [first, stop) of outputs. The table: how many axes before the last two, samples beyond the ends, words
   of the phases of the axes before, phases of all axes together; groups, filters, channels; the steps of batch, group and
   channel in x, of batch, group and filter in y, where both start; blocks of rows, rows of a phase in each; rows of a copy
   and their step, samples of a copy; every axis, as `phased` says; which samples stand beyond the ends, -1 for the fill;
   of each phase of each of the axes before, where the first tap of the first output meets x, and its taps; for all phases
   together terms, where their offsets and their factors stand; those offsets. */
TARGET static int NAME(images)(const void *xs, const void *ws, void *ys, const word *table, double filling, word first,
                               word stop)
{
    const word leads = table[0], groups = table[4], filters = table[5], channels = table[6];
    const word bands = table[15], most_rows = table[16], high = table[17], pitch = table[18];
    const phased *lead = (const phased *)(table + 20), *rows = lead + leads, *columns = rows + 1;
    const word *beyond = (const word *)(columns + 1), *starts = beyond + table[1], *entries = starts + table[2];
    const word *offsets = entries + 3 * table[3];
    const word row_phases = least(rows->period, rows->along.outputs), y_row = rows->period * rows->along.in_y;
    const word column_phases = least(columns->period, columns->along.outputs);
    const word down_step = rows->along.stride, across_step = columns->along.stride, part = high * pitch;
    word places = 1;
    for (word number = 0; number < leads; number++) places *= lead[number].along.outputs;
    T *copy = malloc(sizeof(T) * (size_t)(table[19] + FLAT * MOST_FILTERS * column_phases));
    if (copy == NULL) return 1;
    T *sums = copy + table[19];
    for (word unit = first; unit < stop; unit++) {
        const word band = unit % bands, from = band * most_rows;
        word rest = unit / bands, outputs = rest % places, planes = channels, which = 0, lead_taps = 1;
        rest /= places;
        const word batch = rest / groups, group = rest % groups;
        word y_at = table[14] + batch * table[10] + group * table[11];
        const word x_at = table[13] + batch * table[7] + group * table[8];
        word around[2 * leads + 1];
        const word *start = starts;
        for (word number = 0, left = places; number < leads; number++) {
            const axis *along = &lead[number].along;
            left /= along->outputs;
            const word output = outputs / left % along->outputs, period = lead[number].period;
            const word *phase = start + 2 * (output % period);
            around[2 * number] = along->stride * (output / period) + phase[0];
            around[2 * number + 1] = phase[1];
            lead_taps *= phase[1];
            which = which * least(period, along->outputs) + output % period;
            start += 2 * least(period, along->outputs);
            y_at += output * along->in_y;
        }
        planes *= lead_taps;
        const word longest = (rows->along.outputs - 1) / rows->period + 1, here = least(most_rows, longest - from);
        for (word plane = 0; plane < planes; plane++) {
            word tap = plane % lead_taps, sample = x_at + plane / lead_taps * table[9];
            int is_blank = 0;
            for (word number = leads - 1; number >= 0; number--) {
                const axis *along = &lead[number].along;
                const word taps = around[2 * number + 1];
                const word source = sample_at(around[2 * number] + along->dilation * (tap % taps), along, beyond);
                tap /= taps;
                is_blank |= source < 0;
                sample += source * along->in_x;
            }
            for (word r = 0; r < down_step; r++)
                for (word c = 0; c < across_step; c++)
                    NAME(extended)(copy + ((plane * down_step + r) * across_step + c) * part, pitch,
                                   (const T *)xs + sample, rows->along.in_x, columns->along.in_x,
                                   down_step * from + r - rows->along.before, c - columns->along.before, down_step,
                                   across_step, here + high - most_rows, pitch, &rows->along, &columns->along, beyond,
                                   (T)filling, is_blank);
        }
        for (word r = 0; r < row_phases; r++) {
            const word down = least(most_rows, (rows->along.outputs - r - 1) / rows->period + 1 - from);
            if (down <= 0) continue;
            NAME(band)((T *)ys + y_at + r * rows->along.in_y + from * y_row, y_row, table[12], copy, pitch, ws, group,
                       filters, entries + 3 * (which * row_phases + r) * column_phases, offsets, columns, down, sums);
        }
    }
    free(copy);
    return 0;
}

#undef FLAT
