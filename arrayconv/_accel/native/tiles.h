/* Register tiles of one kind of element at one level. What one pass loads it uses for six rows of outputs, with its
   factors and sums in registers:

       for a vector of columns j:  y[r, j] += sum over t, c of  w[t, c] * x[r + t, j + c],   0 <= r < 6            */

/* A pass over one vector of columns, or the first `count` of one where that is not 0; `rows`, `taps` and `columns` are
   constants wherever this is inlined. */
INLINE void NAME(tile)(T *y, word y_row, const T *x, word x_row, V factors[TAP_ROWS][TAP_COLUMNS], int is_new,
                       word count, const int rows, const int taps, const int columns)
{
    V sums[ROWS];
    UNROLLED
    for (int r = 0; r < rows; r++) {
        if (is_new) sums[r] = (V){0};
        else sums[r] = count ? NAME(load_some)(y + r * y_row, count) : NAME(load)(y + r * y_row);
    }
    UNROLLED
    for (int q = 0; q < rows + taps - 1; q++) {
        UNROLLED
        for (int c = 0; c < columns; c++) {
            const T *from = x + q * x_row + c;
            V seen = count ? NAME(load_some)(from, count) : NAME(load)(from);
            HELD(seen);
            UNROLLED
            for (int r = 0; r < rows; r++)
                if (q >= r && q < r + taps) sums[r] += seen * factors[q - r][c];
        }
    }
    UNROLLED
    for (int r = 0; r < rows; r++) {
        if (count) NAME(store_some)(y + r * y_row, sums[r], count);
        else NAME(store)(y + r * y_row, sums[r]);
    }
}

INLINE void NAME(pass)(T *y, word y_row, const T *x, word x_row, const T *w, word w_row, int is_new, word size,
                       const int rows, const int taps, const int columns)
{
    V factors[TAP_ROWS][TAP_COLUMNS];
    for (int t = 0; t < taps; t++)
        for (int c = 0; c < columns; c++) factors[t][c] = NAME(splat)(w[t * w_row + c]);
    word j = 0;
    for (; j + LANES <= size; j += LANES)
        NAME(tile)(y + j, y_row, x + j, x_row, factors, is_new, 0, rows, taps, columns);
    if (j < size) NAME(tile)(y + j, y_row, x + j, x_row, factors, is_new, size - j, rows, taps, columns);
}

/* A pass with numbers of rows and taps that are known when it runs. */
#define CASE(rows, taps, columns)                                                                                      \
    case ((rows) * 8 + (taps)) * 8 + (columns):                                                                        \
        NAME(pass)(y, y_row, x, x_row, w, w_row, is_new, size, rows, taps, columns);                              \
        return;
#define COLUMNS(rows, taps) CASE(rows, taps, 1) CASE(rows, taps, 2) CASE(rows, taps, 3)
#define TAPS(rows) COLUMNS(rows, 1) COLUMNS(rows, 2) COLUMNS(rows, 3) COLUMNS(rows, 4) COLUMNS(rows, 5)
TARGET static void NAME(some)(T *y, word y_row, const T *x, word x_row, const T *w, word w_row, int is_new, word size,
                              word rows, word taps, word columns)
{
    switch ((rows * 8 + taps) * 8 + columns) {
        TAPS(1)
        TAPS(ROWS)
    }
}
#undef CASE
#undef COLUMNS
#undef TAPS

/* Add a plane of taps to a block of outputs, `down` rows of `across` columns; `again`: rows may be computed twice. */
TARGET static void NAME(plane)(T *y, word y_row, const T *x, word x_row, word hop, const T *w, word taps, word columns,
                               word down, word across, int is_new, int again)
{
    const word high = (taps + TAP_ROWS - 1) / TAP_ROWS, wide = hop == 1 ? (columns + TAP_COLUMNS - 1) / TAP_COLUMNS : columns;
    for (word row = 0, rows = ROWS; row < down; row += rows) {
        if (row + ROWS > down) {
            if (again && down >= ROWS) row = down - ROWS;
            else rows = 1;
        }
        int fresh = is_new;
        for (word i = 0; i < high; i++) {
            const word t = taps * i / high, tap_rows = taps * (i + 1) / high - t;
            for (word j = 0; j < wide; j++) {
                const word c = columns * j / wide, tap_columns = columns * (j + 1) / wide - c;
                NAME(some)(y + row * y_row, y_row, x + (row + t) * x_row + c * hop, x_row, w + t * columns + c,
                           columns, fresh, across, rows, tap_rows, tap_columns);
                fresh = 0;
            }
        }
    }
}

/* Copy `down` rows of `across` samples, from position `top`, `left` on and so many steps apart, extended beyond the ends
   of x. */
TARGET static void NAME(extended)(T *copy, word copy_row, const T *x, word x_row, word x_column, word top, word left,
                                  word down_step, word across_step, word down, word across, const axis *rows,
                                  const axis *columns, const word *beyond, T fill, int is_blank)
{
    const word inside = least(most((across_step - 1 - left) / across_step, 0), across);
    const word outside = least(most((columns->size - left + across_step - 1) / across_step, inside), across);
    const word step = x_column * across_step;
    for (word row = 0; row < down; row++, copy += copy_row) {
        const word at = is_blank ? -1 : sample_at(top + down_step * row, rows, beyond);
        if (at < 0) {
            for (word column = 0; column < across; column++) copy[column] = fill;
            continue;
        }
        const T *from = x + at * x_row, *start = from + left * x_column;
        if (step == 1) memcpy(copy + inside, start + inside, sizeof(T) * (size_t)(outside - inside));
        else
            for (word column = inside; column < outside; column++) copy[column] = start[column * step];
        for (word column = 0; column < across; column++) {
            if (column == inside) column = outside;
            if (column == across) break;
            const word source = sample_at(left + across_step * column, columns, beyond);
            copy[column] = source < 0 ? fill : from[source * x_column];
        }
    }
}

/* Write the blocks [first, stop) of outputs. The table: how many axes before the last two, samples beyond the ends, ends
   of blocks of rows and of columns, samples that a block meets at most; of batch, groups, channels and filters how
   many, the step in x and the step in y; 0, where x and y start; the step from row to row of what a block copies,
   whether all do, 0; every axis, as `axis` says; which samples stand beyond the ends, -1 for the fill; where the blocks
   of rows and of columns begin, and the last ends. */
TARGET static int NAME(tiles)(const void *xs, const void *ws, void *ys, const word *table, double filling, word first,
                              word stop)
{
    const word leads = table[0], beyonds = table[1], bands = table[2] - 1, blocks = table[3] - 1;
    const word(*counts)[3] = (const word(*)[3])(table + 5);
    const axis *lead = (const axis *)(table + 23), *rows = lead + leads, *columns = rows + 1;
    const word *beyond = (const word *)(columns + 1), *band_at = beyond + beyonds, *block_at = band_at + bands + 1;
    const word taps = rows->taps, hop = columns->dilation, y_row = rows->in_y, x_column = columns->in_x;
    const word copy_row = counts[5][0], copies = counts[5][1];
    word places = 1, lead_taps = 1;
    for (word number = 0; number < leads; number++) {
        places *= lead[number].outputs;
        lead_taps *= lead[number].taps;
    }
    const word planes = counts[2][0] * lead_taps;
    T *copy = malloc(sizeof(T) * (size_t)most(table[4], 1));
    if (copy == NULL) return 1;
    for (word unit = first; unit < stop; unit++) {
        word rest = unit / blocks, block = unit % blocks;
        const word band = rest % bands;
        rest /= bands;
        const word place = rest % places;
        rest /= places;
        const word batch = rest / counts[1][0], group = rest % counts[1][0];
        const word down = band_at[band + 1] - band_at[band], across = block_at[block + 1] - block_at[block];
        const word top = band_at[band] - rows->before, left = block_at[block] - columns->before;
        const word high = down + taps - 1, wide = across + (columns->taps - 1) * hop;
        const int inside = top >= 0 && left >= 0 && top + high <= rows->size && left + wide <= columns->size;
        for (word plane = 0; plane < planes; plane++) {
            word tap = plane % lead_taps, outputs = place;
            word x_at = counts[4][1] + counts[0][1] * batch + counts[1][1] * group + counts[2][1] * (plane / lead_taps);
            word y_at = counts[4][2] + counts[0][2] * batch + counts[1][2] * group;
            y_at += band_at[band] * y_row + block_at[block];
            int is_blank = 0;
            for (word number = leads - 1; number >= 0; number--) {
                const axis *along = lead + number;
                const word output = outputs % along->outputs, k = tap % along->taps;
                outputs /= along->outputs;
                tap /= along->taps;
                const word position = along->stride * output + along->dilation * k - along->before;
                const word source = sample_at(position, along, beyond);
                is_blank |= source < 0;
                x_at += source * along->in_x;
                y_at += output * along->in_y;
            }
            const int direct = inside && !is_blank && x_column == 1 && !copies;
            const T *x = (const T *)xs + x_at, *seen = copy;
            if (direct) seen = x + top * rows->in_x + left;
            else
                NAME(extended)(copy, copy_row, x, rows->in_x, x_column, top, left, 1, 1, high, wide, rows, columns,
                               beyond, (T)filling, is_blank);
            for (word filter = 0; filter < counts[3][0]; filter++) {
                const word w_at = ((group * counts[3][0] + filter) * planes + plane) * taps * columns->taps;
                NAME(plane)((T *)ys + y_at + filter * counts[3][2], y_row, seen, direct ? rows->in_x : copy_row, hop,
                            (const T *)ws + w_at, taps, columns->taps, down, across, plane == 0, planes == 1);
            }
        }
    }
    free(copy);
    return 0;
}
