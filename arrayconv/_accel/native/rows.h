/* Rows of outputs of one kind of element at one level, any number of axes, strides and channels.

       y[j] = sum over terms t of  w[t] * x[offset[t] + step * j]

   Sums stay in registers over all terms, in the order of the table: nothing is reassociated. */

#if defined(IS_COMPLEX)
#define PARTS 2 /* of an element, each of type T, side by side */
#else
#define PARTS 1
#endif
#define MOST_VECTORS (8 / PARTS)

/* Write the outputs of `vectors` vectors, or of the first `count` elements of one where that is not 0; `vectors` is a
   constant wherever this is inlined. Complex factors meet both parts of a sample at once, in two sums. */
INLINE void NAME(sums)(T *y, const T *x, const word *offsets, const T *w, word terms, const int vectors, word count)
{
    V sums[MOST_VECTORS], turned[MOST_VECTORS];
    UNROLLED
    for (int v = 0; v < vectors; v++) sums[v] = turned[v] = (V){0};
    for (word t = 0; t < terms; t++) {
        const T *from = x + PARTS * offsets[t];
        const V factor = NAME(splat)(w[PARTS * t]);
#if PARTS == 2
        const V other = NAME(splat)(w[PARTS * t + 1]);
#endif
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            V seen = count ? NAME(load_some)(from, count) : NAME(load)(from + v * LANES);
#if PARTS == 2
            HELD(seen);
            turned[v] += seen * other;
#endif
            sums[v] += seen * factor;
        }
    }
    UNROLLED
    for (int v = 0; v < vectors; v++) {
#if PARTS == 2
        const V other = turned[v];
        for (int lane = 0; lane < LANES; lane += 2) {
            sums[v][lane] -= other[lane + 1];
            sums[v][lane + 1] += other[lane];
        }
#endif
        if (count) NAME(store_some)(y, sums[v], count);
        else NAME(store)(y + v * LANES, sums[v]);
    }
}

/* Write `count` outputs next to each other whose samples are too. */
INLINE void NAME(adjacent)(T *y, const T *x, const word *offsets, const T *w, word terms, word count)
{
    const word length = PARTS * count;
    word j = 0;
    for (; j + MOST_VECTORS * LANES <= length; j += MOST_VECTORS * LANES)
        NAME(sums)(y + j, x + j, offsets, w, terms, MOST_VECTORS, 0);
    if (j + MOST_VECTORS / 2 * LANES <= length) {
        NAME(sums)(y + j, x + j, offsets, w, terms, MOST_VECTORS / 2, 0);
        j += MOST_VECTORS / 2 * LANES;
    }
    if (j + MOST_VECTORS / 4 * LANES <= length) {
        NAME(sums)(y + j, x + j, offsets, w, terms, MOST_VECTORS / 4, 0);
        j += MOST_VECTORS / 4 * LANES;
    }
    for (; j + LANES <= length; j += LANES) NAME(sums)(y + j, x + j, offsets, w, terms, 1, 0);
    if (j < length) NAME(sums)(y + j, x + j, offsets, w, terms, 1, length - j);
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

/* Write the blocks [first, stop) of rows. The table: terms; axes around a row; outputs of a row, its blocks, outputs per
   block, steps in x and in y, where x and y start; where the sample of each term stands, counted from that of an
   output's first; sizes of the axes around; and how far one step along each moves in x, in y and in w. */
TARGET static void NAME(rows)(const void *xs, const void *ws, void *ys, const word *table, word first, word stop)
{
    const word terms = table[0], axes = table[1], count = table[2], blocks = table[3], block = table[4];
    const word x_step = count == 1 ? 1 : table[5], y_step = count == 1 ? 1 : table[6];
    const word *offsets = table + 9, *sizes = offsets + terms, *steps = sizes + axes;
    word places[axes + 1], x_at = table[7], y_at = table[8], w_at = 0, rest = first / blocks, number = first % blocks;
    for (word axis = axes - 1; axis >= 0; axis--) {
        places[axis] = rest % sizes[axis];
        rest /= sizes[axis];
        x_at += places[axis] * steps[3 * axis];
        y_at += places[axis] * steps[3 * axis + 1];
        w_at += places[axis] * steps[3 * axis + 2];
    }
    for (word unit = first; unit < stop; unit++) {
        const word start = number * block, length = least(block, count - start);
        const T *x = (const T *)xs + PARTS * (x_at + start * x_step), *w = (const T *)ws + PARTS * w_at;
        T *y = (T *)ys + PARTS * (y_at + start * y_step);
        if (x_step == 1 && y_step == 1) NAME(adjacent)(y, x, offsets, w, terms, length);
        else if (x_step == 2 && y_step == 1) NAME(apart)(y, 1, x, 2, offsets, w, terms, length);
        else NAME(apart)(y, y_step, x, x_step, offsets, w, terms, length);
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

#undef PARTS
#undef MOST_VECTORS
