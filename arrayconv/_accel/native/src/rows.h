/* Rows of outputs of one kind of element at one level, any number of axes, strides and channels.

       y[f, j] = sum over terms t of  w[f, t] * x[offset[t] + step * j]

   Sums stay in registers over all terms, in the order of the table: nothing is reassociated. Several filters f are
   summed in one pass, so that each sample is loaded once for all of them. */

#if PARTS == 2
#define FILTERS_PER_PASS(filters) 1
#else
#define FILTERS_PER_PASS(filters) filters_per_pass(filters)
#endif
#define HALVES (SIZE == 1 ? 2 : 1) /* sums of a vector */
#define MAX_VECTORS (8 / PARTS / HALVES)
#define SHARED_VECTORS ((VECTOR == 64 ? 4 : 2) / HALVES) /* per filter in a pass of several: registers hold no more */

/* Processors multiply no vectors of bytes. So the even and the odd bytes are summed apart, as numbers of two bytes, of
   which the upper one is discarded: sums are right modulo 2**8. A factor in both bytes is 257 times it, the same. */
#if SIZE == 1
typedef uint16_t NAME(half) __attribute__((vector_size(VECTOR)));

INLINE NAME(half) NAME(half_of)(V value, const int half) { return half ? (NAME(half))value >> 8 : (NAME(half))value; }

INLINE V NAME(joined)(const NAME(half) *halves) { return (V)((halves[0] & 0xff) | halves[1] << 8); }
#else
typedef V NAME(half);

INLINE V NAME(half_of)(V value, const int half) { return (void)half, value; }

INLINE V NAME(joined)(const V *halves) { return *halves; }
#endif

/* Write `vectors` vectors of outputs for each of `filters` filters; of the last vector only the first `count`
   elements, unless `count` is 0. `filters` and `vectors` are constants wherever this is inlined. The real and the
   imaginary part of a complex factor each multiply both parts of a sample, in a sum of their own. */
INLINE void NAME(sum_vectors)(T *y, word y_filter, const T *x, const word *offsets, const T *w, word w_filter,
                              word terms, const int filters, const int vectors, word count)
{
    NAME(half) sums[MAX_FILTERS][MAX_VECTORS][HALVES];
    V cross_sums[MAX_VECTORS];
    UNROLLED
    for (int f = 0; f < filters; f++) {
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            cross_sums[v] = (V){0};
            UNROLLED
            for (int h = 0; h < HALVES; h++) sums[f][v][h] = (NAME(half)){0};
        }
    }
    for (word t = 0; t < terms; t++) {
        const T *from = x + PARTS * offsets[t];
        NAME(half) sample[MAX_VECTORS][HALVES];
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            const V value = count && v == vectors - 1 ? NAME(load_count)(from + v * LANES, count)
                                                      : NAME(load)(from + v * LANES);
            UNROLLED
            for (int h = 0; h < HALVES; h++) {
                sample[v][h] = NAME(half_of)(value, h);
                if (filters > 1 || PARTS == 2) IN_REGISTER(sample[v][h]);
            }
        }
        UNROLLED
        for (int f = 0; f < filters; f++) {
            const NAME(half) factor = (NAME(half))NAME(splat)(w[f * w_filter + PARTS * t]);
            UNROLLED
            for (int v = 0; v < vectors; v++) {
                UNROLLED
                for (int h = 0; h < HALVES; h++) sums[f][v][h] += sample[v][h] * factor;
            }
        }
#if PARTS == 2
        V factor = NAME(splat)(w[PARTS * t + 1]);
        UNROLLED
        for (int v = 0; v < vectors; v++) cross_sums[v] += *sample[v] * factor;
#endif
    }
    UNROLLED
    for (int f = 0; f < filters; f++) {
        UNROLLED
        for (int v = 0; v < vectors; v++) {
#if PARTS == 2
            for (int lane = 0; lane < LANES; lane += 2) {
                sums[f][v][0][lane] -= cross_sums[v][lane + 1];
                sums[f][v][0][lane + 1] += cross_sums[v][lane];
            }
#endif
            const V value = NAME(joined)(sums[f][v]);
            T *to = y + f * y_filter + v * LANES;
            if (count && v == vectors - 1) NAME(store_count)(to, value, count);
            else NAME(store)(to, value);
        }
    }
}

/* Write `count` contiguous outputs from contiguous samples, for each of `filters` filters. */
INLINE void NAME(row_contiguous)(T *y, word y_filter, const T *x, const word *offsets, const T *w, word w_filter,
                                 word terms, word count, const int filters)
{
    const int widest = filters > 1 ? SHARED_VECTORS : MAX_VECTORS;
    const word length = PARTS * count;
    word j = 0;
#define SUMS(vectors, count)                                                                                           \
    NAME(sum_vectors)(y + j, y_filter, x + j, offsets, w, w_filter, terms, filters, vectors, count)
    for (; j + widest * LANES <= length; j += widest * LANES) SUMS(widest, 0);
#if defined(LOAD_COUNT)
#define CASE(vectors)                                                                                                  \
    case vectors:                                                                                                      \
        if (vectors <= widest) SUMS(vectors, length - j - (vectors - 1) * LANES);                                      \
        break;
    switch ((length - j + LANES - 1) / LANES) { /* the remainder in one pass: more independent sums */
        CASE(1) CASE(2) CASE(3) CASE(4)
#if MAX_VECTORS > 4
        CASE(5) CASE(6) CASE(7) CASE(8)
#endif
    }
#undef CASE
#else
    if (widest > 4 && j + 4 * LANES <= length) {
        SUMS(4, 0);
        j += 4 * LANES;
    }
    if (widest > 2 && j + 2 * LANES <= length) {
        SUMS(2, 0);
        j += 2 * LANES;
    }
    for (; j + LANES <= length; j += LANES) SUMS(1, 0);
    if (j == length) return;
    if (j == 0) SUMS(1, length);
    else { /* a whole vector: outputs that it computes again are the same */
        j = length - LANES;
        SUMS(1, 0);
    }
#endif
#undef SUMS
}

/* The same for a number of filters that `filters_per_pass` returned. */
TARGET static void NAME(row_multi_filter)(T *y, word y_filter, const T *x, const word *offsets, const T *w,
                                          word w_filter, word terms, word count, word filters)
{
#if PARTS == 1
    if (filters == 6) NAME(row_contiguous)(y, y_filter, x, offsets, w, w_filter, terms, count, 6);
    else if (filters == 4) NAME(row_contiguous)(y, y_filter, x, offsets, w, w_filter, terms, count, 4);
    else
#endif
        NAME(row_contiguous)(y, 0, x, offsets, w, 0, terms, count, 1);
}

/* Write `count` outputs where they or their samples are strided in memory. */
INLINE void NAME(row_strided)(T *y, word y_step, const T *x, word x_step, const word *offsets, const T *w, word terms,
                              word count)
{
    T sums[PARTS * PARTS][STRIDED_CHUNK]; /* four for complex, as in row_multi_filter: the same sums, the same bits */
    for (word first = 0; first < count; first += STRIDED_CHUNK) {
        const word size = min_word(STRIDED_CHUNK, count - first);
        const T *start = x + PARTS * first * x_step;
        memset(sums, 0, sizeof sums);
        for (word t = 0; t < terms; t++) {
            const T *from = start + PARTS * offsets[t];
#if PARTS == 2
            const T real = w[PARTS * t], imaginary = w[PARTS * t + 1];
            for (word j = 0; j < size; j++) {
                const T *sample = from + PARTS * j * x_step;
                sums[0][j] += sample[0] * real;
                sums[1][j] += sample[1] * real;
                sums[2][j] += sample[1] * imaginary;
                sums[3][j] += sample[0] * imaginary;
            }
#else
            const T factor = w[t];
            for (word j = 0; j < size; j++) sums[0][j] += NAME(times)(factor, from[j * x_step]);
#endif
        }
        for (word j = 0; j < size; j++) {
            T *to = y + PARTS * (first + j) * y_step;
#if PARTS == 2
            to[0] = sums[0][j] - sums[2][j];
            to[1] = sums[1][j] + sums[3][j];
#else
            to[0] = sums[0][j];
#endif
        }
    }
}

/* Write a block of a row for each of `filters` filters. */
TARGET static void NAME(block)(T *y, word y_step, word y_filter, const T *x, word x_step, const word *offsets,
                               const T *w, word w_filter, word terms, word count, word filters)
{
    if (x_step != 1 || y_step != 1)
        for (word f = 0; f < filters; f++) {
            T *to = y + f * y_filter;
            if (x_step == 2 && y_step == 1) NAME(row_strided)(to, 1, x, 2, offsets, w + f * w_filter, terms, count);
            else NAME(row_strided)(to, y_step, x, x_step, offsets, w + f * w_filter, terms, count);
        }
    else NAME(row_multi_filter)(y, y_filter, x, offsets, w, w_filter, terms, count, filters);
}

/* Write the units [first, stop): blocks of rows, each of one filter, the filters of a block one after the other. */
TARGET static int NAME(rows)(const void *xs, const void *ws, void *ys, const void *tables, word fill, word first,
                             word stop)
{
    (void)fill; /* every sample is inside x */
    const rows_table *table = tables;
    const word terms = table->terms, count = table->outputs, blocks = table->blocks, block = table->block_outputs;
    const word x_step = count == 1 ? 1 : table->x_step, y_step = count == 1 ? 1 : table->y_step;
    const word *offsets = (const word *)(table + 1);
    const outer_axis *outer = (const outer_axis *)(offsets + terms), *last = outer + table->outer_axes - 1;
    const int is_shared = table->outer_axes > 0 && last->x_step == 0;
    const word axes = table->outer_axes - is_shared, filters = is_shared ? last->size : 1;
    const word y_filter = is_shared ? PARTS * last->y_step : 0, w_filter = is_shared ? PARTS * last->w_step : 0;
    word index[axes + 1], x_at = table->x_start, y_at = table->y_start, w_at = 0;
    word filter = first % filters, number = first / filters % blocks, quotient = first / filters / blocks;
    for (word n = axes - 1; n >= 0; n--) {
        index[n] = quotient % outer[n].size;
        quotient /= outer[n].size;
        x_at += index[n] * outer[n].x_step;
        y_at += index[n] * outer[n].y_step;
        w_at += index[n] * outer[n].w_step;
    }
    while (first < stop) {
        const word start = number * block, length = min_word(block, count - start);
        const word pass_filters = FILTERS_PER_PASS(min_word(filters - filter, stop - first));
        const T *x = (const T *)xs + PARTS * (x_at + start * x_step), *w = (const T *)ws + PARTS * w_at;
        T *y = (T *)ys + PARTS * (y_at + start * y_step);
        NAME(block)(y + filter * y_filter, y_step, y_filter, x, x_step, offsets, w + filter * w_filter, w_filter, terms,
                    length, pass_filters);
        first += pass_filters;
        filter += pass_filters;
        if (filter < filters) continue;
        filter = 0;
        if (++number < blocks) continue;
        number = 0;
        for (word n = axes - 1; n >= 0; n--) { /* divisions would take longer than a short row */
            const word wraps = ++index[n] == outer[n].size, back = wraps ? outer[n].size - 1 : -1;
            x_at -= back * outer[n].x_step;
            y_at -= back * outer[n].y_step;
            w_at -= back * outer[n].w_step;
            if (!wraps) break;
            index[n] = 0;
        }
    }
    return 0;
}
