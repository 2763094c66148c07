/* Few outputs of many channels over many positions, such as the gradient of a kernel, of one kind of element at one
   level: up to 3 x 3 of images, up to 3 q of lines, by the transforms of winograd_tiles.h. Planes of samples stay in
   slots as in winograd.h, here from tap to tap of the deep axis. A filter is a lane: the samples of a part are the
   factors, and the transformed w the row, of the loop of rows.h. */

/* Copy `num_rows` rows of w of `filters` filters, a position after the other, of `lanes` elements; zeros beyond `rows`
   and `cols`. Filter by filter, since each is in pages of its own. */
TARGET static void NAME(copy_factors)(T *to, word lanes, word num_rows, word positions, const T *w,
                                      const winograd_dots_table *table, word filters, word rows, word cols)
{
    const word count = min_word(positions, cols);
    if (filters < lanes || rows < num_rows || cols < positions)
        memset(to, 0, sizeof(T) * (size_t)(num_rows * positions * lanes));
    for (word n = 0; n < filters; n++)
        for (word row = 0; row < min_word(num_rows, rows); row++) {
            const T *from = w + n * table->w_filter + row * table->w_row;
            T *at = to + row * positions * lanes + n;
            if (table->w_column == 1)
                for (word c = 0; c < count; c++) at[c * lanes] = from[c];
            else
                for (word c = 0; c < count; c++) at[c * lanes] = from[c * table->w_column];
        }
}

/* Write the outputs of `filters` filters from their sums, `part` elements apart. */
TARGET static void NAME(write_taps)(word step, T *y, word y_filter, const axis *rows, const axis *columns,
                                    const T *sums, word part, word filters)
{
    const word columns_of_tile = step ? 3 * step : 3;
    for (word lane = 0; lane < filters; lane += LANES) {
        V outputs[3 * WINOGRAD_STEPS];
        NAME(join_sums)(step, outputs, sums + lane, part);
        for (word i = 0; i < rows->outputs; i++)
            for (word j = 0; j < columns->outputs; j++)
                for (word n = 0; n < min_word(LANES, filters - lane); n++)
                    y[(lane + n) * y_filter + i * rows->y_step + j * columns->y_step] =
                        outputs[columns_of_tile * i + j][n];
    }
}

TARGET static void NAME(add_lanes)(T *to, const T *from, word lanes)
{
    for (word lane = 0; lane < lanes; lane += LANES)
        NAME(store)(to + lane, NAME(load)(to + lane) + NAME(load)(from + lane));
}

/* Write the units [first, stop): the outputs of a block of filters of a group. Returns 0, or 1 if memory can't be
   allocated. */
TARGET static int NAME(winograd_dots)(const void *xs, const void *ws, void *ys, const void *tables, word fill,
                                      word first, word stop)
{
    const planes_head *head = tables;
    const winograd_dots_table *table = (const winograd_dots_table *)(head + 1);
    const word leads = head->lead_axes;
    const axis *lead = (const axis *)(table + 1), *rows = lead + leads, *columns = rows + 1;
    const word *border = (const word *)(columns + 1), *w_lead = border + head->border;
    const word copy_row = head->copy_row, tile_row = table->tile_row, lanes = table->lanes, step = table->step;
    const tile_shape tile = tile_of(step);
    word places = 1, lead_taps = 1;
    for (word n = 0; n < leads; n++) places *= lead[n].outputs, lead_taps *= lead[n].taps;
    const word planes = head->batch * places, phase = tile_samples(step, table->block_rows) * copy_row;
    const word tiles = table->block_rows * table->block_columns;
    const word samples_part = planes * tile_row + LANES, factors_part = tiles * lanes + LANES;
    const word sums_part = planes * lanes;
    const size_t sizes[] = {(size_t)(3 * tile.columns * phase), (size_t)(tile.parts * samples_part + LANES),
                            (size_t)(tile.parts * factors_part), (size_t)(tile.parts * sums_part),
                            (size_t)(MAX_FILTERS * lanes),
                            (size_t)(tile.rows * tile.columns * table->block_columns * lanes)};
    size_t total = (size_t)(tiles + 2 * planes) * sizeof(word) + LINE_BYTES;
    for (int n = 0; n < 6; n++) total += whole_lines(sizes[n] * sizeof(T));
    char *memory = malloc(total);
    if (memory == NULL) return 1;
    T *parts[6];
    parts[0] = (T *)(memory + LINE_BYTES - (uintptr_t)memory % LINE_BYTES);
    for (int n = 1; n < 6; n++) parts[n] = parts[n - 1] + whole_lines(sizes[n - 1] * sizeof(T)) / sizeof(T);
    T *copy = parts[0], *samples = parts[1], *factors = parts[2], *sums = parts[3], *row = parts[4];
    T *positions = parts[5];
    memset(copy, 0, (size_t)((char *)factors - (char *)copy)); /* vectors contain more than the tiles of a block */
    word *offsets = (word *)(positions + whole_lines(sizes[5] * sizeof(T)) / sizeof(T));
    for (word n = 0; n < tiles; n++) offsets[n] = n * lanes;
    word *tags = offsets + tiles, *plane_of = tags + planes;
    const axis single = {.outputs = 1, .taps = 1}, *deep = leads ? rows - 1 : &single;
    const word tile_rows = (rows->taps + tile.rows - 1) / tile.rows;
    const word tile_columns = (columns->taps + tile.columns - 1) / tile.columns;
    const word row_blocks = (tile_rows + table->block_rows - 1) / table->block_rows;
    const word column_blocks = (tile_columns + table->block_columns - 1) / table->block_columns;
    for (word unit = first; unit < stop; unit++) {
        const word filter = unit % table->filter_blocks * lanes, group = unit / table->filter_blocks;
        const word filters = min_word(lanes, head->filters - filter);
        memset(sums, 0, sizes[3] * sizeof(T));
        for (word n = 0; n < head->channels * lead_taps * row_blocks * column_blocks; n++) {
            const word block = n / deep->taps % (row_blocks * column_blocks);
            const word leading = n / deep->taps / (row_blocks * column_blocks) * deep->taps + n % deep->taps;
            const word channel = leading / lead_taps, tap = leading % lead_taps;
            const word top = block / column_blocks * table->block_rows;
            const word left = block % column_blocks * table->block_columns;
            word w_at = group * table->w_group + filter * table->w_filter + channel * table->w_channel;
            for (word axis = leads - 1, rest = tap; axis >= 0; rest /= lead[axis--].taps)
                w_at += rest % lead[axis].taps * w_lead[axis];
            const word num_rows = min_word(table->block_rows, tile_rows - top);
            const word num_columns = min_word(table->block_columns, tile_columns - left);
            const word count = num_rows * num_columns;
            for (word r = 0; r < num_rows; r++) {
                const word w_row = tile.rows * (top + r), w_column = tile.columns * left;
                const T *w = (const T *)ws + w_at + w_row * table->w_row + w_column * table->w_column;
                NAME(copy_factors)(positions, lanes, tile.rows, tile.columns * num_columns, w, table, filters,
                                   rows->taps - w_row, columns->taps - w_column);
                NAME(transform_factors)(step, factors + r * num_columns * lanes, factors_part, positions, lanes,
                                        num_columns);
            }
            for (word p = 0; p < planes && n % deep->taps == 0; p++) tags[p] = NO_POSITION;
            for (word p = 0; p < planes; p++) {
                window windows[leads + 1];
                for (word axis = leads - 1, rest = p % places; axis >= 0; rest /= lead[axis--].outputs)
                    windows[axis] = (window){lead[axis].stride * (rest % lead[axis].outputs) - lead[axis].before,
                                             lead[axis].taps};
                const word output = p % deep->outputs;
                const word position = leads ? windows[leads - 1].first + deep->dilation * (tap % deep->taps) : 0;
                const word slot = p - output + NAME(slot_of)(position, output, deep->stride, deep->outputs);
                plane_of[slot] = p;
                if (tags[slot] == position) continue;
                tags[slot] = position;
                int is_fill;
                const word x_at = head->x_start + p / places * head->x_batch + group * head->x_group +
                                  channel * head->x_channel;
                const T *x = (const T *)xs + plane_at(x_at, tap, leads, lead, windows, border, &is_fill);
                NAME(copy_tiles)(step, copy, phase, copy_row, x, top, left, num_rows, num_columns, rows, columns,
                                 border, NAME(fill_of)(fill), is_fill);
                NAME(transform_samples)(step, samples + slot * tile_row, samples_part, copy, phase, copy_row,
                                        num_rows, num_columns);
            }
            for (word part = 0; part < tile.parts; part++)
                for (word slot = 0, pass; slot < planes; slot += pass) {
                    pass = FILTERS_PER_PASS(planes - slot);
                    NAME(row_multi_filter)(row, lanes, factors + part * factors_part, offsets,
                                           samples + part * samples_part + slot * tile_row, tile_row, count, lanes,
                                           pass);
                    for (word f = 0; f < pass; f++)
                        NAME(add_lanes)(sums + part * sums_part + plane_of[slot + f] * lanes, row + f * lanes, lanes);
                }
        }
        for (word p = 0; p < planes; p++) {
            word y_at = head->y_start + p / places * head->y_batch + group * head->y_group + filter * head->y_filter;
            for (word axis = leads - 1, rest = p % places; axis >= 0; rest /= lead[axis--].outputs)
                y_at += rest % lead[axis].outputs * lead[axis].y_step;
            NAME(write_taps)(step, (T *)ys + y_at, head->y_filter, rows, columns, sums + p * lanes, sums_part, filters);
        }
    }
    free(memory);
    return 0;
}
