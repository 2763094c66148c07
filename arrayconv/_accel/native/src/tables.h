/* The tables that loops read: heads of 64-bit words, each followed by the arrays that its comment lists, in that
   order.

   A list of FIELDS declares a struct here and names its fields in arrayconv_tables(). Python packs NamedTuples of the
   same fields (tables.py), and a test compares the two. Steps are in elements. */

typedef int64_t word;

/* Head of every loop; the loop's own table follows. */
#define LOOP_HEAD_FIELDS(X)                                                                                            \
    X(loop)  /* see LOOPS */                                                                                           \
    X(level) /* of the processor, see LEVELS */                                                                        \
    X(kind)  /* of element, see KINDS */                                                                               \
    X(fill)  /* of integers the number, else the bits of a double */                                                                                \
    X(units) /* blocks of outputs */

/* One convolved axis, whose outputs p, p + period, ... use the same taps (one phase). `before` is that of blocks,
   `stride` and `dilation` are those within a phase. In tiles.h the period is 1. */
#define AXIS_FIELDS(X)                                                                                                 \
    X(size)          /* samples */                                                                                     \
    X(border)        /* index of its first entry in border[] */                                                        \
    X(border_before) /* entries of positions before x, from x outwards; those after x follow */                        \
    X(before)        /* samples from the start of the first window to that of x */                                     \
    X(outputs)                                                                                                         \
    X(taps)                                                                                                            \
    X(stride)                                                                                                          \
    X(dilation)                                                                                                        \
    X(x_step)                                                                                                          \
    X(y_step)                                                                                                          \
    X(period)

/* rows.h: offsets[terms], from the sample of an output's first term to that of each term; then outer[outer_axes], the
   last of which is the filters' where its x_step is 0. */
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

/* Head of tiles.h and images.h; their own tables follow. */
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
    X(copy_size) /* samples in the largest copy of a block */

/* tiles.h: axes[lead_axes + 2], the last two are rows and columns; border[], the sample at each position outside x, -1
   for the fill; row_cut[] and col_cut[], the starts of the blocks of outputs, and the end of the last. */
#define TILES_TABLE_FIELDS(X)                                                                                          \
    X(row_cuts)  /* entries */                                                                                         \
    X(col_cuts)  /* entries */                                                                                         \
    X(copies)    /* whether every block copies its samples, also a block inside x */

/* images.h: axes[lead_axes + 2] and border[] as in tiles.h; lead_phase[lead_phases]; phase[phases], the columns'
   innermost; offsets[], the sample of every term of every phase in a copy. */
#define IMAGES_TABLE_FIELDS(X)                                                                                         \
    X(lead_phases) /* phases of the axes before the last two, axis by axis */                                          \
    X(phases)      /* combinations of one phase of each axis */                                                        \
    X(row_blocks)                                                                                                      \
    X(block_rows) /* of a phase, in all blocks but the last */                                                         \
    X(column_blocks)                                                                                                   \
    X(block_columns)                                                                                                   \
    X(copy_rows)  /* of one plane of a copy, which has all planes */

#define LEAD_PHASE_FIELDS(X)                                                                                           \
    X(first) /* position of the sample that the first tap of the first output multiplies */                            \
    X(taps)

#define PHASE_FIELDS(X)                                                                                                \
    X(terms)                                                                                                           \
    X(offsets) /* index of the first */                                                                                \
    X(factors) /* index of the first in the kernel */

/* filters.h: format, the number_format of y; wrapped, that of sums of several chains; axes[axes]; passes[chains *
   passes]; for every pass positions[terms][axes] in a window; border[] as in tiles.h, but for every axis. Steps and
   starts are in bytes. */
#define FILTERS_TABLE_FIELDS(X)                                                                                        \
    X(axes)                                                                                                            \
    X(chains)      /* of the same samples, whose results are combined */                                               \
    X(passes)      /* of each chain */                                                                                 \
    X(combine)     /* see COMBINE */                                                                                   \
    X(is_uint16)   /* whether sums are formed in uint16 rather than in float64 */                                      \
    X(x_number)    /* dtypes, see NUMBERS */                                                                           \
    X(y_number)                                                                                                        \
    X(each)        /* adjacent numbers at a position of the last axis, such as the parts of a complex one */           \
    X(parts)       /* of an element: 2 where complex */                                                                \
    X(fill_second) /* the bits of the fill's imaginary part */                                                         \
    X(scratch)     /* numbers of a buffer */                                                                           \
    X(total)       /* numbers of the combination of several chains */                                                  \
    X(x_start)                                                                                                         \
    X(y_start)

/* A dtype that doubles are rounded to. */
#define NUMBER_FORMAT_FIELDS(X)                                                                                        \
    X(rounding)  /* see ROUNDING */                                                                                    \
    X(is_signed)                                                                                                       \
    X(shift)     /* 32 less its bits, where signed */                                                                  \
    X(mask)      /* of its bits, where unsigned */

#define FILTER_AXIS_FIELDS(X)                                                                                          \
    X(size)                                                                                                            \
    X(border)        /* as in an axis */                                                                               \
    X(border_before)                                                                                                   \
    X(before)                                                                                                          \
    X(outputs)       /* of the last pass */                                                                            \
    X(taps)                                                                                                            \
    X(x_step)                                                                                                          \
    X(y_step)                                                                                                          \
    X(block)         /* outputs of all blocks but the last */                                                          \
    X(number)        /* of each chain that filters it, -1 for none */                                                  \
    X(is_constant)   /* whether the fill is beyond its ends */

#define FILTER_PASS_FIELDS(X)                                                                                          \
    X(terms)                                                                                                           \
    X(positions)  /* index of the first */                                                                             \
    X(w_start)    /* index of the first factor */                                                                      \
    X(w_step)                                                                                                          \
    X(how)        /* see SUM */                                                                                        \
    X(divides)    /* whether sums become means */                                                                      \
    X(divisor)    /* the bits of a double; of uint16 a factor */                                                       \
    X(raises)     /* factor of quotients, or of sums that are multiplied; of uint16 the shift of products */           \
    X(multiplies)


/* dots.h: outer[outer_axes], around a run, the first of which is summed by chunks; x_columns[columns] and
   y_columns[columns], the offsets of the samples and of the output of each column. */
#define DOTS_TABLE_FIELDS(X)                                                                                           \
    X(groups)                                                                                                          \
    X(filters) /* of a group */                                                                                        \
    X(columns)                                                                                                         \
    X(outer_axes)                                                                                                      \
    X(run)   /* contiguous positions */                                                                                \
    X(chunk) /* of the first outer axis */                                                                             \
    X(x_group)                                                                                                         \
    X(w_group)                                                                                                         \
    X(w_filter)                                                                                                        \
    X(y_group)                                                                                                         \
    X(y_filter)                                                                                                        \
    X(x_start)                                                                                                         \
    X(y_start)

/* gaps.h: axes[2], rows and columns; outer[outer_axes], whose w_step is that of `where`; border[] as in tiles.h. The
   kernel is followed by the factors of products along the columns, those along the rows, and for each row and each
   column of the kernel whether a tap is other than 0. Addresses are words. */
#define GAPS_TABLE_FIELDS(X)                                                                                           \
    X(outer_axes)                                                                                                      \
    X(row_blocks)                                                                                                      \
    X(block_rows)     /* of all blocks but the last */                                                                 \
    X(column_blocks)                                                                                                   \
    X(block_columns)                                                                                                   \
    X(terms)          /* products of factors whose sum is the kernel; 0: it is not read as such */                     \
    X(is_product)     /* whether a tap is other than 0 exactly if its row and its column have one */                   \
    X(omits)          /* whether a NaN is missing */                                                                   \
    X(where)          /* address of bytes, 0 where a sample is missing; 0 for none */                                  \
    X(where_row)                                                                                                       \
    X(where_column)                                                                                                    \
    X(weight)         /* address of the weights, which have the steps of y; 0 for none */                              \
    X(error)          /* of a weight, at most: the bits of a double */                                                 \
    X(fill_mask)      /* 1 where the samples outside x are there, else 0 */

/* winograd.h: axes[lead_axes + 2], the last two of the periods of a tile; border[] as in tiles.h. */
#define WINOGRAD_TABLE_FIELDS(X)                                                                                       \
    X(row_blocks)                                                                                                      \
    X(block_rows)    /* of tiles, in all blocks but the last */                                                        \
    X(column_blocks)                                                                                                   \
    X(block_columns)                                                                                                   \
    X(tile_row)      /* elements for the tiles of a block, in whole vectors and one more */                           \
    X(checks)        /* whether the loop stops at an output that is not finite */                                     \
    X(step)          /* of a tile, see winograd_tiles.h */

/* winograd_dots.h: axes[lead_axes + 2] and border[] as in tiles.h, for whole tiles; then w_lead[lead_axes], the steps of w. */
#define WINOGRAD_DOTS_TABLE_FIELDS(X)                                                                                  \
    X(filter_blocks)                                                                                                   \
    X(lanes)         /* filters of a block, in whole vectors */                                                        \
    X(block_rows)    /* of tiles, in all blocks but the last */                                                        \
    X(block_columns)                                                                                                   \
    X(tile_row)      /* elements for the tiles of a block, in whole vectors and one more */                           \
    X(w_group)       /* steps */                                                                                       \
    X(w_filter)                                                                                                        \
    X(w_channel)                                                                                                       \
    X(w_row)                                                                                                           \
    X(w_column)                                                                                                        \
    X(step)

/* The kernels of winograd.h, before they are transformed. */
#define WINOGRAD_KERNELS_TABLE_FIELDS(X) X(kernels) X(taps) X(step)

/* arrayconv_call: pad[pad_axes], the indices of the gathered factors, then the loop_head. */
#define CALL_HEAD_FIELDS(X)                                                                                            \
    X(itemsize) /* bytes of an element */                                                                              \
    X(factors)  /* of the kernel */                                                                                    \
    X(taps)     /* factors in each run to reverse, 0 to reverse none */                                                \
    X(gathered) /* factors that are gathered instead, by their indices; 0 to gather none */                            \
    X(x_start)                                                                                                         \
    X(pad_axes) /* 0: x is read in place */                                                                            \
    X(threads)  /* that share the blocks */                                                                            \
    X(chunks)   /* of blocks, that they take one by one */                                                             \
    X(openmp)   /* address of GOMP_parallel, 0: the other threads are helpers, see team.h */

/* An axis along which x is padded with zeros. */
#define PAD_AXIS_FIELDS(X)                                                                                             \
    X(size)    /* of the copy */                                                                                       \
    X(start)   /* zeros before the samples */                                                                          \
    X(samples)                                                                                                         \
    X(x_step)

/* The attribute of arrayconv_xla; the loop_head follows, with the level of the processor that planned the call. */
#define XLA_HEAD_FIELDS(X)                                                                                             \
    X(chunks)  /* that the units are divided into for threads */                                                       \
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
    X(xla_head, XLA_HEAD_FIELDS)                                                                                       \
    X(filters_table, FILTERS_TABLE_FIELDS)                                                                             \
    X(number_format, NUMBER_FORMAT_FIELDS)                                                                             \
    X(filter_axis, FILTER_AXIS_FIELDS)                                                                                 \
    X(filter_pass, FILTER_PASS_FIELDS)                                                                                 \
    X(dots_table, DOTS_TABLE_FIELDS)                                                                                   \
    X(gaps_table, GAPS_TABLE_FIELDS)                                                                                   \
    X(winograd_table, WINOGRAD_TABLE_FIELDS)                                                                           \
    X(winograd_kernels_table, WINOGRAD_KERNELS_TABLE_FIELDS)                                                           \
    X(winograd_dots_table, WINOGRAD_DOTS_TABLE_FIELDS)

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
typedef struct { FILTERS_TABLE_FIELDS(DECLARED) } filters_table;
typedef struct { NUMBER_FORMAT_FIELDS(DECLARED) } number_format;
typedef struct { FILTER_AXIS_FIELDS(DECLARED) } filter_axis;
typedef struct { FILTER_PASS_FIELDS(DECLARED) } filter_pass;
typedef struct { DOTS_TABLE_FIELDS(DECLARED) } dots_table;
typedef struct { GAPS_TABLE_FIELDS(DECLARED) } gaps_table;
typedef struct { WINOGRAD_TABLE_FIELDS(DECLARED) } winograd_table;
typedef struct { WINOGRAD_KERNELS_TABLE_FIELDS(DECLARED) } winograd_kernels_table;
typedef struct { WINOGRAD_DOTS_TABLE_FIELDS(DECLARED) } winograd_dots_table;
#undef DECLARED

#define WORDS(type) ((word)(sizeof(type) / sizeof(word)))

#define LOOPS(X) X(rows) X(tiles) X(images) X(filters) X(dots) X(gaps) X(winograd) X(winograd_kernels) X(winograd_dots)
#define NUMBERED(name) LOOP_##name,
enum { LOOPS(NUMBERED) LOOP_COUNT };
#undef NUMBERED
