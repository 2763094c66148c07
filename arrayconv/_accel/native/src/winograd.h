/* Images or lines of many channels of one kind of element at one level, by the transforms of winograd_tiles.h.

   A block of tiles of outputs copies the samples of one plane after the other, those of each column of a tile apart,
   and transforms them; the products, summed over all planes, are rows for the loop of rows.h, one for each part.
   Blocks below each other along the axis before the tiles, the deep axis, are adjacent units, and share planes: each
   stays in the slot of its position's remainder until another takes that. The kernel comes transformed:
   factors[parts][groups][filters][planes]. A sample that is not finite makes all outputs of its tiles so: where that
   matters the loop stops at the first such output. */

#define NO_POSITION INT64_MIN

/* Return the slot of the plane at a position of the deep axis, the `number`th of as many as there are slots, each
   `step` after the one before. */
INLINE word NAME(slot_of)(word position, word number, word step, word slots)
{
    return step == 1 ? (position % slots + slots) % slots : number;
}

/* Write the blocks [first, stop) of outputs. Returns 0, 1 if memory can't be allocated, 2 where `checks` and an output
   is not finite. */
TARGET static int NAME(winograd)(const void *xs, const void *ws, void *ys, const void *tables, word fill, word first,
                                 word stop)
{
    const planes_head *head = tables;
    const winograd_table *table = (const winograd_table *)(head + 1);
    const word leads = head->lead_axes, groups = head->groups, filters = head->filters, channels = head->channels;
    const axis *lead = (const axis *)(table + 1), *rows = lead + leads, *columns = rows + 1;
    const word *border = (const word *)(columns + 1);
    const word copy_row = head->copy_row, tile_row = table->tile_row, step = table->step;
    const tile_shape tile = tile_of(step);
    word places = 1, lead_taps = 1;
    for (word n = 0; n < leads; n++) places *= lead[n].outputs, lead_taps *= lead[n].taps;
    const word planes = channels * lead_taps;
    const word part_size = planes * tile_row + LANES; /* no multiple of what maps to the same lines of the L1 cache */
    const word all_rows = (rows->outputs + tile.rows - 1) / tile.rows;
    const word all_columns = (columns->outputs + tile.columns - 1) / tile.columns;
    const word phase = tile_samples(step, table->block_rows) * copy_row;
    const size_t sizes[] = {(size_t)(3 * tile.columns * phase), (size_t)(tile.parts * part_size + LANES),
                            (size_t)(tile.parts * MAX_FILTERS * tile_row),
                            (size_t)((tile.rows + 1) * tile.columns * tile_row)};
    size_t total = (size_t)(2 * planes) * sizeof(word) + LINE_BYTES;
    for (int n = 0; n < 4; n++) total += whole_lines(sizes[n] * sizeof(T));
    char *memory = malloc(total);
    if (memory == NULL) return 1;
    T *parts[4];
    parts[0] = (T *)(memory + LINE_BYTES - (uintptr_t)memory % LINE_BYTES);
    for (int n = 1; n < 4; n++) parts[n] = parts[n - 1] + whole_lines(sizes[n - 1] * sizeof(T)) / sizeof(T);
    T *copy = parts[0], *samples = parts[1], *sums = parts[2], *tiles = parts[3];
    memset(copy, 0, (size_t)((char *)sums - (char *)copy)); /* vectors contain more than the tiles of a block */
    word *offsets = (word *)(tiles + whole_lines(sizes[3] * sizeof(T)) / sizeof(T)), *tags = offsets + planes;
    const axis single = {.outputs = 1, .taps = 1}, *deep = leads ? rows - 1 : &single;
    V differences = {0};
    int failed = 0;
    for (word unit = first; unit < stop && !failed; unit++) {
        word quotient = unit / deep->outputs;
        const word left = quotient % table->column_blocks * table->block_columns;
        quotient /= table->column_blocks;
        const word top = quotient % table->row_blocks * table->block_rows;
        quotient /= table->row_blocks;
        const word outputs = quotient % (places / deep->outputs) * deep->outputs + unit % deep->outputs;
        quotient /= places / deep->outputs;
        const word batch = quotient / groups, group = quotient % groups;
        const word x_at = head->x_start + batch * head->x_batch + group * head->x_group;
        word y_at = head->y_start + batch * head->y_batch + group * head->y_group;
        window windows[leads + 1];
        for (word n = 0, inner = places; n < leads; n++) {
            inner /= lead[n].outputs;
            const word output = outputs / inner % lead[n].outputs;
            windows[n] = (window){lead[n].stride * output - lead[n].before, lead[n].taps};
            y_at += output * lead[n].y_step;
        }
        const word num_rows = min_word(table->block_rows, all_rows - top);
        const word num_columns = min_word(table->block_columns, all_columns - left);
        const word count = num_rows * num_columns;
        for (word n = 0; n < planes && (unit == first || unit % deep->outputs == 0); n++) tags[n] = NO_POSITION;
        for (word n = 0; n < planes; n++) {
            const word tap = n % deep->taps, position = leads ? windows[leads - 1].first + deep->dilation * tap : 0;
            const word slot = n - tap + NAME(slot_of)(position, tap, deep->dilation, deep->taps);
            offsets[n] = slot * tile_row;
            if (tags[slot] == position) continue;
            tags[slot] = position;
            int is_fill;
            const T *x = (const T *)xs + plane_at(x_at + n / lead_taps * head->x_channel, n % lead_taps, leads, lead,
                                                  windows, border, &is_fill);
            NAME(copy_tiles)(step, copy, phase, copy_row, x, top, left, num_rows, num_columns, rows, columns, border,
                             NAME(fill_of)(fill), is_fill);
            NAME(transform_samples)(step, samples + offsets[n], part_size, copy, phase, copy_row, num_rows,
                                    num_columns);
        }
        T *y = (T *)ys + y_at + tile.rows * top * rows->y_step;
        for (word filter = 0, pass_filters; filter < filters; filter += pass_filters) {
            pass_filters = FILTERS_PER_PASS(filters - filter);
            for (word part = 0; part < tile.parts; part++)
                NAME(row_multi_filter)(sums + part * MAX_FILTERS * tile_row, tile_row,
                                       samples + part * part_size, offsets,
                                       (const T *)ws + ((part * groups + group) * filters + filter) * planes, planes,
                                       planes, (count + LANES - 1) / LANES * LANES, pass_filters);
            for (word f = 0; f < pass_filters; f++) {
                differences += NAME(transform_sums)(step, tiles, tile_row, sums + f * tile_row,
                                                    MAX_FILTERS * tile_row, count);
                T *to = y + (filter + f) * head->y_filter;
                for (word row = 0; row < min_word(tile.rows * num_rows, rows->outputs - tile.rows * top); row++)
                    NAME(write_columns)(step, to + row * rows->y_step, tiles + tile.rows * tile.columns * tile_row,
                                        tiles + row % tile.rows * tile.columns * tile_row +
                                            row / tile.rows * num_columns,
                                        tile_row, columns, left, left + num_columns);
            }
        }
        for (int lane = 0; table->checks && lane < LANES; lane++) failed |= 2 * (differences[lane] != 0);
    }
    free(memory);
    return failed;
}
