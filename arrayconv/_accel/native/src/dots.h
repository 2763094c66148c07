/* Dot products of one kind of element at one level: few outputs, each a sum over many positions.

       y[f, j] = sum over runs r and positions p of a run  w[f, r, p] * x[column[j] + start[r] + p]

   The sums of a few filters and columns stay in registers, with the positions of a run in their lanes, over as many
   runs as fit in the L1 cache; then they are added to the sums of the runs before. */

#if VECTOR == 64
#define DOT_COLUMNS(filters) ((filters) == 1 ? 9 : 6)
#else
#define DOT_COLUMNS(filters) ((filters) == 1 ? 8 : (filters) == 4 ? 2 : 4)
#endif

/* Add to sums[filters][count] the products of a chunk's runs. `filters` and `count` are constants wherever this is
   inlined. */
INLINE void NAME(dot_runs)(V *sums, word sums_filter, const T *w, word w_filter, const T *x, const word *column,
                           const dots_table *table, const outer_axis *outer, word chunk, const int filters,
                           const int count)
{
    const word axes = table->outer_axes, run = table->run;
    V sum[DOT_FILTERS][DOT_MAX_COLUMNS];
    const T *samples[DOT_MAX_COLUMNS];
    word index[axes];
    UNROLLED
    for (int c = 0; c < count; c++) {
        samples[c] = x + column[c];
        UNROLLED
        for (int f = 0; f < filters; f++) sum[f][c] = sums[f * sums_filter + c];
    }
    for (word n = 0; n < axes; n++) index[n] = 0;
    word x_at = 0, w_at = 0;
    for (;;) {
#define DOT_PRODUCTS(loaded)                                                                                           \
    V factor[DOT_FILTERS];                                                                                             \
    UNROLLED                                                                                                           \
    for (int f = 0; f < filters; f++) {                                                                                \
        factor[f] = loaded(w + f * w_filter + w_at + p);                                                               \
        IN_REGISTER(factor[f]);                                                                                        \
    }                                                                                                                  \
    UNROLLED                                                                                                           \
    for (int c = 0; c < count; c++) {                                                                                  \
        V sample = loaded(samples[c] + x_at + p);                                                                      \
        IN_REGISTER(sample);                                                                                           \
        UNROLLED                                                                                                       \
        for (int f = 0; f < filters; f++) sum[f][c] += factor[f] * sample;                                             \
    }
        word p = 0;
        for (; p + LANES <= run; p += LANES) {
            DOT_PRODUCTS(NAME(load))
        }
        if (p < run) {
            const word rest = run - p;
#define LOAD_REST(from) NAME(load_count)(from, rest)
            DOT_PRODUCTS(LOAD_REST)
#undef LOAD_REST
        }
#undef DOT_PRODUCTS
        word n = axes - 1;
        for (; n >= 0; n--) {
            const word size = n ? outer[n].size : chunk;
            x_at += outer[n].x_step;
            w_at += outer[n].w_step;
            if (++index[n] < size) break;
            index[n] = 0;
            x_at -= size * outer[n].x_step;
            w_at -= size * outer[n].w_step;
        }
        if (n < 0) break;
    }
    UNROLLED
    for (int c = 0; c < count; c++) {
        UNROLLED
        for (int f = 0; f < filters; f++) sums[f * sums_filter + c] = sum[f][c];
    }
}

/* The same for all columns. */
INLINE void NAME(dot_columns)(V *sums, const T *w, const T *x, const word *column, const dots_table *table,
                              const outer_axis *outer, word chunk, const int filters)
{
    const word columns = table->columns;
    word c = 0;
#define RUNS(count)                                                                                                    \
    NAME(dot_runs)(sums + c, columns, w, table->w_filter, x, column + c, table, outer, chunk, filters, count)
    for (; c + DOT_COLUMNS(filters) <= columns; c += DOT_COLUMNS(filters)) RUNS(DOT_COLUMNS(filters));
#define CASE(count)                                                                                                    \
    case count:                                                                                                        \
        if (count < DOT_COLUMNS(filters)) RUNS(count);                                                                 \
        break;
    switch (columns - c) { CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) }
#undef CASE
#undef RUNS
}

TARGET static void NAME(dot_filters)(V *sums, const T *w, const T *x, const word *column, const dots_table *table,
                                     const outer_axis *outer, word chunk, word filters)
{
    if (filters == 4) NAME(dot_columns)(sums, w, x, column, table, outer, chunk, 4);
    else if (filters == 3) NAME(dot_columns)(sums, w, x, column, table, outer, chunk, 3);
    else if (filters == 2) NAME(dot_columns)(sums, w, x, column, table, outer, chunk, 2);
    else NAME(dot_columns)(sums, w, x, column, table, outer, chunk, 1);
}

/* Write the units [first, stop): DOT_FILTERS filters of a group each, for all columns. */
TARGET static int NAME(dots)(const void *xs, const void *ws, void *ys, const void *tables, word fill, word first,
                             word stop)
{
    (void)fill; /* every sample is inside x */
    const dots_table *table = tables;
    const outer_axis *outer = (const outer_axis *)(table + 1);
    const word *column = (const word *)(outer + table->outer_axes), *y_column = column + table->columns;
    const word columns = table->columns, blocks = (table->filters + DOT_FILTERS - 1) / DOT_FILTERS;
    const size_t bytes = (size_t)(DOT_FILTERS * columns) * sizeof(V);
    char *memory = malloc(bytes + VECTOR);
    if (memory == NULL) return 1;
    V *sums = (V *)(((uintptr_t)memory + VECTOR - 1) & ~(uintptr_t)(VECTOR - 1));
    for (; first < stop; first++) {
        const word group = first / blocks, filter = first % blocks * DOT_FILTERS;
        const word filters = min_word(DOT_FILTERS, table->filters - filter);
        const T *x = (const T *)xs + table->x_start + group * table->x_group;
        const T *w = (const T *)ws + group * table->w_group + filter * table->w_filter;
        T *y = (T *)ys + table->y_start + group * table->y_group + filter * table->y_filter;
        memset(sums, 0, bytes);
        for (word start = 0; start < outer[0].size; start += table->chunk)
            NAME(dot_filters)(sums, w + start * outer[0].w_step, x + start * outer[0].x_step, column, table, outer,
                              min_word(table->chunk, outer[0].size - start), filters);
        for (word f = 0; f < filters; f++)
            for (word c = 0; c < columns; c++) {
                const V lanes = sums[f * columns + c];
                T total = 0;
                for (int lane = 0; lane < LANES; lane++) total += lanes[lane];
                y[f * table->y_filter + y_column[c]] = total;
            }
    }
    free(memory);
    return 0;
}
#undef DOT_COLUMNS
