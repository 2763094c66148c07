/* Threads that share the blocks of a loop: each takes the next chunk of them until none is left.

   The threads beside the calling one are those of an OpenMP runtime, or helpers: threads of the caller's process that
   it sends into arrayconv_help(). A helper waits for a loop without sleeping, since to wake a thread can take as long
   as a small image, and leaves when none has come for a while. A loop is posted in a slot, where helpers look for it.
   The calling thread begins at once and waits for those helpers alone that took part. */

#include <time.h>
#if defined(_WIN32)
#include <windows.h>
#define YIELD_CPU() SwitchToThread()
#else
#include <sched.h>
#define YIELD_CPU() sched_yield()
#endif

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE()
#endif

#define SLOTS 8 /* loops that may be posted at a time; further ones run on the calling thread alone */
#define PAUSES 64 /* between two looks at the clock */
#define SPINS 1000 /* until a thread that waits lets others run on its core */

/* What the threads of a loop share. */
typedef struct {
    const void *x, *w;
    void *y;
    const loop_head *head;
    word level, chunks;
    _Atomic word next; /* chunk */
    _Atomic int failed; /* what a loop returned other than 0 */
} shared_loop;

/* Run the next chunk of a loop, unless another failed; return whether there was one. */
static int run_chunk(shared_loop *loop)
{
    const word chunk = atomic_fetch_add(&loop->next, 1), chunks = loop->chunks;
    if (chunk >= chunks) return 0;
    if (atomic_load(&loop->failed)) return 1;
    const word units = loop->head->units, first = units * chunk / chunks, stop = units * (chunk + 1) / chunks;
    const int failed = run_loop(loop->head, loop->level, loop->x, loop->w, loop->y, first, stop);
    if (failed) atomic_store(&loop->failed, failed);
    return 1;
}

static void run_chunks(void *loop)
{
    while (run_chunk(loop)) continue;
}

/* The state of a slot: 0 if it is free, else TAKEN and, while helpers may take part, how many more may, in units of
   SEAT, plus how many do. */
#define HELPERS 0xffff
#define SEAT 0x10000
#define TAKEN ((word)1 << 62)

typedef struct {
    _Alignas(64) _Atomic word state;
    shared_loop *loop; /* it is on the stack of the thread that posted it */
} slot;

static slot SLOT_AT[SLOTS];

/* Take part in a posted loop; return whether there was one. */
static int help(slot *from)
{
    word state = atomic_load_explicit(&from->state, memory_order_relaxed);
    do
        if ((state & ~TAKEN) < SEAT) return 0;
    while (!atomic_compare_exchange_weak(&from->state, &state, state - SEAT + 1));
    run_chunks(from->loop);
    atomic_fetch_sub(&from->state, 1);
    return 1;
}

/* Return the nanoseconds of a clock that is never set. */
static word now(void)
{
#if defined(_WIN32)
    LARGE_INTEGER ticks, per_second;
    QueryPerformanceCounter(&ticks);
    QueryPerformanceFrequency(&per_second);
    return (word)((double)ticks.QuadPart * 1e9 / (double)per_second.QuadPart);
#else
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (word)time.tv_sec * 1000000000 + time.tv_nsec;
#endif
}

/* Take part in loops until none has been posted for so long. */
EXPORTED void arrayconv_help(word nanoseconds)
{
    for (word deadline = now() + nanoseconds; now() < deadline;)
        for (int pause = 0; pause < PAUSES; pause++) {
            int helped = 0;
            for (int n = 0; n < SLOTS; n++) helped |= help(SLOT_AT + n);
            if (helped) deadline = now() + nanoseconds;
            PAUSE();
        }
}

/* Free all slots: a process that was forked has none of its parent's other threads. */
EXPORTED void arrayconv_forked(void)
{
    for (int n = 0; n < SLOTS; n++) atomic_store(&SLOT_AT[n].state, 0);
}

/* Return a slot in which a loop is posted for so many helpers, NULL if none is free. */
static slot *post(shared_loop *loop, word helpers)
{
    for (slot *at = SLOT_AT; at < SLOT_AT + SLOTS; at++) {
        word state = 0;
        if (!atomic_compare_exchange_strong(&at->state, &state, TAKEN)) continue;
        at->loop = loop;
        atomic_store(&at->state, TAKEN + helpers * SEAT);
        return at;
    }
    return NULL;
}

/* Let no more helpers take part in the loop of a slot, wait for those who do, and free the slot. */
static void withdraw(slot *at)
{
    word state = atomic_fetch_and(&at->state, TAKEN | HELPERS);
    for (word spins = 1; state & HELPERS; spins++) {
        if (spins % SPINS) PAUSE();
        else YIELD_CPU();
        state = atomic_load(&at->state);
    }
    atomic_store(&at->state, 0);
}

/* Runs a function for an argument on so many threads, the calling one among them: GOMP_parallel. */
typedef void parallel(void (*)(void *), void *, unsigned, unsigned);

/* Write all blocks of a loop's outputs on at most so many threads, which take so many chunks; the other threads are
   those of `openmp`, helpers where that is NULL. Returns 0, or what a loop returned. */
static int share(const void *x, const void *w, void *y, const loop_head *head, word threads, word chunks,
                 parallel *openmp)
{
    shared_loop loop = {.x = x, .w = w, .y = y, .head = head, .level = head->level, .chunks = chunks};
    if (openmp != NULL) openmp(run_chunks, &loop, (unsigned)threads, 0);
    else {
        slot *at = post(&loop, threads - 1);
        run_chunks(&loop);
        if (at != NULL) withdraw(at);
    }
    return atomic_load(&loop.failed);
}
