/* Images of many channels under 3 x 3 taps of one kind of element at one level, by Winograd's transform F(2x2, 3x3):
   2 x 2 outputs take 16 products per channel rather than 36.

       y = A' ((G w G') * (B' x B)) A,    B' = 1  0 -1  0   G = 1    0    0    A' = 1  1  1  0
                                               0  1  1  0       1/2  1/2  1/2       0  1 -1 -1
                                               0 -1  1  0       1/2 -1/2  1/2
                                               0  1  0 -1       0    0    1

   A block of tiles of outputs copies the samples of one plane after the other, of even and of odd columns apart, and
   transforms them; the products, summed over all planes, are rows for the loop of rows.h, one for each of the 16
   parts. Blocks below each other along the axis before the rows, the deep axis, are adjacent units, and share planes:
   each stays in the slot of its position's remainder until another takes that. The kernel comes transformed:
   factors[16][groups][filters][planes]. A sample that is not finite makes all outputs of its tiles so: where that
   matters the loop stops at the first such output. */

#define PARTS_OF_TILE 16
#define NO_POSITION INT64_MIN

/* Write (G w G') of the kernels [first, stop), a part after the other: y[16][kernels] from x[kernels][3][3]. */
TARGET static int NAME(winograd_kernels)(const void *xs, const void *ws, void *ys, const void *tables, word fill,
                                         word first, word stop)
{
    (void)ws, (void)fill;
    const word kernels = ((const winograd_kernels_table *)tables)->kernels;
    for (word start = first; start < stop; start += LANES) {
        const word count = min_word(LANES, stop - start);
        V taps[3][4];
        for (int i = 0; i < 3; i++)
            for (int j = 0; j < 3; j++) {
                T column[LANES] = {0};
                for (word n = 0; n < count; n++) column[n] = ((const T *)xs)[(start + n) * 9 + 3 * i + j];
                taps[i][j] = NAME(load)(column);
            }
        for (int i = 0; i < 3; i++) {
            const V ends = taps[i][0] + taps[i][2], middle = taps[i][1];
            taps[i][3] = taps[i][2];
            taps[i][1] = (ends + middle) * (T)0.5;
            taps[i][2] = (ends - middle) * (T)0.5;
        }
        T *to = (T *)ys + start;
        for (int j = 0; j < 4; j++, to += kernels) {
            const V ends = taps[0][j] + taps[2][j], middle = taps[1][j];
            NAME(store_count)(to, taps[0][j], count);
            NAME(store_count)(to + 4 * kernels, (ends + middle) * (T)0.5, count);
            NAME(store_count)(to + 8 * kernels, (ends - middle) * (T)0.5, count);
            NAME(store_count)(to + 12 * kernels, taps[2][j], count);
        }
    }
    return 0;
}

/* Write the parts of `rows` x `cols` tiles of a plane, `part` elements apart, from rows of even and of odd columns. A
   row writes up to a vector beyond its tiles. */
TARGET static void NAME(transform_samples)(T *to, word part, const T *even, const T *odd, word copy_row, word rows,
                                           word cols)
{
    for (word row = 0; row < rows; row++, even += 2 * copy_row, odd += 2 * copy_row)
        for (word col = 0; col < cols; col += LANES) {
            V lines[4][4]; /* by column, by row */
            UNROLLED
            for (int i = 0; i < 4; i++) {
                const word at = i * copy_row + col;
                lines[0][i] = NAME(load)(even + at);
                lines[1][i] = NAME(load)(odd + at);
                lines[2][i] = NAME(load)(even + at + 1);
                lines[3][i] = NAME(load)(odd + at + 1);
            }
            UNROLLED
            for (int j = 0; j < 4; j++) {
                V *line = lines[j];
                const V first = line[0] - line[2], second = line[1] + line[2], third = line[2] - line[1];
                line[3] = line[1] - line[3];
                line[0] = first, line[1] = second, line[2] = third;
            }
            T *at = to + row * cols + col;
            UNROLLED
            for (int i = 0; i < 4; i++, at += 4 * part) {
                NAME(store)(at, lines[0][i] - lines[2][i]);
                NAME(store)(at + part, lines[1][i] + lines[2][i]);
                NAME(store)(at + 2 * part, lines[2][i] - lines[1][i]);
                NAME(store)(at + 3 * part, lines[1][i] - lines[3][i]);
            }
        }
}

/* Write the four outputs of `tiles` tiles, each `tile_row` elements from the one before, from sums that are `part`
   elements apart. Return zeros, or NaN where an output is not finite. */
TARGET static V NAME(transform_sums)(T *to, word tile_row, const T *from, word part, word tiles)
{
    V differences = {0};
    for (word tile = 0; tile < tiles; tile += LANES) {
        V both[2][4];
        UNROLLED
        for (int j = 0; j < 4; j++) {
            const T *at = from + j * part + tile;
            const V second = NAME(load)(at + 4 * part), third = NAME(load)(at + 8 * part);
            both[0][j] = NAME(load)(at) + second + third;
            both[1][j] = second - third - NAME(load)(at + 12 * part);
        }
        UNROLLED
        for (int i = 0; i < 2; i++) {
            const V second = both[i][1], third = both[i][2];
            const V even = both[i][0] + second + third, odd = second - third - both[i][3];
            NAME(store)(to + 2 * i * tile_row + tile, even);
            NAME(store)(to + (2 * i + 1) * tile_row + tile, odd);
            differences += (even - even) + (odd - odd);
        }
    }
    return differences;
}

/* Split rows of samples into those of even and those of odd columns. */
TARGET static void NAME(split_columns)(T *restrict even, T *restrict odd, const T *restrict from, word rows, word cols)
{
    for (word n = 0; n < rows * cols; n++) {
        even[n] = from[2 * n];
        odd[n] = from[2 * n + 1];
    }
}

/* Return the slot of the plane at a position of the deep axis, the `number`th of as many as there are slots, each `step`
   after the one before. */
INLINE word NAME(slot_of)(word position, word number, word step, word slots)
{
    return step == 1 ? (position % slots + slots) % slots : number;
}

/* Write the blocks [first, stop) of outputs. Returns 0, 1 if memory can't be allocated, 2 where `checks` and an output is
   not finite. */
TARGET static int NAME(winograd)(const void *xs, const void *ws, void *ys, const void *tables, word fill, word first,
                                 word stop)
{
    const planes_head *head = tables;
    const winograd_table *table = (const winograd_table *)(head + 1);
    const word leads = head->lead_axes, groups = head->groups, filters = head->filters, channels = head->channels;
    const axis *lead = (const axis *)(table + 1), *rows = lead + leads, *columns = rows + 1;
    const word *border = (const word *)(columns + 1);
    const word copy_row = head->copy_row, tile_row = table->tile_row;
    word places = 1, lead_taps = 1;
    for (word n = 0; n < leads; n++) places *= lead[n].outputs, lead_taps *= lead[n].taps;
    const word planes = channels * lead_taps;
    const word part_size = planes * tile_row + LANES; /* not a multiple of what maps to the same lines of the L1 cache */
    const word plane = (2 * table->block_rows + 2) * copy_row;
    const size_t sizes[] = {(size_t)(4 * plane), (size_t)(PARTS_OF_TILE * part_size + LANES),
                            (size_t)(PARTS_OF_TILE * MAX_FILTERS * tile_row), (size_t)(4 * tile_row)};
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
        const word num_rows = min_word(table->block_rows, (rows->outputs + 1) / 2 - top);
        const word num_columns = min_word(table->block_columns, (columns->outputs + 1) / 2 - left);
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
            NAME(copy_window)(copy, 2 * copy_row, x, 2 * top - rows->before, 2 * left - columns->before, 1, 1,
                              2 * num_rows + 2, 2 * num_columns + 2, rows, columns, border, NAME(fill_of)(fill),
                              is_fill);
            T *even = copy + 2 * plane, *odd = even + plane;
            NAME(split_columns)(even, odd, copy, 2 * num_rows + 2, copy_row);
            NAME(transform_samples)(samples + offsets[n], part_size, even, odd, copy_row, num_rows, num_columns);
        }
        T *y = (T *)ys + y_at + 2 * top * rows->y_step;
        for (word filter = 0, pass_filters; filter < filters; filter += pass_filters) {
            pass_filters = FILTERS_PER_PASS(filters - filter);
            for (word part = 0; part < PARTS_OF_TILE; part++)
                NAME(row_multi_filter)(sums + part * MAX_FILTERS * tile_row, tile_row,
                                       samples + part * part_size, offsets,
                                       (const T *)ws + ((part * groups + group) * filters + filter) * planes, planes,
                                       planes, (count + LANES - 1) / LANES * LANES, pass_filters);
            for (word f = 0; f < pass_filters; f++) {
                differences += NAME(transform_sums)(tiles, tile_row, sums + f * tile_row, MAX_FILTERS * tile_row,
                                                    count);
                T *to = y + (filter + f) * head->y_filter;
                for (word row = 0; row < min_word(2 * num_rows, rows->outputs - 2 * top); row++)
                    NAME(interleave_phases)(to + row * rows->y_step,
                                            tiles + row % 2 * 2 * tile_row + row / 2 * num_columns, tile_row, columns,
                                            left, left + num_columns);
            }
        }
        for (int lane = 0; table->checks && lane < LANES; lane++) failed |= 2 * (differences[lane] != 0);
    }
    free(memory);
    return failed;
}

#undef PARTS_OF_TILE
