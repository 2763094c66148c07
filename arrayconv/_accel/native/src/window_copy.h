/* Copies of the samples of windows, of one kind of element at one level: images.h and tiles.h sum them. */

/* Copy `rows` x `cols` samples from position (top, left) on, in the given steps, extended beyond the ends of x; the
   fill alone where `is_fill`. */
TARGET static void NAME(copy_window)(T *copy, word copy_row, const T *x, word top, word left, word row_step,
                                     word col_step, word rows, word cols, const axis *vertical, const axis *horizontal,
                                     const word *border, T fill, int is_fill)
{
    const word inside = min_word(max_word((col_step - 1 - left) / col_step, 0), cols);
    const word outside = min_word(max_word((horizontal->size - left + col_step - 1) / col_step, inside), cols);
    const word step = horizontal->x_step * col_step;
    for (word row = 0; row < rows; row++, copy += copy_row) {
        const word at = is_fill ? -1 : sample_at(top + row_step * row, vertical, border);
        if (at < 0) {
            for (word col = 0; col < cols; col++) copy[col] = fill;
            continue;
        }
        const T *from = x + at * vertical->x_step, *start = from + left * horizontal->x_step;
        if (step == 1) memcpy(copy + inside, start + inside, sizeof(T) * (size_t)(outside - inside));
        else if (step == 2)
            for (word col = inside; col < outside; col++) copy[col] = start[2 * col]; /* which compilers vectorise */
        else
            for (word col = inside; col < outside; col++) copy[col] = start[col * step];
        for (word col = 0; col < cols; col++) {
            if (col == inside) col = outside;
            if (col == cols) break;
            const word source = sample_at(left + col_step * col, horizontal, border);
            copy[col] = source < 0 ? fill : from[source * horizontal->x_step];
        }
    }
}
