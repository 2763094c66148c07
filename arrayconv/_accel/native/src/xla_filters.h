/* What xla.h checks of a call of filters.h, whose x and y have the dtypes of its table: then no number of the table
   leads out of a buffer. x and y are dense. Weights are doubles or floats, or the bits of doubles as pairs of uint32,
   for programs without float64. */

#define MAX_NUMBER ((word)1 << 56) /* of a table: sums of several do not wrap */
#define UNUSED_NUMBERS 64          /* of a buffer: what vectors read beyond the end */

static int is_between(word number, word least, word most) { return number >= least && number <= most; }

static const filter_axis *axes_of(const filters_table *table)
{
    return (const filter_axis *)((const number_format *)(table + 1) + 2);
}

static const filter_pass *passes_of(const filters_table *table)
{
    return (const filter_pass *)(axes_of(table) + table->axes);
}

/* Return the samples beyond an axis that windows contain. */
static word samples_before(const filter_axis *along) { return max_word(along->before, 0); }

static word samples_after(const filter_axis *along) { return max_word(along->taps - 1 - along->before, 0); }

static int is_filters_axis(const filter_axis *along, word passes, word border)
{
    if (!is_between(along->size, 1, MAX_NUMBER) || along->outputs != along->size ||
        !is_between(along->block, 1, along->size) ||
        !is_between(along->taps, 1, MAX_NUMBER) || !is_between(along->before, -MAX_NUMBER, MAX_NUMBER) ||
        !is_between(along->number, -1, passes - 1))
        return 0;
    return (along->number >= 0 || (along->taps == 1 && along->before == 0)) && along->border == border &&
           along->border_before == samples_before(along);
}

/* Return the units and, in `length`, the words of a table; -1 if a count is invalid. */
static word units_of_filters(const filters_table *table, word words, word *length)
{
    const word head = WORDS(filters_table) + 2 * WORDS(number_format);
    *length = -1;
    if (words < head || !is_between(table->axes, 1, MAX_FILTER_AXES) || table->chains < 1 || table->passes < 1 ||
        !is_count(table->chains, words) || !is_count(table->passes, words / table->chains))
        return -1;
    const word passes = table->chains * table->passes;
    word total = head + WORDS(filter_axis) * table->axes + WORDS(filter_pass) * passes, border = 0;
    if (total > words) return -1;
    for (word n = 0; n < passes; n++) {
        const word terms = passes_of(table)[n].terms;
        if (terms < 1 || !is_count(terms, words)) return -1;
        total += terms * table->axes;
        if (total > words) return -1;
    }
    uint64_t units = 1;
    for (word n = 0; n < table->axes; n++) {
        const filter_axis *along = axes_of(table) + n;
        if (!is_filters_axis(along, table->passes, border)) return -1;
        border += samples_before(along) + samples_after(along);
        if (!is_count(border, words)) return -1;
        units *= (uint64_t)((along->size + along->block - 1) / along->block);
    }
    *length = total + border;
    return (word)units;
}

/* Return whether numbers and combinations are those that the loops are compiled for. */
static int are_filters_options(const filters_table *table)
{
    const number_format *format = (const number_format *)(table + 1);
    const word most = table->is_uint16 ? 3 : (word)(sizeof NUMBER_BYTES / sizeof *NUMBER_BYTES) - 1;
    const word least = table->parts == 2 ? 8 : 0; /* float32 */
    if (!is_between(table->x_number, least, most) || !is_between(table->y_number, least, most)) return 0;
    if (!is_between(table->parts, 1, 2) || !is_between(table->each, 1, ROW_NUMBERS) || table->each % table->parts)
        return 0;
    if (!is_between(format[0].rounding, ROUND_none, ROUND_cut)) return 0;
    if (!is_between(format[1].rounding, ROUND_none, ROUND_cut)) return 0;
    if (!is_between(table->combine, COMBINE_none, COMBINE_length)) return 0;
    return table->combine == COMBINE_none ? table->chains == 1 : !table->is_uint16 && table->parts == 1;
}

/* Return whether buffers have room for a block, its row and what vectors read beyond them. */
static int is_scratch(const filters_table *table)
{
    const filter_axis *along = axes_of(table);
    word numbers = table->each;
    if (!is_between(table->scratch, 1, MAX_NUMBER) || !is_between(table->total, 0, MAX_NUMBER)) return 0;
    for (word n = 0; n < table->axes; n++) {
        const word padding = n == table->axes - 1 ? ROW_PADDING : 0;
        const word size = along[n].block + along[n].taps - 1 + padding;
        if (size > table->scratch / numbers) return 0;
        numbers *= size;
    }
    const word row = along[table->axes - 1].block;
    if (row > (ROW_NUMBERS - ROW_PADDING) / table->each || table->scratch - numbers < UNUSED_NUMBERS) return 0;
    return table->combine == COMBINE_none || table->total >= table->scratch;
}

/* Return whether x and y are dense, and of so many numbers. */
static int are_filters_steps(const filters_table *table, word count)
{
    const filter_axis *axes = axes_of(table);
    word numbers = table->each;
    if (table->x_start || table->y_start) return 0;
    for (word n = table->axes - 1; n >= 0; n--) {
        if (axes[n].x_step != numbers * NUMBER_BYTES[table->x_number]) return 0;
        if (axes[n].y_step != numbers * NUMBER_BYTES[table->y_number]) return 0;
        if (axes[n].size > count / numbers) return 0;
        numbers *= axes[n].size;
    }
    return numbers == count;
}

/* Return whether a pass reads weights that exist and samples of its windows. */
static int is_filters_pass(const filters_table *table, word number, word weights, const word *position)
{
    const filter_pass *pass = passes_of(table) + number;
    const filter_axis *axes = axes_of(table);
    if (!is_between(pass->how, SUM_ordered, SUM_mean) || (pass->w_step != 1 && pass->w_step != -1)) return 0;
    const word last = pass->w_start + (pass->terms - 1) * pass->w_step;
    if (!is_between(pass->w_start, 0, weights - 1) || !is_between(last, 0, weights - 1)) return 0;
    word filtered = 0, taps = 1;
    for (word n = 0; n < table->axes; n++)
        if (axes[n].number == number % table->passes) filtered++, taps = axes[n].taps;
    if (pass->how == SUM_mean && (filtered != 1 || pass->terms != taps)) return 0;
    for (word term = 0; term < pass->terms; term++)
        for (word n = 0; n < table->axes; n++) {
            const word most = axes[n].number == number % table->passes ? axes[n].taps - 1 : 0;
            if (!is_between(*position++, 0, most)) return 0;
        }
    return 1;
}

static int are_filters_passes(const filters_table *table, word weights)
{
    const filter_pass *passes = passes_of(table);
    const word *positions = (const word *)(passes + table->chains * table->passes);
    word first = 0;
    for (word n = 0; n < table->chains * table->passes; n++) {
        if (passes[n].positions != first || !is_filters_pass(table, n, weights, positions + first)) return 0;
        first += passes[n].terms * table->axes;
    }
    const word *border = positions + first;
    for (word n = 0; n < table->axes; n++) {
        const filter_axis *along = axes_of(table) + n;
        const word count = samples_before(along) + samples_after(along);
        for (word i = 0; i < count; i++)
            if (!is_between(*border++, -1, along->size - 1)) return 0;
    }
    return 1;
}

/* Return what is wrong with a table of valid counts, for operands of these sizes, or NULL. */
static const char *filters_problem(const filters_table *table, const xla_head *head)
{
    if (head->x_size != head->y_size) return "x and y are of different sizes";
    if (!is_between(head->x_size, 1, MAX_NUMBER)) return "x is empty";
    if (!is_between(head->w_size, 1, MAX_NUMBER)) return "it has no weights";
    if (!are_filters_options(table)) return "its filters have no such numbers";
    if (!is_scratch(table)) return "its buffers do not contain a block";
    if (!are_filters_steps(table, head->x_size * table->parts)) return "its steps disagree with its sizes";
    return are_filters_passes(table, head->w_size) ? NULL : "its windows disagree with its axes";
}

/* Return whether a buffer has the dtype of elements of so many parts. */
static int is_filters_dtype(int dtype, word number, word parts)
{
    static const int types[] = {XLA_FFI_S8,  XLA_FFI_U8,  XLA_FFI_S16, XLA_FFI_U16, XLA_FFI_S32,
                                XLA_FFI_U32, XLA_FFI_S64, XLA_FFI_U64, XLA_FFI_F32, XLA_FFI_F64};
    const int is_bool = dtype == XLA_FFI_PRED && types[number] == XLA_FFI_U8; /* bools are bytes */
    if (parts == 1) return dtype == types[number] || is_bool;
    return dtype == (types[number] == XLA_FFI_F32 ? XLA_FFI_C64 : XLA_FFI_C128);
}

/* Write weights as doubles. */
static void convert_weights(double *to, const XLA_FFI_Buffer *w, word count)
{
    if (w->dtype != XLA_FFI_F32) memcpy(to, w->data, (size_t)count * sizeof *to);
    else
        for (word i = 0; i < count; i++) to[i] = (double)((const float *)w->data)[i];
}
