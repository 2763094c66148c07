/* CUDA C++ on a CPU, for tests: the threads of a block are fibers that run in random order between barriers.

   Shown: indices, boundaries, layouts, the struct, barriers. Not shown: numbers of a GPU, warps, limits, speed. */
#pragma once
#include <cstring>
#include <ucontext.h>
#include <vector>

struct dim3 { unsigned x, y, z; };
static dim3 threadIdx, blockIdx, blockDim, gridDim;

#define __global__
#define __device__
#define __forceinline__ inline
#define __noinline__ __attribute__((noinline))
#define __grid_constant__
#define __launch_bounds__(...)
#define __shared__ static

namespace shim {
enum { STACK_BYTES = 64 << 10 };
struct Fiber {
    ucontext_t context;
    char *stack;
    dim3 id;
    bool is_finished;
};
static ucontext_t scheduler;
static Fiber *current;
static void (*kernel)(const void *);
static const void *argument;

static void run_thread()
{
    threadIdx = current->id;
    kernel(argument);
    current->is_finished = true;
    swapcontext(&current->context, &scheduler);
}

static void start(Fiber &fiber)
{
    fiber.is_finished = false;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack;
    fiber.context.uc_stack.ss_size = STACK_BYTES;
    fiber.context.uc_link = &scheduler;
    makecontext(&fiber.context, run_thread, 0);
}

/* A linear congruential generator: the standard library's would take most of a kernel's compile time. */
struct Random {
    unsigned long long state;
    unsigned below(unsigned n)
    {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        return (unsigned)((state >> 33) % n);
    }
};

static void shuffle(std::vector<unsigned> &order, Random &random)
{
    for (unsigned last = (unsigned)order.size() - 1; last > 0; last--) std::swap(order[last], order[random.below(last + 1)]);
}

/* Run one block; false where some threads end while others wait at a barrier. Without barriers threads need no stacks
   of their own, whose switches are system calls. */
static bool run_block(std::vector<Fiber> &fibers, std::vector<unsigned> &order, Random &random)
{
    if (!HAS_BARRIERS) {
        shuffle(order, random);
        for (unsigned number : order) {
            threadIdx = fibers[number].id;
            kernel(argument);
        }
        return true;
    }
    for (auto &fiber : fibers) start(fiber);
    for (;;) {
        shuffle(order, random);
        for (unsigned number : order) {
            current = &fibers[number];
            if (current->is_finished) continue;
            threadIdx = current->id;
            swapcontext(&scheduler, &current->context);
        }
        size_t finished = 0;
        for (auto &fiber : fibers) finished += fiber.is_finished;
        if (finished == fibers.size()) return true;
        if (finished) return false;
    }
}

/* 0, or 1 for a barrier that not all threads reach. */
static int launch(void (*function)(const void *), const void *job, const unsigned *blocks, const unsigned *threads, unsigned seed)
{
    kernel = function;
    argument = job;
    gridDim = {blocks[0], blocks[1], blocks[2]};
    blockDim = {threads[0], threads[1], threads[2]};
    Random random = {seed};
    std::vector<Fiber> fibers(threads[0] * threads[1] * threads[2]);
    std::vector<unsigned> order(fibers.size());
    char *stacks = new char[HAS_BARRIERS ? fibers.size() * STACK_BYTES : 1];
    for (unsigned i = 0; i < fibers.size(); i++) {
        order[i] = i;
        fibers[i].stack = HAS_BARRIERS ? &stacks[i * (size_t)STACK_BYTES] : nullptr;
        fibers[i].id = {i % threads[0], i / threads[0] % threads[1], i / threads[0] / threads[1]};
    }
    bool is_finished = true;
    for (unsigned z = 0; z < blocks[2] && is_finished; z++)
        for (unsigned y = 0; y < blocks[1] && is_finished; y++)
            for (unsigned x = 0; x < blocks[0] && is_finished; x++) {
                blockIdx = {x, y, z};
                is_finished = run_block(fibers, order, random);
            }
    delete[] stacks;
    return !is_finished;
}
} // namespace shim

static inline void __syncthreads()
{
    shim::Fiber *self = shim::current;
    swapcontext(&self->context, &shim::scheduler);
    threadIdx = self->id;
}

extern "C" double fma(double, double, double);
extern "C" double sqrt(double);

/* Products and sums that a compiler may not fuse. */
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline double __dadd_rn(double a, double b) { return a + b; }
static inline unsigned __float_as_uint(float v) { unsigned b; memcpy(&b, &v, sizeof b); return b; }
static inline float __uint_as_float(unsigned b) { float v; memcpy(&v, &b, sizeof v); return v; }
static inline long long __double_as_longlong(double v) { long long b; memcpy(&b, &v, sizeof b); return b; }
static inline double __longlong_as_double(long long b) { double v; memcpy(&v, &b, sizeof v); return v; }

/* Fibers change only at barriers. */
template <class Number> static inline Number atomicMax(Number *at, Number value)
{
    const Number before = *at;
    if (value > before) *at = value;
    return before;
}
