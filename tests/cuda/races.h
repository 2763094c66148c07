/* A checker for races, for kernels compiled with -fsanitize=thread and without that sanitizer's library: the compiler
   calls the functions below before every access to memory.

   Between two barriers a thread must not read a word of 4 bytes that another thread of its block writes, nor write one
   that another reads or writes, in whatever order the fibers run. Elements of fewer bytes share words: none is checked. */
#pragma once
#include <cstdint>
#include <unordered_map>

#define UNCHECKED __attribute__((no_sanitize("thread")))

namespace races {
struct Word {
    unsigned interval; /* between barriers, in which the two below are known */
    int writer, reader; /* threads; SEVERAL readers */
};
enum { NONE = -1, SEVERAL = -2 };
static std::unordered_map<uintptr_t, Word> words;
static unsigned interval = 1;
static int thread = NONE; /* the one that runs, NONE outside the kernel */
static bool is_racing;

UNCHECKED static void access(uintptr_t at, size_t bytes, bool writes)
{
    if (thread == NONE) return;
    const int self = thread;
    thread = NONE; /* what is called below is compiled with the same option */
    for (uintptr_t number = at >> 2; number <= (at + bytes - 1) >> 2; number++) {
        Word &word = words[number];
        if (word.interval != interval) word = {interval, NONE, NONE};
        const bool is_written = word.writer != NONE && word.writer != self;
        const bool is_read = word.reader != NONE && word.reader != self;
        is_racing |= is_written || (writes && is_read);
        if (writes) word.writer = self;
        else word.reader = is_read ? SEVERAL : self;
    }
    thread = self;
}
} // namespace races

extern "C" {
#define ACCESS(bytes)                                                                                                  \
    UNCHECKED void __tsan_read##bytes(void *at) { races::access((uintptr_t)at, bytes, false); }                        \
    UNCHECKED void __tsan_write##bytes(void *at) { races::access((uintptr_t)at, bytes, true); }                        \
    UNCHECKED void __tsan_unaligned_read##bytes(void *at) { races::access((uintptr_t)at, bytes, false); }              \
    UNCHECKED void __tsan_unaligned_write##bytes(void *at) { races::access((uintptr_t)at, bytes, true); }
ACCESS(1)
ACCESS(2)
ACCESS(4)
ACCESS(8)
ACCESS(16)
UNCHECKED void __tsan_read_range(void *at, size_t bytes) { races::access((uintptr_t)at, bytes, false); }
UNCHECKED void __tsan_write_range(void *at, size_t bytes) { races::access((uintptr_t)at, bytes, true); }
UNCHECKED void __tsan_vptr_update(void **, void *) {}
UNCHECKED void __tsan_vptr_read(void **) {}
UNCHECKED void __tsan_func_entry(void *) {}
UNCHECKED void __tsan_func_exit() {}
UNCHECKED void __tsan_init() {}
}
