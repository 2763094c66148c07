/* The loops as one custom call of XLA: operands x and kernel, an attribute `table`, one result y.

   The table is that of arrayconv_call without its address parts: loop (0 rows, 1 tiles, 2 images), level, kind, bits of
   the fill, units, chunks, threads; then the loop's own. Chunks are taken from a counter by the calling thread and by tasks
   on XLA's pool. The caller waits for chunks that others hold, never for tasks that have not begun: those find nothing to
   do later, so the call they share is freed by whoever lets go of it last. */

#include <sched.h>
#include <stdatomic.h>

#include "xla_ffi.h"

enum { LOOP, LEVEL, KIND, FILL, UNITS, CHUNKS, THREADS, HEAD };

typedef struct {
    atomic_llong next, done, holders;
    atomic_int failed;
    word units, chunks; /* copies: a task that begins late must not read what the call was given */
    const void *x, *kernel;
    void *y;
    const word *table;
} call;

static void let_go(call *c) { if (atomic_fetch_sub(&c->holders, 1) == 1) free(c); }

static int run(const call *c, word first, word stop)
{
    const word *t = c->table;
    double fill;
    memcpy(&fill, t + FILL, sizeof fill);
    switch (t[LOOP]) {
    case 0: arrayconv_rows((int)t[LEVEL], (int)t[KIND], c->x, c->kernel, c->y, t + HEAD, first, stop); return 0;
    case 1: return arrayconv_tiles((int)t[LEVEL], (int)t[KIND], c->x, c->kernel, c->y, t + HEAD, fill, first, stop);
    default: return arrayconv_images((int)t[LEVEL], (int)t[KIND], c->x, c->kernel, c->y, t + HEAD, fill, first, stop);
    }
}

static void take_chunks(void *shared)
{
    call *c = shared;
    for (word chunk; (chunk = atomic_fetch_add(&c->next, 1)) < c->chunks;) {
        if (run(c, c->units * chunk / c->chunks, c->units * (chunk + 1) / c->chunks)) atomic_store(&c->failed, 1);
        atomic_fetch_add(&c->done, 1);
    }
    let_go(c);
}

static int schedule(const XLA_FFI_CallFrame *frame, call *c)
{
    XLA_FFI_ThreadPool_Schedule_Args args = {sizeof args, NULL, frame->ctx, take_chunks, c};
    XLA_FFI_Error *error = frame->api->ThreadPool_Schedule(&args);
    if (error == NULL) return 1;
    XLA_FFI_Error_Destroy_Args destroy = {sizeof destroy, NULL, error};
    frame->api->Error_Destroy(&destroy);
    return 0;
}

static XLA_FFI_Error *refuse(const XLA_FFI_CallFrame *frame, const char *message)
{
    XLA_FFI_Error_Create_Args args = {sizeof args, NULL, message, XLA_FFI_INTERNAL};
    return frame->api->Error_Create(&args);
}

EXPORTED XLA_FFI_Error *arrayconv_xla(XLA_FFI_CallFrame *frame)
{
    const XLA_FFI_Api *api = frame->api;
    if (frame->struct_size < sizeof *frame || api->struct_size < sizeof *api || api->api_version.major_version != XLA_FFI_MAJOR)
        return refuse(frame, "arrayconv: XLA's interface is not the one these loops are written for");
    if (frame->extension_start && frame->extension_start->type == XLA_FFI_METADATA) {
        XLA_FFI_Metadata *metadata = ((XLA_FFI_Metadata_Extension *)frame->extension_start)->metadata;
        metadata->api_version.major_version = XLA_FFI_MAJOR;
        metadata->api_version.minor_version = XLA_FFI_MINOR;
        return NULL;
    }
    if (frame->stage != XLA_FFI_EXECUTE || frame->args.size != 2 || frame->rets.size != 1 || frame->attrs.size != 1)
        return refuse(frame, "arrayconv: a call that these loops do not know");
    call *c = malloc(sizeof *c);
    if (c == NULL) return refuse(frame, "arrayconv: no memory");
    const XLA_FFI_Array *table = frame->attrs.attrs[0];
    c->table = table->data;
    c->x = ((XLA_FFI_Buffer *)frame->args.args[0])->data;
    c->kernel = ((XLA_FFI_Buffer *)frame->args.args[1])->data;
    c->y = ((XLA_FFI_Buffer *)frame->rets.rets[0])->data;
    c->units = c->table[UNITS], c->chunks = c->table[CHUNKS];
    const word chunks = c->chunks, threads = c->table[THREADS];
    atomic_init(&c->next, 0);
    atomic_init(&c->done, 0);
    atomic_init(&c->failed, 0);
    atomic_init(&c->holders, 1 + threads); /* this thread twice: once for waiting */
    for (word n = 1; n < threads; n++)
        if (!schedule(frame, c)) let_go(c);
    take_chunks(c);
    while (atomic_load(&c->done) < chunks) sched_yield();
    const int failed = atomic_load(&c->failed);
    let_go(c);
    return failed ? refuse(frame, "arrayconv: no memory for the samples of a block") : NULL;
}
