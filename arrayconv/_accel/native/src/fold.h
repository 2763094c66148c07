/* Sums of windows: columns (images, taps, windows) added up at the positions of their windows, in the order of the taps.

   A window's tap of an image's row is a row of columns, so that rows are added. Positions in the padding are skipped. */

#define FOLD(T)                                                                                                        \
    static void fold_##T(T *y, const T *columns, const axis *rows, word images)                                        \
    {                                                                                                                  \
        const axis *along = rows + 1;                                                                                  \
        for (word image = 0; image < images; image++, y += rows->size * along->size) {                                 \
            memset(y, 0, sizeof(T) * (size_t)(rows->size * along->size));                                              \
            for (word tap = 0; tap < rows->taps * along->taps; tap++, columns += rows->outputs * along->outputs) {     \
                const word top = tap / along->taps * rows->dilation - rows->before;                                    \
                const word left = tap % along->taps * along->dilation - along->before, step = along->stride;           \
                const word first = left < 0 ? (-left + step - 1) / step : 0;                                           \
                const word stop = min_word(along->outputs, (along->size - left + step - 1) / step);                    \
                for (word n = 0; n < rows->outputs; n++) {                                                             \
                    const word row = top + n * rows->stride;                                                           \
                    if (row < 0 || row >= rows->size) continue;                                                        \
                    T *to = y + row * along->size + left;                                                              \
                    const T *from = columns + n * along->outputs;                                                      \
                    if (step == 1)                                                                                     \
                        for (word c = first; c < stop; c++) to[c] += from[c];                                          \
                    else                                                                                               \
                        for (word c = first; c < stop; c++) to[c * step] += from[c];                                   \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }
FOLD(float)
FOLD(double)
#undef FOLD

/* Write images of floats of `itemsize` bytes, 4 or 8. The axes are rows and columns, `outputs` are their windows. */
EXPORTED void arrayconv_fold(void *y, const void *columns, const axis *rows, word images, word itemsize)
{
    if (itemsize == 4) fold_float(y, columns, rows, images);
    else fold_double(y, columns, rows, images);
}
