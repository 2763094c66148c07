/* The loops as one custom call of XLA: operands x and kernel (of filters all weights), an attribute `table`, one
   result y. Winograd's transforms, by which a sample that is not finite reaches outputs whose window does not contain
   it, have two attributes more: `kernels` transforms the kernel first, where the loop takes it transformed, and `again`
   writes y once more where an output is not finite.

   A table is an xla_head, a loop_head and the loop's own. The calling thread and tasks on XLA's pool share the loop
   (team.h). The caller waits for chunks that other threads are computing, never for tasks that have not started. A task
   that starts late has no chunk to compute and touches the xla_call alone, which its last user frees: by then x, the
   kernel, y and the table may have been freed. */

#include <stdio.h>

enum { NO_MEMORY = 1, NOT_FINITE = 2 }; /* what loops return */

#define BYTES_ENTRY(n, dtypes, t, size, ...) [n] = size,
static const word KIND_BYTES[KIND_COUNT] = {KINDS(BYTES_ENTRY)};

typedef struct {
    atomic_llong finished, references;
    shared_loop loop;
    double weights[]; /* of filters */
} xla_call;

static void release(xla_call *call)
{
    if (atomic_fetch_sub(&call->references, 1) == 1) free(call);
}

static void take_chunks(void *shared)
{
    xla_call *call = shared;
    while (run_chunk(&call->loop)) atomic_fetch_add(&call->finished, 1);
    release(call);
}

/* Ask XLA for a task; return whether XLA will run it. */
static int schedule(const XLA_FFI_CallFrame *frame, xla_call *call)
{
    XLA_FFI_ThreadPool_Schedule_Args args = {sizeof args, NULL, frame->ctx, take_chunks, call};
    XLA_FFI_Error *error = frame->api->XLA_FFI_ThreadPool_Schedule(&args);
    if (error == NULL) return 1;
    XLA_FFI_Error_Destroy_Args destroy = {sizeof destroy, NULL, error};
    frame->api->XLA_FFI_Error_Destroy(&destroy);
    return 0;
}

static XLA_FFI_Error *refuse(const XLA_FFI_CallFrame *frame, int code, const char *message)
{
    XLA_FFI_Error_Create_Args args = {XLA_FFI_THROUGH(XLA_FFI_Error_Create_Args, errc), NULL, message, code};
    return frame->api->XLA_FFI_Error_Create(&args); /* copies the message */
}

/* Return an error that XLA's interface is another version; abort where XLA can't take an error. */
static XLA_FFI_Error *refuse_interface(const XLA_FFI_CallFrame *frame)
{
    const XLA_FFI_Api *api = frame->api;
    if (api->struct_size < XLA_FFI_THROUGH(XLA_FFI_Api, XLA_FFI_Error_Create)) abort();
    char message[200];
    snprintf(message, sizeof message,
             "arrayconv: XLA's FFI is version %d.%d (frames of %zu bytes, %zu of functions), and these loops are "
             "written for version %d.%d (%zu and %zu).",
             api->api_version.major_version, api->api_version.minor_version, frame->struct_size, api->struct_size,
             XLA_FFI_MAJOR, XLA_FFI_MINOR, sizeof *frame, sizeof *api);
    return refuse(frame, XLA_FFI_UNIMPLEMENTED, message);
}

/* Return to XLA, when it registers the handler, the version that this one is written for; XLA refuses others. */
static XLA_FFI_Error *report_version(const XLA_FFI_CallFrame *frame)
{
    const XLA_FFI_Metadata_Extension *extension = (const XLA_FFI_Metadata_Extension *)frame->extension_start;
    if (extension->extension_base.struct_size < sizeof *extension ||
        extension->metadata->struct_size < XLA_FFI_THROUGH(XLA_FFI_Metadata, api_version))
        return refuse_interface(frame);
    extension->metadata->api_version.major_version = XLA_FFI_MAJOR;
    extension->metadata->api_version.minor_version = XLA_FFI_MINOR;
    return NULL;
}

/* Return whether a number can be a count in a table of so many words: then sums of several counts do not wrap. */
static int is_count(word number, word words) { return number >= 0 && number <= words; }

/* Return the units and, in `length`, the words of a loop's table, computed from its counts; -1 if a count is invalid.
   Products may wrap, since they are only compared. */
static word units_of_rows(const rows_table *table, word words, word *length)
{
    if (words < WORDS(rows_table) || !is_count(table->terms, words) || !is_count(table->outer_axes, words)) return -1;
    *length = WORDS(rows_table) + table->terms + WORDS(outer_axis) * table->outer_axes;
    if (*length > words) return -1;
    const outer_axis *outer = (const outer_axis *)((const word *)(table + 1) + table->terms);
    uint64_t units = (uint64_t)table->blocks;
    for (word n = 0; n < table->outer_axes; n++) units *= (uint64_t)outer[n].size;
    return (word)units;
}

/* The same for a planes_head, its axes and border, with a table of `table_words` words between them: the planes, which
   are one or more units each. */
static word units_of_planes(const planes_head *head, word table_words, word words, word *length)
{
    if (words < WORDS(planes_head) + table_words || !is_count(head->lead_axes, words) ||
        !is_count(head->border, words))
        return -1;
    *length = WORDS(planes_head) + table_words + WORDS(axis) * (head->lead_axes + 2) + head->border;
    if (*length > words) return -1;
    const axis *lead = (const axis *)((const word *)(head + 1) + table_words);
    uint64_t units = (uint64_t)head->batch * (uint64_t)head->groups;
    for (word n = 0; n < head->lead_axes; n++) units *= (uint64_t)lead[n].outputs;
    return (word)units;
}

static word units_of_tiles(const planes_head *head, word words, word *length)
{
    const word places = units_of_planes(head, WORDS(tiles_table), words, length);
    const tiles_table *table = (const tiles_table *)(head + 1);
    if (*length < 0 || !is_count(table->row_cuts, words) || !is_count(table->col_cuts, words)) return *length = -1;
    *length += table->row_cuts + table->col_cuts;
    return (word)((uint64_t)places * (uint64_t)((table->row_cuts - 1) * (table->col_cuts - 1)));
}

static word units_of_images(const planes_head *head, word words, word *length)
{
    const word places = units_of_planes(head, WORDS(images_table), words, length);
    const images_table *table = (const images_table *)(head + 1);
    if (*length < 0 || !is_count(table->lead_phases, words) || !is_count(table->phases, words)) return *length = -1;
    *length += WORDS(lead_phase) * table->lead_phases + WORDS(phase) * table->phases;
    if (*length > words) return -1;
    const phase *last = (const phase *)((const word *)head + *length) - 1;
    if (table->phases) *length = (word)((uint64_t)*length + (uint64_t)last->offsets + (uint64_t)last->terms);
    return (word)((uint64_t)places * (uint64_t)table->row_blocks * (uint64_t)table->column_blocks);
}

static word units_of_dots(const dots_table *table, word words, word *length)
{
    if (words < WORDS(dots_table) || !is_count(table->outer_axes, words) || !is_count(table->columns, words)) return -1;
    *length = WORDS(dots_table) + WORDS(outer_axis) * table->outer_axes + 2 * table->columns;
    return (word)((uint64_t)table->groups * (uint64_t)((table->filters + DOT_FILTERS - 1) / DOT_FILTERS));
}

static word units_of_winograd(const planes_head *head, word words, word *length)
{
    const word places = units_of_planes(head, WORDS(winograd_table), words, length);
    const winograd_table *table = (const winograd_table *)(head + 1);
    if (*length < 0 || !is_count(table->step, WINOGRAD_STEPS)) return *length = -1;
    return (word)((uint64_t)places * (uint64_t)table->row_blocks * (uint64_t)table->column_blocks);
}

static word units_of_winograd_dots(const planes_head *head, word words, word *length)
{
    units_of_planes(head, WORDS(winograd_dots_table), words, length);
    const winograd_dots_table *table = (const winograd_dots_table *)(head + 1);
    if (*length < 0 || !is_count(table->step, WINOGRAD_STEPS)) return *length = -1;
    *length += head->lead_axes;
    return (word)((uint64_t)head->groups * (uint64_t)table->filter_blocks);
}

static word units_of_winograd_kernels(const winograd_kernels_table *table, word words, word *length)
{
    if (words < WORDS(winograd_kernels_table) || !is_count(table->step, WINOGRAD_STEPS)) return *length = -1;
    *length = WORDS(winograd_kernels_table);
    return table->kernels;
}

#include "xla_filters.h"

static word units_of_loop(const loop_head *loop, word words, word *length)
{
    if (loop->loop == LOOP_rows) return units_of_rows((const rows_table *)(loop + 1), words, length);
    if (loop->loop == LOOP_filters) return units_of_filters((const filters_table *)(loop + 1), words, length);
    if (loop->loop == LOOP_dots) return units_of_dots((const dots_table *)(loop + 1), words, length);
    if (loop->loop == LOOP_winograd_kernels)
        return units_of_winograd_kernels((const winograd_kernels_table *)(loop + 1), words, length);
    const planes_head *planes = (const planes_head *)(loop + 1);
    if (loop->loop == LOOP_tiles) return units_of_tiles(planes, words, length);
    if (loop->loop == LOOP_winograd) return units_of_winograd(planes, words, length);
    if (loop->loop == LOOP_winograd_dots) return units_of_winograd_dots(planes, words, length);
    return units_of_images(planes, words, length);
}

/* Return what is wrong with a table, or NULL: by its counts alone, except for filters. Another process may have
   compiled the program. */
static const char *table_problem(const XLA_FFI_Array *table)
{
    const xla_head *head = table->data;
    if (table->dtype != XLA_FFI_S64) return "its numbers are not of 64 bits";
    const word words = (word)table->size - WORDS(xla_head) - WORDS(loop_head);
    if (words < 0) return "it is too short";
    const loop_head *loop = (const loop_head *)(head + 1);
    if (!is_count(loop->loop, LOOP_COUNT - 1) || !is_count(loop->kind, KIND_COUNT - 1)) return "it names no loop";
    if (loop->loop == LOOP_gaps) return "its loop runs on NumPy arrays only";
    if (!CODE_AT[0][loop->loop][loop->kind]) return "its loop does not support the kind of elements";
    if (loop->level < 0 || head->threads < 1 || head->chunks < 1) return "its counts are below one";
    word length = -1;
    const word units = units_of_loop(loop, words, &length);
    if (length != words) return "its length disagrees with its counts";
    if (units != loop->units) return "its units disagree with its counts";
    return loop->loop == LOOP_filters ? filters_problem((const filters_table *)(loop + 1), head) : NULL;
}

static const char *size_problem(const XLA_FFI_Buffer *buffer, word size)
{
    word elements = 1; /* XLA's own count, which fits */
    for (int64_t n = 0; n < buffer->rank; n++) elements *= buffer->dims[n];
    return elements == size ? NULL : "a buffer is of another size";
}

/* Return what is wrong with a buffer, or NULL. */
static const char *buffer_problem(const XLA_FFI_Buffer *buffer, word kind, word size)
{
    static const int types[KIND_COUNT][2] = {
#define TYPES_ENTRY(n, dtypes, t, size, product, parts, in_images, tiled, xla, xla_alias) [n] = {xla, xla_alias},
        KINDS(TYPES_ENTRY)};
    if (buffer->dtype != types[kind][0] && buffer->dtype != types[kind][1]) return "a buffer is of another dtype";
    return size_problem(buffer, size);
}

/* Return what is wrong with the buffers of filters, or NULL. */
static const char *filters_buffers_problem(const XLA_FFI_CallFrame *frame, const xla_head *head)
{
    const filters_table *table = (const filters_table *)((const loop_head *)(head + 1) + 1);
    const XLA_FFI_Buffer *x = frame->args.args[0], *w = frame->args.args[1], *y = frame->rets.rets[0];
    const word words = w->dtype == XLA_FFI_U32 ? 2 : 1; /* of each weight */
    if (!is_filters_dtype(x->dtype, table->x_number, table->parts)) return "a buffer is of another dtype";
    if (!is_filters_dtype(y->dtype, table->y_number, table->parts)) return "a buffer is of another dtype";
    if (w->dtype != XLA_FFI_U32 && w->dtype != XLA_FFI_F32 && w->dtype != XLA_FFI_F64)
        return "a buffer is of another dtype";
    const char *problem = size_problem(x, head->x_size);
    if (!problem) problem = size_problem(w, words * head->w_size);
    return problem ? problem : size_problem(y, head->y_size);
}

static const xla_head *table_at(const XLA_FFI_CallFrame *frame, int n)
{
    return ((const XLA_FFI_Array *)frame->attrs.attrs[n])->data;
}

static const loop_head *loop_of(const xla_head *head) { return (const loop_head *)(head + 1); }

/* Attributes are in the order of their names. */
enum { AGAIN, KERNELS, MAX_TABLES = 3 };

static const xla_head *last_table(const XLA_FFI_CallFrame *frame)
{
    return table_at(frame, (int)frame->attrs.size - 1);
}

/* Return whether the kernels' loop reads a kernel of so many factors, and writes those that `head` reads. */
static int are_kernels(const xla_head *kernels, const xla_head *head, word factors)
{
    const winograd_kernels_table *table = (const winograd_kernels_table *)(loop_of(kernels) + 1);
    const uint64_t count = (uint64_t)table->kernels, parts = (uint64_t)tile_of(table->step).parts;
    if (!is_between(table->kernels, 0, MAX_NUMBER) || !is_between(table->taps, 1, 3 * WINOGRAD_STEPS)) return 0;
    return count * (uint64_t)table->taps == (uint64_t)factors && count * parts == (uint64_t)head->w_size;
}

/* Return what is wrong with the loops of a call, or NULL. */
static const char *loops_problem(const XLA_FFI_CallFrame *frame)
{
    const int tables = (int)frame->attrs.size;
    const xla_head *head = last_table(frame);
    const word loop = loop_of(head)->loop;
    const word own = tables == 1 ? LOOP_dots : tables == 2 ? LOOP_winograd_dots : LOOP_winograd;
    if (tables == 1) return loop > own ? "its loop does not run alone" : NULL;
    const xla_head *again = table_at(frame, AGAIN), *kernels = tables == MAX_TABLES ? table_at(frame, KERNELS) : NULL;
    const loop_head *second = loop_of(again);
    if (loop != own || second->loop > LOOP_dots || second->loop == LOOP_filters ||
        (kernels && loop_of(kernels)->loop != LOOP_winograd_kernels))
        return "its loops do not run together";
    if (second->kind != loop_of(head)->kind || (kernels && loop_of(kernels)->kind != second->kind))
        return "its loops are of several dtypes";
    if (again->x_size != head->x_size || again->y_size != head->y_size ||
        (kernels ? !are_kernels(kernels, head, again->w_size) : again->w_size != head->w_size))
        return "its loops are of several sizes";
    return NULL;
}

static const char *call_problem(const XLA_FFI_CallFrame *frame)
{
    if (frame->stage != XLA_FFI_EXECUTE) return "it is not of the execution stage";
    if (frame->args.size != 2 || frame->rets.size != 1 || !is_between(frame->attrs.size, 1, MAX_TABLES))
        return "it does not have two operands, a result and one to three tables";
    const char *problem = NULL;
    for (int n = 0; n < frame->attrs.size && !problem; n++) problem = table_problem(frame->attrs.attrs[n]);
    if (!problem) problem = loops_problem(frame);
    if (problem) return problem;
    const xla_head *head = table_at(frame, 0); /* its operands are the caller's */
    const loop_head *loop = loop_of(head);
    if (loop->loop == LOOP_filters) return filters_buffers_problem(frame, head);
    const word kind = loop->kind;
    problem = buffer_problem(frame->args.args[0], kind, head->x_size);
    if (!problem) problem = buffer_problem(frame->args.args[1], kind, head->w_size);
    if (!problem) problem = buffer_problem(frame->rets.rets[0], kind, head->y_size);
    return problem;
}

/* Run a loop on this thread and tasks of XLA's pool. Returns 1 if memory can't be allocated, else what the loop does.
   Filters have their weights in a buffer, of any dtype. */
static int run_on_pool(const XLA_FFI_CallFrame *frame, const xla_head *head, const void *x, const void *w,
                       const XLA_FFI_Buffer *weights, void *y)
{
    const loop_head *loop = loop_of(head);
    const word count = weights ? head->w_size : 0;
    xla_call *call = malloc(sizeof *call + (size_t)count * sizeof(double));
    if (call == NULL) return NO_MEMORY;
    if (weights) convert_weights(call->weights, weights, count);
    call->loop = (shared_loop){
        .x = x,
        .w = weights ? call->weights : w,
        .y = y,
        .head = loop,
        .level = min_word(loop->level, arrayconv_level()), /* another machine may have compiled the program */
        .chunks = head->chunks,
    };
    atomic_init(&call->finished, 0);
    atomic_init(&call->references, 1 + head->threads); /* two for this thread: one while it waits */
    for (word n = 1; n < head->threads; n++)
        if (!schedule(frame, call)) release(call);
    take_chunks(call);
    while (atomic_load(&call->finished) < head->chunks) YIELD_CPU();
    const int failed = atomic_load(&call->loop.failed);
    release(call);
    return failed;
}

/* Run a loop of Winograd's transforms; where an output is not finite, the loop that contains what is not. */
static int run_transformed(const XLA_FFI_CallFrame *frame, const void *x, const void *w, void *y)
{
    const xla_head *head = last_table(frame), *again = table_at(frame, AGAIN);
    const word itemsize = KIND_BYTES[loop_of(head)->kind];
    int failed = 0;
    void *factors = NULL;
    if (frame->attrs.size == MAX_TABLES) {
        factors = malloc((size_t)(head->w_size * itemsize) + 1);
        failed = factors ? run_on_pool(frame, table_at(frame, KERNELS), w, w, NULL, factors) : NO_MEMORY;
    }
    if (!failed) failed = run_on_pool(frame, head, x, factors ? factors : w, NULL, y);
    free(factors);
    if (!failed && !factors && !arrayconv_finite(y, head->y_size, itemsize)) failed = NOT_FINITE;
    return failed == NOT_FINITE ? run_on_pool(frame, again, x, w, NULL, y) : failed;
}

EXPORTED XLA_FFI_Error *arrayconv_xla(XLA_FFI_CallFrame *frame)
{
    const XLA_FFI_Extension_Base *extension = frame->extension_start;
    if (extension && extension->type == XLA_FFI_METADATA) return report_version(frame);
    if (frame->struct_size < sizeof *frame || frame->api->struct_size < sizeof *frame->api ||
        frame->api->api_version.major_version != XLA_FFI_MAJOR)
        return refuse_interface(frame);
    const char *problem = call_problem(frame);
    if (problem) {
        char message[200];
        snprintf(message, sizeof message, "arrayconv: these loops do not support the call: %s.", problem);
        return refuse(frame, XLA_FFI_INVALID, message);
    }
    const xla_head *head = table_at(frame, 0);
    const XLA_FFI_Buffer *w = frame->args.args[1];
    const void *x = ((const XLA_FFI_Buffer *)frame->args.args[0])->data;
    void *y = ((const XLA_FFI_Buffer *)frame->rets.rets[0])->data;
    const int is_filter = loop_of(head)->loop == LOOP_filters;
    const int failed = frame->attrs.size == 1 ? run_on_pool(frame, head, x, w->data, is_filter ? w : NULL, y)
                                                      : run_transformed(frame, x, w->data, y);
    return failed ? refuse(frame, XLA_FFI_EXHAUSTED, "arrayconv: no memory for the samples of a block.") : NULL;
}
