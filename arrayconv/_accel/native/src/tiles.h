/* Register tiles of one kind of element at one level. A pass uses each sample that it loads for six rows of outputs,
   with its factors and sums in registers:

       for a vector of columns j:  y[r, j] += sum over t, c of  w[t, c] * x[r + t, j + c],   0 <= r < 6            */

/* A pass over one vector of columns; over its first `count` only, unless `count` is 0. `rows`, `taps` and `columns` are
   constants wherever this is inlined. */
INLINE void NAME(tile)(T *y, word y_row, const T *x, word x_row, V factors[TAP_ROWS][TAP_COLUMNS], int is_new,
                       word count, const int rows, const int taps, const int columns)
{
    V sums[TILE_ROWS];
    UNROLLED
    for (int r = 0; r < rows; r++) {
        if (is_new) sums[r] = (V){0};
        else sums[r] = count ? NAME(load_count)(y + r * y_row, count) : NAME(load)(y + r * y_row);
    }
    UNROLLED
    for (int q = 0; q < rows + taps - 1; q++) {
        UNROLLED
        for (int c = 0; c < columns; c++) {
            const T *from = x + q * x_row + c;
            V sample = count ? NAME(load_count)(from, count) : NAME(load)(from);
            IN_REGISTER(sample);
            UNROLLED
            for (int r = 0; r < rows; r++)
                if (q >= r && q < r + taps) sums[r] += sample * factors[q - r][c];
        }
    }
    UNROLLED
    for (int r = 0; r < rows; r++) {
        if (count) NAME(store_count)(y + r * y_row, sums[r], count);
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

/* A pass with numbers of rows and taps that are known at run time only. */
#define CASE(rows, taps, columns)                                                                                      \
    case ((rows) * 8 + (taps)) * 8 + (columns):                                                                        \
        NAME(pass)(y, y_row, x, x_row, w, w_row, is_new, size, rows, taps, columns);                                   \
        return;
#define COLUMNS(rows, taps) CASE(rows, taps, 1) CASE(rows, taps, 2) CASE(rows, taps, 3)
#define TAPS(rows) COLUMNS(rows, 1) COLUMNS(rows, 2) COLUMNS(rows, 3) COLUMNS(rows, 4) COLUMNS(rows, 5)
TARGET static void NAME(run_pass)(T *y, word y_row, const T *x, word x_row, const T *w, word w_row, int is_new,
                                  word size, word rows, word taps, word columns)
{
    switch ((rows * 8 + taps) * 8 + columns) {
        TAPS(1)
        TAPS(TILE_ROWS)
    }
}
#undef CASE
#undef COLUMNS
#undef TAPS

/* Add a plane of taps, `tap_rows` x `tap_cols` with a dilation of `col_step` along columns, to a block of outputs,
   `rows` x `cols`. `may_repeat`: rows may be computed twice. */
TARGET static void NAME(plane)(T *y, word y_row, const T *x, word x_row, word col_step, const T *w, word tap_rows,
                               word tap_cols, word rows, word cols, int is_new, int may_repeat)
{
    const word row_passes = (tap_rows + TAP_ROWS - 1) / TAP_ROWS;
    const word col_passes = col_step == 1 ? (tap_cols + TAP_COLUMNS - 1) / TAP_COLUMNS : tap_cols;
    for (word row = 0, tile_rows = TILE_ROWS; row < rows; row += tile_rows) {
        if (row + TILE_ROWS > rows) {
            if (may_repeat && rows >= TILE_ROWS) row = rows - TILE_ROWS;
            else tile_rows = 1;
        }
        int is_first = is_new;
        for (word i = 0; i < row_passes; i++) {
            const word t = tap_rows * i / row_passes, pass_rows = tap_rows * (i + 1) / row_passes - t;
            for (word j = 0; j < col_passes; j++) {
                const word c = tap_cols * j / col_passes, pass_cols = tap_cols * (j + 1) / col_passes - c;
                NAME(run_pass)(y + row * y_row, y_row, x + (row + t) * x_row + c * col_step, x_row,
                               w + t * tap_cols + c, tap_cols, is_first, cols, tile_rows, pass_rows, pass_cols);
                is_first = 0;
            }
        }
    }
}

/* Write the blocks [first, stop) of outputs. Returns 0, or 1 if memory can't be allocated. */
TARGET static int NAME(tiles)(const void *xs, const void *ws, void *ys, const void *tables, word fill, word first,
                              word stop)
{
    const planes_head *head = tables;
    const tiles_table *table = (const tiles_table *)(head + 1);
    const axis *lead = (const axis *)(table + 1), *vertical = lead + head->lead_axes, *horizontal = vertical + 1;
    const word *border = (const word *)(horizontal + 1), *row_cut = border + head->border;
    const word *col_cut = row_cut + table->row_cuts;
    const word row_blocks = table->row_cuts - 1, col_blocks = table->col_cuts - 1;
    const word leads = head->lead_axes, filters = head->filters, tap_rows = vertical->taps;
    const word tap_cols = horizontal->taps, col_step = horizontal->dilation, y_row = vertical->y_step;
    word places = 1, lead_taps = 1;
    for (word n = 0; n < leads; n++) {
        places *= lead[n].outputs;
        lead_taps *= lead[n].taps;
    }
    const word planes = head->channels * lead_taps;
    T *copy = malloc(sizeof(T) * (size_t)max_word(head->copy_size, 1));
    if (copy == NULL) return 1;
    for (word unit = first; unit < stop; unit++) {
        word quotient = unit / col_blocks, block = unit % col_blocks;
        const word row_block = quotient % row_blocks;
        quotient /= row_blocks;
        word output = quotient % places;
        quotient /= places;
        const word batch = quotient / head->groups, group = quotient % head->groups;
        const word rows = row_cut[row_block + 1] - row_cut[row_block], cols = col_cut[block + 1] - col_cut[block];
        const word top = row_cut[row_block] - vertical->before, left = col_cut[block] - horizontal->before;
        const word sample_rows = rows + tap_rows - 1, sample_cols = cols + (tap_cols - 1) * col_step;
        const int inside = top >= 0 && left >= 0 && top + sample_rows <= vertical->size &&
                           left + sample_cols <= horizontal->size;
        const word x_at = head->x_start + head->x_batch * batch + head->x_group * group;
        word y_at = head->y_start + head->y_batch * batch + head->y_group * group;
        y_at += row_cut[row_block] * y_row + col_cut[block];
        window windows[leads + 1];
        for (word n = leads - 1; n >= 0; n--) {
            const word p = output % lead[n].outputs;
            output /= lead[n].outputs;
            windows[n] = (window){lead[n].stride * p - lead[n].before, lead[n].taps};
            y_at += p * lead[n].y_step;
        }
        for (word plane = 0; plane < planes; plane++) {
            int is_fill;
            const T *x = (const T *)xs + plane_at(x_at + plane / lead_taps * head->x_channel, plane % lead_taps, leads,
                                                  lead, windows, border, &is_fill);
            const int in_place = inside && !is_fill && horizontal->x_step == 1 && !table->copies;
            const T *samples = copy;
            if (in_place) samples = x + top * vertical->x_step + left;
            else
                NAME(copy_window)(copy, head->copy_row, x, top, left, 1, 1, sample_rows, sample_cols, vertical,
                                  horizontal, border, NAME(fill_of)(fill), is_fill);
            for (word filter = 0; filter < filters; filter++) {
                const word w_at = ((group * filters + filter) * planes + plane) * tap_rows * tap_cols;
                NAME(plane)((T *)ys + y_at + filter * head->y_filter, y_row, samples,
                            in_place ? vertical->x_step : head->copy_row, col_step, (const T *)ws + w_at, tap_rows,
                            tap_cols, rows, cols, plane == 0, planes == 1);
            }
        }
    }
    free(copy);
    return 0;
}
