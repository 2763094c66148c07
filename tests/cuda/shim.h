/* CUDA C++ on a CPU, for tests: the threads of a block are fibers that run in random order between barriers.

   Shown: indices, boundaries, layouts, the struct, barriers. Not shown: numbers of a GPU, warps, limits, speed. */
#pragma once
#include <ucontext.h>
#include <vector>

#if defined(RACES)
#include "races.h"
#else
#define UNCHECKED
namespace races {
static unsigned interval;
static int thread;
static bool is_racing;
enum { NONE = -1 };
} // namespace races
#endif

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
/* float16 as the GPU's instructions convert it: exactly, and to nearest with ties to even. */
static inline float float_of(unsigned short bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float a = __builtin_ldexpf((float)(exponent ? fraction | 1024 : fraction), (exponent ? exponent : 1) - 25);
    if (exponent == 31) a = fraction ? __builtin_nanf("") : __builtin_inff();
    return bits >> 15 ? -a : a;
}

static inline unsigned short half_of(float a)
{
    const unsigned short sign = __builtin_signbit(a) ? 0x8000 : 0;
    if (a != a) return sign | 0x7fff;
    a = __builtin_fabsf(a);
    if (a >= 65520) return sign | 0x7c00; /* rounds to 65536, which is infinite */
    const int exponent = a < __builtin_ldexpf(1, -14) ? -14 : __builtin_ilogbf(a);
    const int fraction = (int)__builtin_nearbyintf(__builtin_ldexpf(a, 10 - exponent)); /* 1024 and more: not subnormal */
    return sign | (unsigned short)((exponent + 14) * 1024 + fraction);
}

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

UNCHECKED static void run_thread()
{
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

static void shuffle(std::vector<unsigned> &order, unsigned &random)
{
    for (size_t i = order.size(); i > 1; i--) {
        random = random * 1664525 + 1013904223; /* Numerical Recipes, section 7.1 */
        std::swap(order[i - 1], order[(random >> 8) % i]);
    }
}

/* Run one block; false where some threads end while others wait at a barrier. Without barriers threads need no stacks
   of their own, whose switches are system calls. */
UNCHECKED static bool run_block(std::vector<Fiber> &fibers, std::vector<unsigned> &order, unsigned &random)
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
            races::thread = (int)number;
            swapcontext(&scheduler, &current->context);
            races::thread = races::NONE;
        }
        races::interval++;
        size_t finished = 0;
        for (auto &fiber : fibers) finished += fiber.is_finished;
        if (finished == fibers.size()) return true;
        if (finished) return false;
    }
}

enum { OK, DIVERGED, RACED }; /* DIVERGED: not all threads reach a barrier */

static int launch(void (*function)(const void *), const void *job, const unsigned *blocks, const unsigned *threads, unsigned random)
{
    kernel = function;
    argument = job;
    races::is_racing = false;
    gridDim = {blocks[0], blocks[1], blocks[2]};
    blockDim = {threads[0], threads[1], threads[2]};
    std::vector<Fiber> fibers(threads[0] * threads[1] * threads[2]);
    std::vector<unsigned> order(fibers.size());
    std::vector<char> stacks(HAS_BARRIERS ? fibers.size() * STACK_BYTES : 1);
    for (unsigned i = 0; i < fibers.size(); i++) {
        order[i] = i;
        fibers[i].stack = HAS_BARRIERS ? &stacks[i * (size_t)STACK_BYTES] : nullptr;
        fibers[i].id = {i % threads[0], i / threads[0] % threads[1], i / threads[0] / threads[1]};
    }
    for (unsigned z = 0; z < blocks[2]; z++)
        for (unsigned y = 0; y < blocks[1]; y++)
            for (unsigned x = 0; x < blocks[0]; x++) {
                blockIdx = {x, y, z};
                if (!run_block(fibers, order, random)) return DIVERGED;
            }
    return races::is_racing ? RACED : OK;
}
} // namespace shim

UNCHECKED static inline void __syncthreads()
{
    shim::Fiber *self = shim::current;
    swapcontext(&self->context, &shim::scheduler); /* which sets threadIdx again */
}

extern "C" double fma(double, double, double);
extern "C" double sqrt(double);

/* Products and sums that a compiler may not fuse. */
static inline double __dmul_rn(double a, double b) { return a * b; }
static inline double __dadd_rn(double a, double b) { return a + b; }

template <class To, class From> static inline To bits_of(From v)
{
    To bits;
    __builtin_memcpy(&bits, &v, sizeof bits);
    return bits;
}
static inline unsigned __float_as_uint(float v) { return bits_of<unsigned>(v); }
static inline float __uint_as_float(unsigned v) { return bits_of<float>(v); }
static inline long long __double_as_longlong(double v) { return bits_of<long long>(v); }
static inline double __longlong_as_double(long long v) { return bits_of<double>(v); }

/* Fibers change only at barriers. */
template <class Number> UNCHECKED static inline Number atomicMax(Number *at, Number value)
{
    const Number before = *at;
    if (value > before) *at = value;
    return before;
}
