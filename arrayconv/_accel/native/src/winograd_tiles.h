/* Winograd's transforms of one kind of element at one level. A tile of outputs takes fewer products per channel than it
   has taps and outputs:

       y = A ((G w) * (B x)),   along one axis F(2, 3):    B = 1  0 -1  0   G = 1    0    0    A = 1  1  1  0
                                                               0  1  1  0       1/2  1/2  1/2      0  1 -1 -1
                                                               0 -1  1  0       1/2 -1/2  1/2
                                                               0  1  0 -1       0    0    1

   A tile of an image has 2 x 2 outputs, 3 x 3 taps and 16 parts: F(2, 3) along both axes. A tile of a line, of step q,
   has 2 q outputs and 3 q taps: F(2, 3) of blocks of q samples, taps and outputs, and for the products of blocks

       y[i] = sum over j of  x[i + j] * w[j] = (x[i] + ... + x[i + q - 1]) * w[i] -+ x[i + j] * (w[i] - w[j])

   with one product for each i and one for each pair i < j, added to y[j] and subtracted from y[i]: 4, 12 or 24 parts
   rather than 6, 24 or 54 products. The same parts of samples are those of 3 x 3 or 3 q outputs of 2 x 2 or 2 q taps,

       y0 = m0 + m1 + m2,  y1 = m1 - m2,  y2 = m1 + m2 - m3,   with the taps  w0, (w0 + w1) / 2, (w0 - w1) / 2, w1. */

#if !defined(WINOGRAD_STEPS)
#define WINOGRAD_STEPS 3 /* of lines, at most */
#define STEP_PARTS(step) ((step) * ((step) + 1) / 2)

/* Outputs of a tile along the rows and along the columns, or taps; parts. `step` is 0 for images. */
typedef struct {
    word rows, columns, parts;
} tile_shape;

static tile_shape tile_of(word step)
{
    return step ? (tile_shape){1, 2 * step, 4 * STEP_PARTS(step)} : (tile_shape){2, 2, 16};
}

/* Return the rows of samples of so many tiles. */
static word tile_samples(word step, word tiles) { return step ? tiles : 2 * tiles + 2; }
#endif

/* The parts of a block of samples, of taps, and the outputs of parts. */
INLINE void NAME(split_samples)(V *parts, const V *x, const int step)
{
    if (step == 1) parts[0] = x[0];
    if (step == 2) parts[0] = x[0] + x[1], parts[1] = x[1] + x[2], parts[2] = x[1];
    if (step == 3) {
        const V middle = x[1] + x[2];
        parts[0] = x[0] + middle, parts[1] = middle + x[3], parts[2] = x[2] + (x[3] + x[4]);
        parts[3] = x[1], parts[4] = x[2], parts[5] = x[3];
    }
}

INLINE void NAME(split_taps)(V *parts, const V *w, const int step)
{
    for (int i = 0, pair = step; i < step; i++) {
        parts[i] = w[i];
        for (int j = i + 1; j < step; j++) parts[pair++] = w[i] - w[j];
    }
}

INLINE void NAME(join_parts)(V *y, const V *parts, const int step)
{
    for (int i = 0; i < step; i++) y[i] = parts[i];
    for (int i = 0, pair = step; i < step; i++)
        for (int j = i + 1; j < step; j++, pair++) {
            y[i] -= parts[pair];
            y[j] += parts[pair];
        }
}

/* B x, G w and A of the parts along one axis, in place of the first ones. */
INLINE void NAME(transform_four)(V *x)
{
    const V first = x[0] - x[2], second = x[1] + x[2], third = x[2] - x[1];
    x[3] = x[1] - x[3];
    x[0] = first, x[1] = second, x[2] = third;
}

INLINE void NAME(transform_three)(V *w)
{
    const V ends = w[0] + w[2], middle = w[1];
    w[3] = w[2];
    w[1] = (ends + middle) * (T)0.5;
    w[2] = (ends - middle) * (T)0.5;
}

INLINE void NAME(transform_two)(V *w)
{
    const V sum = w[0] + w[1], difference = w[0] - w[1];
    w[3] = w[1];
    w[1] = sum * (T)0.5;
    w[2] = difference * (T)0.5;
}

INLINE void NAME(two_outputs)(V *m)
{
    const V first = m[0] + m[1] + m[2];
    m[1] = m[1] - m[2] - m[3];
    m[0] = first;
}

INLINE void NAME(three_outputs)(V *m)
{
    const V first = m[0] + m[1] + m[2], second = m[1] - m[2];
    m[2] = m[1] + m[2] - m[3];
    m[0] = first, m[1] = second;
}

/* Write the parts of `rows` x `cols` tiles of an image, `part` elements apart, from rows of even and of odd columns. A
   row writes up to a vector beyond its tiles. */
TARGET static void NAME(image_samples)(T *to, word part, const T *even, word phase, word copy_row, word rows, word cols)
{
    for (word row = 0; row < rows; row++, even += 2 * copy_row)
        for (word col = 0; col < cols; col += LANES) {
            V lines[4][4]; /* by column, by row */
            UNROLLED
            for (int i = 0; i < 4; i++) {
                const T *at = even + i * copy_row + col;
                lines[0][i] = NAME(load)(at);
                lines[1][i] = NAME(load)(at + phase);
                lines[2][i] = NAME(load)(at + 1);
                lines[3][i] = NAME(load)(at + phase + 1);
            }
            UNROLLED
            for (int j = 0; j < 4; j++) NAME(transform_four)(lines[j]);
            T *at = to + row * cols + col;
            UNROLLED
            for (int i = 0; i < 4; i++, at += 4 * part) {
                V across[4] = {lines[0][i], lines[1][i], lines[2][i], lines[3][i]};
                NAME(transform_four)(across);
                UNROLLED
                for (int j = 0; j < 4; j++) NAME(store)(at + j * part, across[j]);
            }
        }
}

/* The same of tiles of a line, from the samples of each remainder modulo 2 q, `phase` elements apart. */
INLINE void NAME(line_samples)(T *to, word part, const T *copy, word phase, word cols, const int step)
{
    for (word col = 0; col < cols; col += LANES) {
        V blocks[2 * WINOGRAD_STEPS - 1][4];
        UNROLLED
        for (int i = 0; i < 2 * step - 1; i++) {
            UNROLLED
            for (int j = 0; j < 4; j++) {
                const int at = step * j + i;
                blocks[i][j] = NAME(load)(copy + at % (2 * step) * phase + at / (2 * step) + col);
            }
            NAME(transform_four)(blocks[i]);
        }
        UNROLLED
        for (int j = 0; j < 4; j++) {
            V x[2 * WINOGRAD_STEPS - 1], parts[STEP_PARTS(WINOGRAD_STEPS)];
            UNROLLED
            for (int i = 0; i < 2 * step - 1; i++) x[i] = blocks[i][j];
            NAME(split_samples)(parts, x, step);
            UNROLLED
            for (int i = 0; i < STEP_PARTS(step); i++)
                NAME(store)(to + (STEP_PARTS(step) * j + i) * part + col, parts[i]);
        }
    }
}

TARGET static void NAME(transform_samples)(word step, T *to, word part, const T *copy, word phase, word copy_row,
                                           word rows, word cols)
{
    if (step == 0) NAME(image_samples)(to, part, copy, phase, copy_row, rows, cols);
    if (step == 1) NAME(line_samples)(to, part, copy, phase, cols, 1);
    if (step == 2) NAME(line_samples)(to, part, copy, phase, cols, 2);
    if (step == 3) NAME(line_samples)(to, part, copy, phase, cols, 3);
}

/* Separate `n` numbers after `n` numbers, and join them: compilers vectorise both for 2 and 3. */
INLINE void NAME(separate)(T *restrict to, word row, const T *restrict from, word count, const int n)
{
    for (word j = 0; j < count; j++)
        UNROLLED
        for (int m = 0; m < n; m++) to[m * row + j] = from[n * j + m];
}

INLINE void NAME(join)(T *restrict to, const T *restrict from, word row, word count, const int n)
{
    for (word j = 0; j < count; j++)
        UNROLLED
        for (int m = 0; m < n; m++) to[n * j + m] = from[m * row + j];
}

/* Separate the samples of each column of a tile, `phase` elements from each other: of a line first those of each
   remainder modulo q, in a buffer of as many. */
INLINE void NAME(separate_columns)(T *to, word phase, T *buffer, const T *from, const int step)
{
    if (step > 1) {
        NAME(separate)(buffer, 2 * phase, from, 2 * phase, step);
        from = buffer;
    }
    for (int m = 0; m < step; m++) NAME(separate)(to + m * phase, step * phase, from + m * 2 * phase, phase, 2);
}

/* Copy the samples of `rows` x `cols` tiles, those of each column of a tile apart, before two buffers of as many. */
TARGET static void NAME(copy_tiles)(word step, T *copy, word phase, word copy_row, const T *x, word top, word left,
                                    word rows, word cols, const axis *vertical, const axis *horizontal,
                                    const word *border, T fill, int is_fill)
{
    const tile_shape tile = tile_of(step);
    const word size = tile.columns * phase, last = tile.columns * cols + 3 * tile.columns / 2 - 2; /* that is read */
    T *from = copy + size, *buffer = from + size;
    NAME(copy_window)(from, tile.columns * copy_row, x, tile.rows * top - vertical->before,
                      tile.columns * left - horizontal->before, 1, 1, tile_samples(step, rows), last + 1, vertical,
                      horizontal, border, fill, is_fill);
    if (step < 2) NAME(separate_columns)(copy, phase, buffer, from, 1);
    if (step == 2) NAME(separate_columns)(copy, phase, buffer, from, 2);
    if (step == 3) NAME(separate_columns)(copy, phase, buffer, from, 3);
}

/* Write the outputs of `tiles` tiles of an image, each `tile_row` elements from the one before, from sums that are
   `part` elements apart. Return zeros, or NaN where an output is not finite. */
TARGET static V NAME(image_sums)(T *to, word tile_row, const T *from, word part, word tiles)
{
    V differences = {0};
    for (word at = 0; at < tiles; at += LANES) {
        V both[4][4];
        UNROLLED
        for (int j = 0; j < 4; j++) {
            UNROLLED
            for (int i = 0; i < 4; i++) both[j][i] = NAME(load)(from + (4 * i + j) * part + at);
            NAME(two_outputs)(both[j]);
        }
        UNROLLED
        for (int i = 0; i < 2; i++) {
            V outputs[4] = {both[0][i], both[1][i], both[2][i], both[3][i]};
            NAME(two_outputs)(outputs);
            UNROLLED
            for (int j = 0; j < 2; j++) {
                NAME(store)(to + (2 * i + j) * tile_row + at, outputs[j]);
                differences += outputs[j] - outputs[j];
            }
        }
    }
    return differences;
}

/* The same of a line. */
INLINE V NAME(line_sums)(T *to, word tile_row, const T *from, word part, word tiles, const int step)
{
    V differences = {0};
    for (word at = 0; at < tiles; at += LANES) {
        V blocks[2][STEP_PARTS(WINOGRAD_STEPS)];
        UNROLLED
        for (int i = 0; i < STEP_PARTS(step); i++) {
            V sums[4];
            UNROLLED
            for (int j = 0; j < 4; j++) sums[j] = NAME(load)(from + (STEP_PARTS(step) * j + i) * part + at);
            NAME(two_outputs)(sums);
            blocks[0][i] = sums[0], blocks[1][i] = sums[1];
        }
        UNROLLED
        for (int j = 0; j < 2; j++) {
            V outputs[WINOGRAD_STEPS];
            NAME(join_parts)(outputs, blocks[j], step);
            UNROLLED
            for (int i = 0; i < step; i++) {
                NAME(store)(to + (step * j + i) * tile_row + at, outputs[i]);
                differences += outputs[i] - outputs[i];
            }
        }
    }
    return differences;
}

TARGET static V NAME(transform_sums)(word step, T *to, word tile_row, const T *from, word part, word tiles)
{
    if (step == 1) return NAME(line_sums)(to, tile_row, from, part, tiles, 1);
    if (step == 2) return NAME(line_sums)(to, tile_row, from, part, tiles, 2);
    if (step == 3) return NAME(line_sums)(to, tile_row, from, part, tiles, 3);
    return NAME(image_sums)(to, tile_row, from, part, tiles);
}

/* Write the outputs of `count` tiles of a line that are adjacent in y. */
INLINE void NAME(join_columns)(T *y, T *buffer, const T *tiles, word tile_row, word count, const int step)
{
    if (step == 1) {
        NAME(join)(y, tiles, tile_row, count, 2);
        return;
    }
    for (int m = 0; m < step; m++)
        NAME(join)(buffer + m * 2 * tile_row, tiles + m * tile_row, step * tile_row, count, 2);
    NAME(join)(y, buffer, 2 * tile_row, 2 * count, step);
}

/* Write the outputs of a row of tiles, from `first` to `stop`, to a row of y; those of each column are `tile_row`
   elements apart. */
TARGET static void NAME(write_columns)(word step, T *y, T *buffer, const T *tiles, word tile_row, const axis *columns,
                                       word first, word stop)
{
    const word period = columns->period;
    const word whole = columns->y_step == 1 ? max_word(min_word(stop, columns->outputs / period) - first, 0) : 0;
    T *to = y + period * first;
    if (step < 2) NAME(join_columns)(to, buffer, tiles, tile_row, whole, 1);
    if (step == 2) NAME(join_columns)(to, buffer, tiles, tile_row, whole, 2);
    if (step == 3) NAME(join_columns)(to, buffer, tiles, tile_row, whole, 3);
    if (first + whole < stop)
        NAME(interleave_phases)(y, tiles + whole, tile_row, columns, first + whole, stop);
}

/* Write the parts of taps, `part` elements apart, of an image from w[3][3]. */
INLINE void NAME(image_taps)(T *to, word part, const V *w, word count)
{
    V taps[3][4];
    for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 3; j++) taps[i][j] = w[3 * i + j];
        NAME(transform_three)(taps[i]);
    }
    for (int j = 0; j < 4; j++) {
        V column[4] = {taps[0][j], taps[1][j], taps[2][j]};
        NAME(transform_three)(column);
        for (int i = 0; i < 4; i++) NAME(store_count)(to + (4 * i + j) * part, column[i], count);
    }
}

/* The same of a line from w[3 q]. */
INLINE void NAME(line_taps)(T *to, word part, const V *w, word count, const int step)
{
    V blocks[WINOGRAD_STEPS][4];
    for (int i = 0; i < step; i++) {
        for (int j = 0; j < 3; j++) blocks[i][j] = w[step * j + i];
        NAME(transform_three)(blocks[i]);
    }
    for (int j = 0; j < 4; j++) {
        V taps[WINOGRAD_STEPS], parts[STEP_PARTS(WINOGRAD_STEPS)];
        for (int i = 0; i < step; i++) taps[i] = blocks[i][j];
        NAME(split_taps)(parts, taps, step);
        for (int i = 0; i < STEP_PARTS(step); i++)
            NAME(store_count)(to + (STEP_PARTS(step) * j + i) * part, parts[i], count);
    }
}

/* Write G w of the kernels [first, stop), a part after the other: y[parts][kernels] from x[kernels][taps]. */
TARGET static int NAME(winograd_kernels)(const void *xs, const void *ws, void *ys, const void *tables, word fill,
                                         word first, word stop)
{
    (void)ws, (void)fill;
    const winograd_kernels_table *table = tables;
    const word taps = table->taps, step = table->step;
    for (word start = first; start < stop; start += LANES) {
        const word count = min_word(LANES, stop - start);
        V w[3 * WINOGRAD_STEPS];
        for (int tap = 0; tap < 3 * WINOGRAD_STEPS; tap++) {
            T column[LANES] = {0};
            for (word n = 0; tap < taps && n < count; n++) column[n] = ((const T *)xs)[(start + n) * taps + tap];
            w[tap] = NAME(load)(column);
        }
        T *to = (T *)ys + start;
        if (step == 0) NAME(image_taps)(to, table->kernels, w, count);
        if (step == 1) NAME(line_taps)(to, table->kernels, w, count, 1);
        if (step == 2) NAME(line_taps)(to, table->kernels, w, count, 2);
        if (step == 3) NAME(line_taps)(to, table->kernels, w, count, 3);
    }
    return 0;
}

/* Write the parts of `tiles` tiles of taps, a tile after the other of `lanes` elements, from those of an image: two
   rows of positions, of `lanes` elements too. */
INLINE void NAME(image_factors)(T *to, word part, const T *from, word lanes, word tiles)
{
    for (word at = 0; at < tiles * lanes; at += LANES) {
        const T *corner = from + at / lanes * lanes + at; /* of two positions */
        V columns[2][4];
        UNROLLED
        for (int j = 0; j < 2; j++) {
            columns[j][0] = NAME(load)(corner + j * lanes);
            columns[j][1] = NAME(load)(corner + (2 * tiles + j) * lanes);
            NAME(transform_two)(columns[j]);
        }
        UNROLLED
        for (int i = 0; i < 4; i++) {
            V taps[4] = {columns[0][i], columns[1][i]};
            NAME(transform_two)(taps);
            UNROLLED
            for (int j = 0; j < 4; j++) NAME(store)(to + (4 * i + j) * part + at, taps[j]);
        }
    }
}

/* The same from a row of positions of a line. */
INLINE void NAME(line_factors)(T *to, word part, const T *from, word lanes, word tiles, const int step)
{
    for (word at = 0; at < tiles * lanes; at += LANES) {
        const T *positions = from + at / lanes * (2 * step - 1) * lanes + at;
        V blocks[WINOGRAD_STEPS][4];
        UNROLLED
        for (int i = 0; i < step; i++) {
            blocks[i][0] = NAME(load)(positions + i * lanes);
            blocks[i][1] = NAME(load)(positions + (step + i) * lanes);
            NAME(transform_two)(blocks[i]);
        }
        UNROLLED
        for (int j = 0; j < 4; j++) {
            V taps[WINOGRAD_STEPS], parts[STEP_PARTS(WINOGRAD_STEPS)];
            UNROLLED
            for (int i = 0; i < step; i++) taps[i] = blocks[i][j];
            NAME(split_taps)(parts, taps, step);
            UNROLLED
            for (int i = 0; i < STEP_PARTS(step); i++)
                NAME(store)(to + (STEP_PARTS(step) * j + i) * part + at, parts[i]);
        }
    }
}

TARGET static void NAME(transform_factors)(word step, T *to, word part, const T *from, word lanes, word tiles)
{
    if (step == 0) NAME(image_factors)(to, part, from, lanes, tiles);
    if (step == 1) NAME(line_factors)(to, part, from, lanes, tiles, 1);
    if (step == 2) NAME(line_factors)(to, part, from, lanes, tiles, 2);
    if (step == 3) NAME(line_factors)(to, part, from, lanes, tiles, 3);
}

/* Write 3 x 3 outputs of an image to y[9] from sums that are `part` elements apart. */
INLINE void NAME(image_outputs)(V *y, const T *sums, word part)
{
    V lines[4][4];
    for (int j = 0; j < 4; j++) {
        for (int i = 0; i < 4; i++) lines[j][i] = NAME(load)(sums + (4 * i + j) * part);
        NAME(three_outputs)(lines[j]);
    }
    for (int i = 0; i < 3; i++) {
        V outputs[4] = {lines[0][i], lines[1][i], lines[2][i], lines[3][i]};
        NAME(three_outputs)(outputs);
        for (int j = 0; j < 3; j++) y[3 * i + j] = outputs[j];
    }
}

/* The same of the 3 q outputs of a line. */
INLINE void NAME(line_outputs)(V *y, const T *sums, word part, const int step)
{
    V blocks[3][STEP_PARTS(WINOGRAD_STEPS)];
    for (int i = 0; i < STEP_PARTS(step); i++) {
        V parts[4];
        for (int j = 0; j < 4; j++) parts[j] = NAME(load)(sums + (STEP_PARTS(step) * j + i) * part);
        NAME(three_outputs)(parts);
        for (int j = 0; j < 3; j++) blocks[j][i] = parts[j];
    }
    for (int j = 0; j < 3; j++) NAME(join_parts)(y + step * j, blocks[j], step);
}

TARGET static void NAME(join_sums)(word step, V *y, const T *sums, word part)
{
    if (step == 0) NAME(image_outputs)(y, sums, part);
    if (step == 1) NAME(line_outputs)(y, sums, part, 1);
    if (step == 2) NAME(line_outputs)(y, sums, part, 2);
    if (step == 3) NAME(line_outputs)(y, sums, part, 3);
}
