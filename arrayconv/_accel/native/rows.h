/* Rows of outputs of one kind of element at one level, any number of axes, strides and channels.

       y[f, j] = sum over terms t of  w[f, t] * x[offset[t] + step * j]

   Sums stay in registers over all terms, in the order of the table: nothing is reassociated. Some filters f of the same
   samples are summed together, which loads a sample once for all of them. */

#if defined(IS_COMPLEX)
#define PARTS 2 /* of an element, each of type T, side by side */
#define TOGETHER(filters) 1
#else
#define PARTS 1
#define TOGETHER(filters) together(filters)
#endif
#define MOST_VECTORS (8 / PARTS)
#define SHARED_VECTORS (VECTOR == 64 ? 4 : 2) /* of so many filters: the registers hold no more sums */

/* Write the outputs of `vectors` vectors of each of some filters, of the last vector the first `count` elements where
   that is not 0; `filters` and `vectors` are constants wherever this is inlined. Complex factors meet both parts of a
   sample at once, in two sums. */
INLINE void NAME(sums)(T *y, word y_filter, const T *x, const word *offsets, const T *w, word w_filter, word terms,
                       const int filters, const int vectors, word count)
{
    V sums[MOST_FILTERS][MOST_VECTORS], turned[MOST_VECTORS];
    UNROLLED
    for (int f = 0; f < filters; f++) {
        UNROLLED
        for (int v = 0; v < vectors; v++) sums[f][v] = turned[v] = (V){0};
    }
    for (word t = 0; t < terms; t++) {
        const T *from = x + PARTS * offsets[t];
        V seen[MOST_VECTORS];
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            seen[v] = count && v == vectors - 1 ? NAME(load_some)(from + v * LANES, count) : NAME(load)(from + v * LANES);
            if (filters > 1 || PARTS == 2) HELD(seen[v]);
        }
        UNROLLED
        for (int f = 0; f < filters; f++) {
            V factor = NAME(splat)(w[f * w_filter + PARTS * t]);
            UNROLLED
            for (int v = 0; v < vectors; v++) sums[f][v] += seen[v] * factor;
        }
#if PARTS == 2
        V factor = NAME(splat)(w[PARTS * t + 1]);
        UNROLLED
        for (int v = 0; v < vectors; v++) turned[v] += seen[v] * factor;
#endif
    }
    UNROLLED
    for (int f = 0; f < filters; f++) {
        UNROLLED
        for (int v = 0; v < vectors; v++) {
#if PARTS == 2
            for (int lane = 0; lane < LANES; lane += 2) {
                sums[f][v][lane] -= turned[v][lane + 1];
                sums[f][v][lane + 1] += turned[v][lane];
            }
#endif
            T *to = y + f * y_filter + v * LANES;
            if (count && v == vectors - 1) NAME(store_some)(to, sums[f][v], count);
            else NAME(store)(to, sums[f][v]);
        }
    }
}

/* Write `count` outputs, next to each other as their samples are, of each of some filters. */
INLINE void NAME(adjacent)(T *y, word y_filter, const T *x, const word *offsets, const T *w, word w_filter, word terms,
                           word count, const int filters)
{
    const int widest = filters > 1 ? SHARED_VECTORS : MOST_VECTORS;
    const word length = PARTS * count;
    word j = 0;
#define SUMS(vectors, some) NAME(sums)(y + j, y_filter, x + j, offsets, w, w_filter, terms, filters, vectors, some)
    for (; j + widest * LANES <= length; j += widest * LANES) SUMS(widest, 0);
#if defined(LOAD_SOME)
#define CASE(vectors)                                                                                                  \
    case vectors:                                                                                                      \
        if (vectors <= widest) SUMS(vectors, length - j - (vectors - 1) * LANES);                                      \
        break;
    switch ((length - j + LANES - 1) / LANES) { /* all that is left at once: more sums that do not wait for each other */
        CASE(1) CASE(2) CASE(3) CASE(4)
#if PARTS == 1
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
    if (j < length) SUMS(1, length - j);
#endif
#undef SUMS
}

/* The same of as many filters as `together` says. */
TARGET static void NAME(several)(T *y, word y_filter, const T *x, const word *offsets, const T *w, word w_filter,
                                 word terms, word count, word filters)
{
#if PARTS == 1
    if (filters == 6) NAME(adjacent)(y, y_filter, x, offsets, w, w_filter, terms, count, 6);
    else if (filters == 4) NAME(adjacent)(y, y_filter, x, offsets, w, w_filter, terms, count, 4);
    else
#endif
        NAME(adjacent)(y, 0, x, offsets, w, 0, terms, count, 1);
}

/* Write `count` outputs of which those, or their samples, are apart. */
INLINE void NAME(apart)(T *y, word y_step, const T *x, word x_step, const word *offsets, const T *w, word terms,
                        word count)
{
    T sums[PARTS][CHUNK];
    for (word first = 0; first < count; first += CHUNK) {
        const word size = least(CHUNK, count - first);
        const T *start = x + PARTS * first * x_step;
        memset(sums, 0, sizeof sums);
        for (word t = 0; t < terms; t++) {
            const T *from = start + PARTS * offsets[t];
#if PARTS == 2
            const T real = w[PARTS * t], imaginary = w[PARTS * t + 1];
            for (word j = 0; j < size; j++) {
                const T *seen = from + PARTS * j * x_step;
                sums[0][j] += real * seen[0] - imaginary * seen[1];
                sums[1][j] += real * seen[1] + imaginary * seen[0];
            }
#else
            const T factor = w[t];
            for (word j = 0; j < size; j++) sums[0][j] += NAME(times)(factor, from[j * x_step]);
#endif
        }
        for (word j = 0; j < size; j++)
            for (int part = 0; part < PARTS; part++) y[PARTS * (first + j) * y_step + part] = sums[part][j];
    }
}

/* Write a block of a row of each of some filters. */
TARGET static void NAME(block)(T *y, word y_step, word y_filter, const T *x, word x_step, const word *offsets,
                               const T *w, word w_filter, word terms, word count, word filters)
{
    if (x_step != 1 || y_step != 1)
        for (word f = 0; f < filters; f++) {
            T *to = y + f * y_filter;
            if (x_step == 2 && y_step == 1) NAME(apart)(to, 1, x, 2, offsets, w + f * w_filter, terms, count);
            else NAME(apart)(to, y_step, x, x_step, offsets, w + f * w_filter, terms, count);
        }
    else NAME(several)(y, y_filter, x, offsets, w, w_filter, terms, count, filters);
}

/* Write the units [first, stop): blocks of rows, each of one filter, the filters of a block one after the other. The
   table: terms; axes around a row; outputs of a row, its blocks, outputs per block, steps in x and in y, where x and y
   start; where the sample of each term stands, counted from that of an output's first; sizes of the axes around; and how
   far one step along each moves in x, in y and in w. The last of those axes is of filters where it moves nothing in x. */
TARGET static void NAME(rows)(const void *xs, const void *ws, void *ys, const word *table, word first, word stop)
{
    const word terms = table[0], count = table[2], blocks = table[3], block = table[4];
    const word x_step = count == 1 ? 1 : table[5], y_step = count == 1 ? 1 : table[6];
    const word *offsets = table + 9, *sizes = offsets + terms, *steps = sizes + table[1], *last = steps + 3 * table[1] - 3;
    const int is_shared = table[1] > 0 && last[0] == 0;
    const word axes = table[1] - is_shared, filters = is_shared ? sizes[axes] : 1;
    const word y_filter = is_shared ? PARTS * last[1] : 0, w_filter = is_shared ? PARTS * last[2] : 0;
    word places[axes + 1], x_at = table[7], y_at = table[8], w_at = 0;
    word filter = first % filters, number = first / filters % blocks, rest = first / filters / blocks;
    for (word axis = axes - 1; axis >= 0; axis--) {
        places[axis] = rest % sizes[axis];
        rest /= sizes[axis];
        x_at += places[axis] * steps[3 * axis];
        y_at += places[axis] * steps[3 * axis + 1];
        w_at += places[axis] * steps[3 * axis + 2];
    }
    while (first < stop) {
        const word start = number * block, length = least(block, count - start);
        const word some = TOGETHER(least(filters - filter, stop - first));
        const T *x = (const T *)xs + PARTS * (x_at + start * x_step), *w = (const T *)ws + PARTS * w_at;
        T *y = (T *)ys + PARTS * (y_at + start * y_step);
        NAME(block)(y + filter * y_filter, y_step, y_filter, x, x_step, offsets, w + filter * w_filter, w_filter, terms,
                    length, some);
        first += some;
        filter += some;
        if (filter < filters) continue;
        filter = 0;
        if (++number < blocks) continue;
        number = 0;
        for (word axis = axes - 1; axis >= 0; axis--) { /* divisions would take longer than a short row */
            const word wraps = ++places[axis] == sizes[axis], back = wraps ? sizes[axis] - 1 : -1;
            x_at -= back * steps[3 * axis];
            y_at -= back * steps[3 * axis + 1];
            w_at -= back * steps[3 * axis + 2];
            if (!wraps) break;
            places[axis] = 0;
        }
    }
}
