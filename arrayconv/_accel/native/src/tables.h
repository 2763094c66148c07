/* What the loops are told: heads of 64-bit words, each followed by the arrays that its comment lists, in that order.

   A list of FIELDS declares a struct here and names it in arrayconv_tables(); Python packs the NamedTuples of the same
   fields (tables.py), and a test compares the two. Steps count elements. */

typedef int64_t word;

/* Of every loop: its own table follows. */
#define LOOP_HEAD_FIELDS(X)                                                                                            \
    X(loop)  /* see LOOPS */                                                                                           \
    X(level) /* of the processor: see LEVELS */                                                                        \
    X(kind)  /* of the elements: see KINDS */                                                                          \
    X(fill)  /* the bits of a double */                                                                                \
    X(units) /* blocks of outputs */

/* One convolved axis, whose outputs p, p + period, ... meet the same taps: `before` is that of blocks, `stride` and
   `dilation` are those within a phase. Of tiles.h the period is 1. */
#define AXIS_FIELDS(X)                                                                                                 \
    X(size)          /* samples */                                                                                     \
    X(border)        /* the first of its entries among border[] */                                                     \
    X(border_before) /* entries of positions before x, from x outwards; those after x follow */                        \
    X(before)        /* samples before x that the first window begins at */                                            \
    X(outputs)                                                                                                         \
    X(taps)                                                                                                            \
    X(stride)                                                                                                          \
    X(dilation)                                                                                                        \
    X(x_step)                                                                                                          \
    X(y_step)                                                                                                          \
    X(period)

/* rows.h: offsets[terms], where the sample of each term stands, counted from that of an output's first; then
   outer[outer_axes]. The last of those is of filters where it moves nothing in x. */
#define ROWS_TABLE_FIELDS(X)                                                                                           \
    X(terms)                                                                                                           \
    X(outer_axes)    /* around a row */                                                                                \
    X(outputs)       /* of a row */                                                                                    \
    X(blocks)        /* of a row */                                                                                    \
    X(block_outputs) /* of all blocks but the last */                                                                  \
    X(x_step)        /* from output to output */                                                                       \
    X(y_step)                                                                                                          \
    X(x_start)                                                                                                         \
    X(y_start)

#define OUTER_AXIS_FIELDS(X)                                                                                           \
    X(size)                                                                                                            \
    X(x_step)                                                                                                          \
    X(y_step)                                                                                                          \
    X(w_step)

/* Of tiles.h and images.h, before the tables of their own. */
#define PLANES_HEAD_FIELDS(X)                                                                                          \
    X(lead_axes) /* before the last two */                                                                             \
    X(border)    /* entries */                                                                                         \
    X(batch)                                                                                                           \
    X(groups)                                                                                                          \
    X(channels)  /* of a group */                                                                                      \
    X(filters)   /* of a group */                                                                                      \
    X(x_batch)   /* steps in x */                                                                                      \
    X(x_group)                                                                                                         \
    X(x_channel)                                                                                                       \
    X(y_batch)   /* steps in y */                                                                                      \
    X(y_group)                                                                                                         \
    X(y_filter)                                                                                                        \
    X(x_start)                                                                                                         \
    X(y_start)                                                                                                         \
    X(copy_row)  /* step from row to row of a copy */                                                                  \
    X(room)      /* samples of the largest copy of a block's */

/* tiles.h: axes[lead_axes + 2], the last two of rows and columns; border[], the sample that stands at each position
   outside of x, -1 for the fill; row_cut[] and col_cut[], where blocks of outputs begin, and the last one ends. */
#define TILES_TABLE_FIELDS(X)                                                                                          \
    X(row_cuts)  /* entries */                                                                                         \
    X(col_cuts)  /* entries */                                                                                         \
    X(copies)    /* whether every block copies its samples, those without a border too */

/* images.h: axes[lead_axes + 2] and border[] as of tiles; lead_phase[lead_phases]; phase[phases], those of the columns
   innermost; offsets[], where the sample of every term of every phase stands in a copy. */
#define IMAGES_TABLE_FIELDS(X)                                                                                         \
    X(lead_phases) /* of each of the axes before the last two, all of them in a row */                                 \
    X(phases)      /* of all axes together */                                                                          \
    X(bands)       /* blocks of rows */                                                                                \
    X(band_rows)   /* of a phase, in all bands but the last */                                                         \
    X(copy_rows)   /* of one plane of a copy, which holds all planes */

#define LEAD_PHASE_FIELDS(X)                                                                                           \
    X(first) /* position that the first tap of the first output meets */                                               \
    X(taps)

#define PHASE_FIELDS(X)                                                                                                \
    X(terms)                                                                                                           \
    X(offsets) /* the first of them */                                                                                 \
    X(factors) /* the first of them in the kernel */

/* arrayconv_call: pad[pad_axes], then the loop_head. */
#define CALL_HEAD_FIELDS(X)                                                                                            \
    X(itemsize) /* bytes of an element */                                                                              \
    X(factors)  /* of the kernel */                                                                                    \
    X(taps)     /* of each run of factors that is reversed, 0 for none */                                              \
    X(x_start)                                                                                                         \
    X(pad_axes) /* 0: x is read as it is */

/* An axis along which x is copied among zeros. */
#define PAD_AXIS_FIELDS(X)                                                                                             \
    X(size)    /* of the copy */                                                                                       \
    X(start)   /* zeros before the samples */                                                                          \
    X(samples)                                                                                                         \
    X(x_step)

/* The attribute of arrayconv_xla: then the loop_head, whose level is that of the processor that planned. */
#define XLA_HEAD_FIELDS(X)                                                                                             \
    X(chunks)  /* in which threads take the units */                                                                   \
    X(threads) /* at most */                                                                                           \
    X(x_size)  /* elements of each buffer */                                                                           \
    X(w_size)                                                                                                          \
    X(y_size)

#define TABLES(X)                                                                                                      \
    X(loop_head, LOOP_HEAD_FIELDS)                                                                                     \
    X(axis, AXIS_FIELDS)                                                                                               \
    X(rows_table, ROWS_TABLE_FIELDS)                                                                                   \
    X(outer_axis, OUTER_AXIS_FIELDS)                                                                                   \
    X(planes_head, PLANES_HEAD_FIELDS)                                                                                 \
    X(tiles_table, TILES_TABLE_FIELDS)                                                                                 \
    X(images_table, IMAGES_TABLE_FIELDS)                                                                               \
    X(lead_phase, LEAD_PHASE_FIELDS)                                                                                   \
    X(phase, PHASE_FIELDS)                                                                                             \
    X(call_head, CALL_HEAD_FIELDS)                                                                                     \
    X(pad_axis, PAD_AXIS_FIELDS)                                                                                       \
    X(xla_head, XLA_HEAD_FIELDS)

#define DECLARED(field) word field;
#define NAMED(field) #field ","
typedef struct { LOOP_HEAD_FIELDS(DECLARED) } loop_head;
typedef struct { AXIS_FIELDS(DECLARED) } axis;
typedef struct { ROWS_TABLE_FIELDS(DECLARED) } rows_table;
typedef struct { OUTER_AXIS_FIELDS(DECLARED) } outer_axis;
typedef struct { PLANES_HEAD_FIELDS(DECLARED) } planes_head;
typedef struct { TILES_TABLE_FIELDS(DECLARED) } tiles_table;
typedef struct { IMAGES_TABLE_FIELDS(DECLARED) } images_table;
typedef struct { LEAD_PHASE_FIELDS(DECLARED) } lead_phase;
typedef struct { PHASE_FIELDS(DECLARED) } phase;
typedef struct { CALL_HEAD_FIELDS(DECLARED) } call_head;
typedef struct { PAD_AXIS_FIELDS(DECLARED) } pad_axis;
typedef struct { XLA_HEAD_FIELDS(DECLARED) } xla_head;
#undef DECLARED

#define WORDS(type) ((word)(sizeof(type) / sizeof(word)))

#define LOOPS(X) X(rows) X(tiles) X(images)
#define NUMBERED(name) LOOP_##name,
enum { LOOPS(NUMBERED) LOOP_COUNT };
#undef NUMBERED
