/* Rows of a pass: sums of windows, and means of many samples, whose cost hardly depends on their number. */

/* How a pass sums: its weights in the order of their terms; then results are rounded. */
typedef struct {
    const filter_pass *pass;
    const A *w;
    word how; /* see SUM */
    const number_format *format;
} SN(rule);

/* Write sums, scaled and rounded: as they are stored or, to a line, as numbers of the sums. */
INLINE void SN(write)(void *y, word at, V sums, word count, const int is_line, const word rounding,
                      const number_format *format, const SN(scale) scale)
{
    const V value = SN(rounded)(SN(scaled)(sums, scale), rounding, format);
    if (is_line) SN(store_sums)((A *)y + at, value);
    else SN(store_count)((S *)y + at, value, count);
}

/* Write `count` outputs. A vector of samples is read at least, of more outputs only those of their windows. */
INLINE void SN(write_sums)(void *y, const void *x, const word *offsets, const SN(rule) *rule, word count,
                           const SN(scale) scale, const int reads_line, const int writes_line, const int how,
                           const word rounding)
{
    const A *w = rule->w;
    const word terms = rule->pass->terms;
    V sums[SUM_VECTORS];
    word j = 0;
    for (; j + SUM_VECTORS * LANES <= count; j += SUM_VECTORS * LANES) {
        SN(form_sums)(sums, x, j, reads_line, offsets, w, terms, SUM_VECTORS, how);
        UNROLLED
        for (int v = 0; v < SUM_VECTORS; v++)
            SN(write)(y, j + v * LANES, sums[v], LANES, writes_line, rounding, rule->format, scale);
    }
    while (j < count) {
        if (j + LANES > count && count >= LANES) j = count - LANES; /* some of them once more */
        SN(form_sums)(sums, x, j, reads_line, offsets, w, terms, 1, how);
        SN(write)(y, j, *sums, count - j, writes_line, rounding, rule->format, scale);
        j += LANES;
    }
}

/* Write `count` outputs of a pass; of more than a vector no sample is read but those of their windows. */
TARGET static void SN(sum_windows)(S *y, const S *x, const word *offsets, const SN(rule) *rule, word count)
{
    const SN(scale) scale = SN(scale_of)(rule->pass);
    /* compiled for each way to sum and to round: neither is decided in a loop */
#define SUMMED(how, rounding)                                                                                          \
    case MAX_ROUNDINGS * how + rounding:                                                                               \
        SN(write_sums)(y, x, offsets, rule, count, scale, 0, 0, how, rounding);                                        \
        break;
    switch (MAX_ROUNDINGS * rule->how + SN(rounding_of)(rule->format)) { SUMMED_CASES(SUMMED) }
#undef SUMMED
}

/* The same from rows to a line, and from a line to a row. Lines have numbers of the sums. */
TARGET static void SN(sum_to_line)(A *y, const S *x, const word *offsets, const SN(rule) *rule, word count)
{
    if (sizeof(S) == sizeof(A)) {
        SN(sum_windows)((S *)y, x, offsets, rule, count);
        return;
    }
    const SN(scale) scale = SN(scale_of)(rule->pass);
#define SUMMED(how, rounding)                                                                                          \
    case how: SN(write_sums)(y, x, offsets, rule, count, scale, 0, 1, how, LINE_ROUNDING); break;
    switch (rule->how) { FLOAT_CASES(SUMMED) }
#undef SUMMED
}

TARGET static void SN(sum_line)(S *y, const A *x, const word *offsets, const SN(rule) *rule, word count)
{
    if (sizeof(S) == sizeof(A)) {
        SN(sum_windows)(y, (const S *)x, offsets, rule, count);
        return;
    }
    const SN(scale) scale = SN(scale_of)(rule->pass);
#define SUMMED(how, rounding)                                                                                          \
    case how: SN(write_sums)(y, x, offsets, rule, count, scale, 1, 0, how, ROUND_none); break;
    switch (rule->how) { FLOAT_CASES(SUMMED) }
#undef SUMMED
}

/* Copy a row to a line. */
TARGET static void SN(widen)(A *to, const S *from, word count)
{
    for (word j = 0; j < count; j += LANES) SN(store_sums)(to + j, SN(load)(from + j));
}

/* Add `terms` numbers of a line, `step` from each other. */
INLINE void SN(add_sums)(V *sums, const A *from, word step, word terms, const int vectors)
{
    for (word t = 0; t < terms; t++)
        UNROLLED
        for (int v = 0; v < vectors; v++) sums[v] += SN(load_sums)(from + t * step + v * LANES);
}

/* Write sums of `terms` neighbours: `count` of them and up to SUM_VECTORS vectors. */
TARGET static void SN(sum_neighbours)(A *z, const A *x, word step, word terms, word count)
{
    for (word j = 0; j < count; j += SUM_VECTORS * LANES) {
        V sums[SUM_VECTORS] = {{0}};
        SN(add_sums)(sums, x + j, step, terms, SUM_VECTORS);
        for (int v = 0; v < SUM_VECTORS; v++) SN(store_sums)(z + j + v * LANES, sums[v]);
    }
}

/* How many samples are summed first, how many of those sums next, and what remains: of a window of some more than
   MANY_TERMS about the cube root each, else the root. Every sum of a window is formed in the same order, whatever the
   axis and the position. */
typedef struct {
    word few, some; /* samples of a sum, and of a sum of sums */
    word many, short_rest, single; /* of these, of those and of samples in a window */
} SN(levels);

static SN(levels) SN(levels_of)(word terms)
{
    word few = 1;
    const int cube = terms > MANY_TERMS;
    while ((few + 1) * (few + 1) * (cube ? few + 1 : 1) <= terms) few++;
    const word some = cube ? few * few : few, rest = terms % some;
    return (SN(levels)){few, some, terms / some, cube ? rest / few : 0, cube ? rest % few : rest};
}

/* Write the means at one place of a line, from sums of both levels. */
INLINE void SN(write_means)(S *y, const A *x, const A *short_sums, const A *sums, word step, const SN(rule) *rule,
                            const SN(levels) n, const SN(scale) scale, const int vectors, word count)
{
    V sum[SUM_VECTORS] = {{0}};
    SN(add_sums)(sum, sums, n.some * step, n.many, vectors);
    SN(add_sums)(sum, short_sums + n.many * n.some * step, n.few * step, n.short_rest, vectors);
    SN(add_sums)(sum, x + (rule->pass->terms - n.single) * step, step, n.single, vectors);
    UNROLLED
    for (int v = 0; v < vectors; v++)
        SN(write)(y, v * LANES, sum[v], count - v * LANES, 0, rule->format->rounding, rule->format, scale);
}

/* Write the means of many samples along a line, `step` numbers from each other. */
TARGET static void SN(long_row)(const filter_job *job, S *y, const A *x, word step, const SN(rule) *rule, word count)
{
    const word terms = rule->pass->terms;
    const SN(levels) n = SN(levels_of)(terms);
    const SN(scale) scale = SN(scale_of)(rule->pass);
    A *short_sums = job->sums, *sums = n.some > n.few ? short_sums + job->sums_size : short_sums;
    SN(sum_neighbours)(short_sums, x, step, n.few, count + (terms - n.few) * step);
    if (n.some > n.few) SN(sum_neighbours)(sums, short_sums, n.few * step, n.few, count + (n.many - 1) * n.some * step);
    word j = 0;
    for (; j + SUM_VECTORS * LANES <= count; j += SUM_VECTORS * LANES)
        SN(write_means)(y + j, x + j, short_sums + j, sums + j, step, rule, n, scale, SUM_VECTORS, SUM_VECTORS * LANES);
    for (; j < count; j += LANES)
        SN(write_means)(y + j, x + j, short_sums + j, sums + j, step, rule, n, scale, 1, count - j);
}

/* Write the means of many samples below each other, for up to SUM_VECTORS vectors of columns: in the order of a row. */
INLINE void SN(long_strip)(const filter_job *job, S *y, word y_pitch, const S *x, word pitch, word rows,
                           const SN(rule) *rule, const int vectors, word count)
{
    const word terms = rule->pass->terms, line = vectors * LANES;
    const SN(levels) n = SN(levels_of)(terms);
    const SN(scale) scale = SN(scale_of)(rule->pass);
    A *short_sums = job->sums, *sums = n.some > n.few ? short_sums + job->sums_size : short_sums;
    for (word row = 0; row < rows + terms - n.few; row++) {
        V sum[SUM_VECTORS] = {{0}};
        for (word t = 0; t < n.few; t++)
            UNROLLED
            for (int v = 0; v < vectors; v++) sum[v] += SN(load)(x + (row + t) * pitch + v * LANES);
        for (int v = 0; v < vectors; v++) SN(store_sums)(short_sums + row * line + v * LANES, sum[v]);
    }
    for (word row = 0; n.some > n.few && row < rows + (n.many - 1) * n.some; row++) {
        V sum[SUM_VECTORS] = {{0}};
        SN(add_sums)(sum, short_sums + row * line, n.few * line, n.few, vectors);
        for (int v = 0; v < vectors; v++) SN(store_sums)(sums + row * line + v * LANES, sum[v]);
    }
    for (word row = 0; row < rows; row++) {
        V sum[SUM_VECTORS] = {{0}};
        SN(add_sums)(sum, sums + row * line, n.some * line, n.many, vectors);
        SN(add_sums)(sum, short_sums + (row + n.many * n.some) * line, n.few * line, n.short_rest, vectors);
        for (word t = terms - n.single; t < terms; t++)
            UNROLLED
            for (int v = 0; v < vectors; v++) sum[v] += SN(load)(x + (row + t) * pitch + v * LANES);
        UNROLLED
        for (int v = 0; v < vectors; v++)
            SN(write)(y, row * y_pitch + v * LANES, sum[v], count - v * LANES, 0, rule->format->rounding, rule->format,
                      scale);
    }
}

/* The same of whole numbers, whose sums are exact: sums from which the sample before the window is subtracted. */
INLINE void SN(running_strip)(S *y, word y_pitch, const S *x, word pitch, word rows, const SN(rule) *rule,
                              const int vectors, word count)
{
    const word terms = rule->pass->terms;
    const SN(scale) scale = SN(scale_of)(rule->pass);
    V sum[SUM_VECTORS] = {{0}};
    for (word row = 1 - terms; row < rows; row++) {
        UNROLLED
        for (int v = 0; v < vectors; v++) sum[v] += SN(load)(x + (row + terms - 1) * pitch + v * LANES);
        if (row < 0) continue;
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            SN(write)(y, row * y_pitch + v * LANES, sum[v], count - v * LANES, 0, rule->format->rounding, rule->format,
                      scale);
            sum[v] -= SN(load)(x + row * pitch + v * LANES);
        }
    }
}

/* Write the means of many samples below each other, strip by strip. */
TARGET static void SN(long_columns)(const filter_job *job, S *y, word y_pitch, const S *x, word pitch, word rows,
                                    const SN(rule) *rule, int is_whole, word count)
{
    const word terms = rule->pass->terms, most = max_word(LONG_ROWS, terms), wide = SUM_VECTORS * LANES;
    for (word j = 0, columns; j < count; j += columns) {
        const int is_wide = j + wide <= count && terms <= WIDE_TERMS;
        columns = is_wide ? wide : min_word(LANES, count - j);
        if (is_whole && is_wide) SN(running_strip)(y + j, y_pitch, x + j, pitch, rows, rule, SUM_VECTORS, wide);
        else if (is_whole) SN(running_strip)(y + j, y_pitch, x + j, pitch, rows, rule, 1, columns);
        for (word row = 0, part; !is_whole && row < rows; row += part) {
            S *to = y + row * y_pitch + j;
            const S *from = x + row * pitch + j;
            part = min_word(most, rows - row);
            if (is_wide) SN(long_strip)(job, to, y_pitch, from, pitch, part, rule, SUM_VECTORS, wide);
            else SN(long_strip)(job, to, y_pitch, from, pitch, part, rule, 1, columns);
        }
    }
}
