/* Up to 3 x 3 outputs of many channels over many positions, such as the gradient of a kernel, of one kind of element at one
   level, by Winograd's transform F(3x3, 2x2): 2 x 2 positions take 16 products per pair of channel and filter rather
   than 36.

       y = A' (sum over tiles of (G w G') * (B' x B)) A,    G = 1    0      A' = 1  1  1  0
                                                                1/2  1/2         0  1 -1  0
                                                                1/2 -1/2         0  1  1 -1
                                                                0    1

   with the B' of winograd.h, whose tiles of samples these are, and kept as there from tap to tap of the deep axis. A
   filter is a lane: the samples of a part are the factors, and the transformed w the row, of the loop of rows.h. */

#define PARTS_OF_TILE 16

/* Copy two rows of w of `filters` filters, a position after the other, of `lanes` elements; zeros beyond `rows` and
   `cols`. Filter by filter, since each is in pages of its own. */
TARGET static void NAME(copy_factors)(T *to, word lanes, word positions, const T *w, const winograd_dots_table *table,
                                      word filters, word rows, word cols)
{
    const word count = min_word(positions, cols);
    if (filters < lanes || rows < 2 || cols < positions) memset(to, 0, sizeof(T) * (size_t)(2 * positions * lanes));
    for (word n = 0; n < filters; n++)
        for (word row = 0; row < min_word(2, rows); row++) {
            const T *from = w + n * table->w_filter + row * table->w_row;
            T *at = to + row * positions * lanes + n;
            if (table->w_column == 1)
                for (word c = 0; c < count; c++) at[c * lanes] = from[c];
            else
                for (word c = 0; c < count; c++) at[c * lanes] = from[c * table->w_column];
        }
}

/* Write the parts of a row of tiles of such positions: a tile after the other, of `lanes` elements. */
TARGET static void NAME(transform_factors)(T *to, word part, const T *from, word lanes, word tiles)
{
    for (word at = 0; at < tiles * lanes; at += LANES) {
        const T *corner = from + at / lanes * lanes + at; /* of two positions */
        V columns[2][4];
        UNROLLED
        for (int j = 0; j < 2; j++) {
            const V first = NAME(load)(corner + j * lanes);
            const V second = NAME(load)(corner + (2 * tiles + j) * lanes);
            columns[j][0] = first;
            columns[j][1] = (first + second) * (T)0.5;
            columns[j][2] = (first - second) * (T)0.5;
            columns[j][3] = second;
        }
        T *z = to + at;
        UNROLLED
        for (int i = 0; i < 4; i++, z += 4 * part) {
            const V first = columns[0][i], second = columns[1][i];
            NAME(store)(z, first);
            NAME(store)(z + part, (first + second) * (T)0.5);
            NAME(store)(z + 2 * part, (first - second) * (T)0.5);
            NAME(store)(z + 3 * part, second);
        }
    }
}

/* Write the outputs of `filters` filters from their sums, `part` elements apart. */
TARGET static void NAME(write_taps)(T *y, word y_filter, const axis *rows, const axis *columns, const T *sums,
                                    word part, word filters)
{
    for (word lane = 0; lane < filters; lane += LANES) {
        V lines[3][4];
        for (int j = 0; j < 4; j++) {
            const T *at = sums + j * part + lane;
            const V second = NAME(load)(at + 4 * part), third = NAME(load)(at + 8 * part);
            lines[0][j] = NAME(load)(at) + second + third;
            lines[1][j] = second - third;
            lines[2][j] = second + third - NAME(load)(at + 12 * part);
        }
        for (int i = 0; i < rows->outputs; i++) {
            const V *line = lines[i], outputs[3] = {line[0] + line[1] + line[2], line[1] - line[2],
                                                    line[1] + line[2] - line[3]};
            for (int j = 0; j < columns->outputs; j++)
                for (word n = 0; n < min_word(LANES, filters - lane); n++)
                    y[(lane + n) * y_filter + i * rows->y_step + j * columns->y_step] = outputs[j][n];
        }
    }
}

TARGET static void NAME(add_lanes)(T *to, const T *from, word lanes)
{
    for (word lane = 0; lane < lanes; lane += LANES) NAME(store)(to + lane, NAME(load)(to + lane) + NAME(load)(from + lane));
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
    const word copy_row = head->copy_row, tile_row = table->tile_row, lanes = table->lanes;
    word places = 1, lead_taps = 1;
    for (word n = 0; n < leads; n++) places *= lead[n].outputs, lead_taps *= lead[n].taps;
    const word planes = head->batch * places, plane = (2 * table->block_rows + 2) * copy_row;
    const word tiles = table->block_rows * table->block_columns;
    const word samples_part = planes * tile_row + LANES, factors_part = tiles * lanes + LANES;
    const word sums_part = planes * lanes;
    const size_t sizes[] = {(size_t)(4 * plane), (size_t)(PARTS_OF_TILE * samples_part + LANES),
                            (size_t)(PARTS_OF_TILE * factors_part), (size_t)(PARTS_OF_TILE * sums_part),
                            (size_t)(MAX_FILTERS * lanes), (size_t)(4 * table->block_columns * lanes)};
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
    const word tile_rows = (rows->taps + 1) / 2, tile_columns = (columns->taps + 1) / 2;
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
                const T *w = (const T *)ws + w_at + 2 * (top + r) * table->w_row + 2 * left * table->w_column;
                NAME(copy_factors)(positions, lanes, 2 * num_columns, w, table, filters, rows->taps - 2 * (top + r),
                                   columns->taps - 2 * left);
                NAME(transform_factors)(factors + r * num_columns * lanes, factors_part, positions, lanes,
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
                NAME(copy_window)(copy, 2 * copy_row, x, 2 * top - rows->before, 2 * left - columns->before, 1, 1,
                                  2 * num_rows + 2, 2 * num_columns + 2, rows, columns, border, NAME(fill_of)(fill),
                                  is_fill);
                T *even = copy + 2 * plane, *odd = even + plane;
                NAME(split_columns)(even, odd, copy, 2 * num_rows + 2, copy_row);
                NAME(transform_samples)(samples + slot * tile_row, samples_part, even, odd, copy_row, num_rows,
                                        num_columns);
            }
            for (word part = 0; part < PARTS_OF_TILE; part++)
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
            NAME(write_taps)((T *)ys + y_at, head->y_filter, rows, columns, sums + p * lanes, sums_part, filters);
        }
    }
    free(memory);
    return 0;
}

#undef PARTS_OF_TILE
