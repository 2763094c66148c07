/* Quotients of one kind of element at one level: sums of the samples that are there, divided by the sums of the taps
   that multiply them, along the last two axes.

       y[i, j] = sum over terms of  w[t] * M[t] * X[t]  /  sum over terms of  w[t] * M[t]

   Rows of samples, with 0 where one is missing, and of the mask, 1 or 0, stay in a ring as long as windows contain
   them. A line is a pair of such rows; outputs are sums along lines: the lines are the rows of the window, or for a
   kernel that is a sum of products the sums of these rows along the columns, one line for each product. Where a weight
   is not larger than its error, the samples under taps other than 0 are counted. */



#define GAP_FLAGS __typeof__((V){0} == (V){0})

/* A row of samples and the row of their mask. */
typedef struct {
    T *samples, *mask;
} NAME(gap_line);

typedef struct {
    const gaps_table *table;
    const axis *rows, *columns;
    const outer_axis *outer;
    const word *border;
    const T *kernel, *down, *along, *counted_rows, *counted_columns;
    NAME(gap_line) * ring, *lines, *window;
    T *count, *count_line;
    const T *ahead; /* the samples of the next two rows, which are read ahead; NULL for none */
    T fill, fill_mask;
    word reach, slots, first, width, capacity; /* of a window along the rows; columns of the block, numbers of a line */
} NAME(gap_job);

/* Write samples that are adjacent in x, and their mask. */
INLINE void NAME(gap_samples)(T *to, T *mask, const T *x, word count, const int omits)
{
    const V one = NAME(splat)(1);
    for (word j = 0; j < count; j += LANES) {
        const word rest = count - j;
        const V value = rest < LANES ? NAME(load_count)(x + j, rest) : NAME(load)(x + j);
        const GAP_FLAGS is_there = omits ? value == value : one == one;
        const V sample = (V)((GAP_FLAGS)value & is_there), there = (V)((GAP_FLAGS)one & is_there);
        if (rest < LANES) {
            NAME(store_count)(to + j, sample, rest);
            NAME(store_count)(mask + j, there, rest);
        } else {
            NAME(store)(to + j, sample);
            NAME(store)(mask + j, there);
        }
    }
}

/* The same with flags, 0 where a sample is missing, and samples of any step. */
INLINE void NAME(gap_flagged)(T *to, T *mask, const T *x, word x_step, const uint8_t *where, word where_step,
                              word count, word omits)
{
    for (word j = 0; j < count; j++) {
        const T value = x[j * x_step];
        const int is_there = (where == NULL || where[j * where_step]) & (!omits || value == value);
        to[j] = is_there ? value : (T)0;
        mask[j] = is_there ? (T)1 : (T)0;
    }
}

/* Read a row of extended samples. */
TARGET static void NAME(gap_row)(const NAME(gap_job) *job, NAME(gap_line) line, const T *x, const uint8_t *where,
                                 word row)
{
    const gaps_table *table = job->table;
    const axis *along = job->columns;
    const word sample = sample_at(row, job->rows, job->border);
    if (sample >= 0) x += sample * job->rows->x_step;
    if (where) where += sample < 0 ? 0 : sample * table->where_row;
    for (word j = 0, length; j < job->width; j += length) {
        const word position = job->first + j, column = sample_at(position, along, job->border);
        const int is_inside = position >= 0 && position < along->size;
        length = is_inside ? min_word(along->size - position, job->width - j) : 1;
        T *to = line.samples + j, *mask = line.mask + j;
        if (sample < 0 || column < 0) {
            to[0] = job->fill, mask[0] = job->fill_mask, length = 1;
            continue;
        }
        const T *from = x + column * along->x_step;
        if (where || along->x_step != 1)
            NAME(gap_flagged)(to, mask, from, along->x_step, where ? where + column * table->where_column : NULL,
                              table->where_column, length, table->omits);
        else if (table->omits) NAME(gap_samples)(to, mask, from, length, 1);
        else NAME(gap_samples)(to, mask, from, length, 0);
    }
}

/* Sum the rows of a window along the columns to a line, each multiplied by a factor. */
TARGET static void NAME(gap_down)(const NAME(gap_job) *job, NAME(gap_line) to, const T *factors)
{
    const word taps = job->rows->taps;
    for (word j = 0; j < job->width; j += GAP_VECTORS * LANES) { /* lines are padded to as many */
        V sums[GAP_VECTORS], weights[GAP_VECTORS];
        UNROLLED
        for (int v = 0; v < GAP_VECTORS; v++) sums[v] = weights[v] = (V){0};
        for (word r = 0; r < taps; r++) {
            const V factor = NAME(splat)(factors[r]);
            UNROLLED
            for (int v = 0; v < GAP_VECTORS; v++) {
                sums[v] += NAME(load)(job->window[r].samples + j + v * LANES) * factor;
                weights[v] += NAME(load)(job->window[r].mask + j + v * LANES) * factor;
            }
        }
        UNROLLED
        for (int v = 0; v < GAP_VECTORS; v++) {
            NAME(store)(to.samples + j + v * LANES, sums[v]);
            NAME(store)(to.mask + j + v * LANES, weights[v]);
        }
    }
}

/* Write the quotients [j, stop) of `rows` rows of outputs, and their weights unless `weight` is NULL, from sums along
   lines: `number` for each row, the next row's from the next line on. Return whether every weight is larger than its
   error; NaN is not. `rows` is 1 or 2, a constant wherever this is inlined: two rows share the samples that they load.
*/
INLINE int NAME(gap_sums)(const NAME(gap_job) *job, T *y, T *weight, word y_step, const NAME(gap_line) * lines,
                          word number, const T *w, word j, word stop, const int rows)
{
    const word taps = job->columns->taps, dilation = job->columns->dilation;
    const V most = NAME(splat)((T)double_of(job->table->error)), least = -most;
    GAP_FLAGS certain = most == most;
    for (; j < stop; j += GAP_VECTORS * LANES) {
        if (rows == 2 && job->ahead) {
            UNROLLED
            for (int v = 0; v < GAP_VECTORS; v++) {
                __builtin_prefetch(job->ahead + j + v * LANES);
                __builtin_prefetch(job->ahead + job->rows->x_step + j + v * LANES);
            }
        }
        V sums[2][GAP_VECTORS], weights[2][GAP_VECTORS];
        UNROLLED
        for (int v = 0; v < GAP_VECTORS; v++) sums[0][v] = sums[1][v] = weights[0][v] = weights[1][v] = (V){0};
#define GAP_PRODUCTS(row, factor)                                                                                      \
    UNROLLED                                                                                                           \
    for (int v = 0; v < GAP_VECTORS; v++) {                                                                            \
        sums[row][v] += sample[v] * factor;                                                                            \
        weights[row][v] += there[v] * factor;                                                                          \
    }
        for (word l = 0; l < number + rows - 1; l++) {
            const T *samples = lines[l].samples + j, *mask = lines[l].mask + j;
            for (word c = 0; c < taps; c++, samples += dilation, mask += dilation) {
                V sample[GAP_VECTORS], there[GAP_VECTORS];
                UNROLLED
                for (int v = 0; v < GAP_VECTORS; v++) {
                    sample[v] = NAME(load)(samples + v * LANES);
                    there[v] = NAME(load)(mask + v * LANES);
                    if (rows == 2) {
                        IN_REGISTER(sample[v]);
                        IN_REGISTER(there[v]);
                    }
                }
                if (rows == 1 || l < number) {
                    const V factor = NAME(splat)(w[l * taps + c]);
                    GAP_PRODUCTS(0, factor)
                }
                if (rows == 2 && l) {
                    const V factor = NAME(splat)(w[(l - 1) * taps + c]);
                    GAP_PRODUCTS(1, factor)
                }
            }
        }
#undef GAP_PRODUCTS
        UNROLLED
        for (int row = 0; row < rows; row++) {
            UNROLLED
            for (int v = 0; v < GAP_VECTORS; v++) {
                const word at = j + v * LANES, rest = stop - at;
                T *to = y + row * y_step + at, *own = weight + row * y_step + at;
                const V quotients = sums[row][v] / weights[row][v];
                GAP_FLAGS is_certain = (weights[row][v] > most) | (weights[row][v] < least);
                if (rest >= LANES) {
                    NAME(store)(to, quotients);
                    if (weight) NAME(store)(own, weights[row][v]);
                } else if (rest > 0) {
                    NAME(store_count)(to, quotients, rest);
                    if (weight) NAME(store_count)(own, weights[row][v], rest);
                    for (word lane = rest; lane < LANES; lane++) is_certain[lane] = -1;
                } else break;
                certain &= is_certain;
            }
        }
    }
    int all = 1;
    for (word lane = 0; lane < LANES; lane++) all &= certain[lane] != 0;
    return all;
}

/* The same for all outputs of the rows: those before the first whole vector in memory, then the others. */
TARGET static int NAME(gap_along)(const NAME(gap_job) *job, T *y, T *weight, const NAME(gap_line) * lines, word number,
                                  const T *w, word count)
{
    const word head = min_word(count, (word)(-(uintptr_t)y % VECTOR / SIZE));
    int certain = 1;
    if (head) certain &= NAME(gap_sums)(job, y, weight, 0, lines, number, w, 0, head, 1);
    return certain & NAME(gap_sums)(job, y, weight, 0, lines, number, w, head, count, 1);
}

TARGET static int NAME(gap_along_pair)(const NAME(gap_job) *job, T *y, T *weight, const NAME(gap_line) * lines,
                                       word number, const T *w, word count)
{
    const word head = min_word(count, (word)(-(uintptr_t)y % VECTOR / SIZE)), y_step = job->rows->y_step;
    int certain = 1;
    if (head) certain &= NAME(gap_sums)(job, y, weight, y_step, lines, number, w, 0, head, 2);
    return certain & NAME(gap_sums)(job, y, weight, y_step, lines, number, w, head, count, 2);
}

INLINE void NAME(gap_add)(T *restrict to, const T *restrict from, word count)
{
    for (word j = 0; j < count; j++) to[j] += from[j];
}

/* Count the samples under taps other than 0. */
TARGET static void NAME(gap_count)(const NAME(gap_job) *job, word count)
{
    const word rows = job->rows->taps, taps = job->columns->taps, dilation = job->columns->dilation;
    const int is_product = job->table->is_product != 0;
    T *to = job->count, *line = job->count_line;
    memset(to, 0, (size_t)count * sizeof *to);
    if (is_product) memset(line, 0, (size_t)job->width * sizeof *line);
    for (word r = 0; r < rows; r++) {
        const T *mask = job->window[r].mask;
        if (is_product && job->counted_rows[r] != 0) NAME(gap_add)(line, mask, job->width);
        for (word c = 0; !is_product && c < taps; c++)
            if (job->kernel[r * taps + c] != 0) NAME(gap_add)(to, mask + c * dilation, count);
    }
    for (word c = 0; is_product && c < taps; c++)
        if (job->counted_columns[c] != 0) NAME(gap_add)(to, line + c * dilation, count);
}

/* Write NaN, and the weight 0, to outputs without support. */
TARGET static void NAME(gap_support)(const NAME(gap_job) *job, T *restrict y, T *restrict weight, word count)
{
    NAME(gap_count)(job, count);
    const T *restrict number = job->count;
    for (word j = 0; j < count; j++) y[j] = number[j] == 0 ? (T)NAN : y[j];
    for (word j = 0; weight && j < count; j++) weight[j] = number[j] == 0 ? (T)0 : weight[j];
}

/* Read the rows of the window of output `row`, and list them, with those of `more` positions after it. */
TARGET static void NAME(gap_window)(const NAME(gap_job) *job, const T *x, const uint8_t *where, word row, word more,
                                    word *next)
{
    const axis *rows = job->rows;
    const word first = rows->stride * row, taps = rows->taps + more; /* more: neither stride nor dilation */
    if (*next < first) *next = first;
    for (; *next < first + job->reach + more; ++*next)
        NAME(gap_row)(job, job->ring[*next % job->slots], x, where, *next - rows->before);
    for (word r = 0; r < taps; r++) job->window[r] = job->ring[(first + r * rows->dilation) % job->slots];
}

/* Compute the rows of a block. */
TARGET static void NAME(gap_block)(NAME(gap_job) *job, T *y, T *weight, const T *x, const uint8_t *where, word start,
                                   word stop, word count)
{
    const axis *rows = job->rows;
    const word terms = job->table->terms, taps = rows->taps, pairs = !terms && rows->stride == 1 && rows->dilation == 1;
    word next = 0;
    for (word row = start; row < stop; row++) {
        const word more = pairs && row + 1 < stop;
        T *to = y + row * rows->y_step, *own = weight ? weight + row * rows->y_step : NULL;
        NAME(gap_window)(job, x, where, row, more, &next);
        const word sample = next - rows->before;
        job->ahead = more && sample >= 0 && sample + 1 < rows->size ? x + sample * rows->x_step + job->first : NULL;
        for (word t = 0; t < terms; t++) NAME(gap_down)(job, job->lines[t], job->down + t * taps);
        const int certain = terms  ? NAME(gap_along)(job, to, own, job->lines, terms, job->along, count)
                            : more ? NAME(gap_along_pair)(job, to, own, job->window, taps, job->kernel, count)
                                   : NAME(gap_along)(job, to, own, job->window, taps, job->kernel, count);
        if (!certain) NAME(gap_support)(job, to, own, count);
        if (!more) continue;
        row++;
        job->window++;
        if (!certain) NAME(gap_support)(job, to + rows->y_step, own ? own + rows->y_step : NULL, count);
        job->window--;
    }
}

/* Return memory for the lines of a job, or NULL. */
TARGET static void *NAME(start_gaps)(NAME(gap_job) *job, const void *w, const void *tables, word fill)
{
    const gaps_table *table = job->table = tables;
    job->rows = (const axis *)(table + 1), job->columns = job->rows + 1;
    job->outer = (const outer_axis *)(job->rows + 2);
    job->border = (const word *)(job->outer + table->outer_axes);
    const word taps[2] = {job->rows->taps, job->columns->taps}, terms = table->terms;
    job->kernel = w;
    job->down = job->kernel + taps[0] * taps[1];
    job->along = job->down + terms * taps[0];
    job->counted_rows = job->along + terms * taps[1];
    job->counted_columns = job->counted_rows + taps[0];
    job->fill = NAME(fill_of)(fill), job->fill_mask = (T)table->fill_mask;
    job->reach = (taps[0] - 1) * job->rows->dilation + 1;
    job->slots = job->reach + 1; /* of two rows of outputs */
    const word group = GAP_VECTORS * LANES, reach = (taps[1] - 1) * job->columns->dilation;
    job->capacity = (table->block_columns + 2 * group - 1) / group * group + (reach + group) / group * group;
    const word pairs = job->slots + terms, heads = pairs + taps[0] + 1;
    const size_t bytes = whole_lines((size_t)heads * sizeof *job->ring);
    const size_t numbers = (size_t)((2 * pairs + 2) * job->capacity);
    char *memory = calloc(bytes + numbers * sizeof(T) + LINE_BYTES, 1);
    if (memory == NULL) return NULL;
    job->ring = (void *)memory;
    job->lines = job->ring + job->slots, job->window = job->lines + terms;
    T *number = (T *)(memory + bytes);
    for (word n = 0; n < pairs; n++, number += 2 * job->capacity)
        job->ring[n] = (NAME(gap_line)){number, number + job->capacity};
    job->count = number, job->count_line = job->count + job->capacity;
    return memory;
}

/* Write the units [first, stop): blocks of columns, of rows, of the axes before. */
TARGET static int NAME(gaps)(const void *xs, const void *w, void *ys, const void *tables, word fill, word first,
                             word stop)
{
    NAME(gap_job) job;
    void *memory = NAME(start_gaps)(&job, w, tables, fill);
    if (memory == NULL) return 1;
    const gaps_table *table = job.table;
    for (; first < stop; first++) {
        word number = first / table->column_blocks, x_at = 0, y_at = 0, where_at = 0;
        const word column = first % table->column_blocks * table->block_columns;
        const word row = number % table->row_blocks * table->block_rows;
        number /= table->row_blocks;
        for (word n = table->outer_axes - 1; n >= 0; number /= job.outer[n].size, n--) {
            const word index = number % job.outer[n].size;
            x_at += index * job.outer[n].x_step;
            y_at += index * job.outer[n].y_step;
            where_at += index * job.outer[n].w_step;
        }
        const word count = min_word(table->block_columns, job.columns->outputs - column);
        job.first = column - job.columns->before;
        job.width = count + (job.columns->taps - 1) * job.columns->dilation;
        const uint8_t *where = table->where ? (const uint8_t *)(uintptr_t)table->where + where_at : NULL;
        T *weight = table->weight ? (T *)(uintptr_t)table->weight + y_at + column : NULL;
        NAME(gap_block)(&job, (T *)ys + y_at + column, weight, (const T *)xs + x_at, where, row,
                        min_word(row + table->block_rows, job.rows->outputs), count);
    }
    free(memory);
    return 0;
}
