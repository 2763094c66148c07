/* Kinds of elements and levels of processors: each is one list, from which the tables of functions and Python's numbers
   come. README.md says how to add one. */

/* Number; dtypes of NumPy; T, an element or one part of a complex one; its bytes; what products are formed in; parts of
   an element; whether tiles and images serve it, as rows do always; dtypes of XLA. Signed integers are summed as
   unsigned ones, which wrap; narrow ones are multiplied as uint32_t, since C would do it in int, which must not
   overflow. */
#define KINDS(X)                                                                                                       \
    X(0, "float32", float, 4, float, 1, 1, XLA_FFI_F32, XLA_FFI_F32)                                                   \
    X(1, "float64", double, 8, double, 1, 1, XLA_FFI_F64, XLA_FFI_F64)                                                 \
    X(2, "int8 uint8", uint8_t, 1, uint32_t, 1, 0, XLA_FFI_S8, XLA_FFI_U8)                                             \
    X(3, "int16 uint16", uint16_t, 2, uint32_t, 1, 0, XLA_FFI_S16, XLA_FFI_U16)                                        \
    X(4, "int32 uint32", uint32_t, 4, uint32_t, 1, 0, XLA_FFI_S32, XLA_FFI_U32)                                        \
    X(5, "int64 uint64", uint64_t, 8, uint64_t, 1, 0, XLA_FFI_S64, XLA_FFI_U64)                                        \
    X(6, "complex64", float, 4, float, 2, 0, XLA_FFI_C64, XLA_FFI_C64)                                                 \
    X(7, "complex128", double, 8, double, 2, 0, XLA_FFI_C128, XLA_FFI_C128)

#define MOST_KINDS 12 /* that level.h makes room for */

/* Columns of the row whose number is KIND, as sums over all rows: so #if can use them too. */
#define COUNTED(n, ...) +1
#define SIZE_OF(n, dtypes, t, size, wide, parts, tiled, xla, also) +(KIND == n) * size
#define PARTS_OF(n, dtypes, t, size, wide, parts, tiled, xla, also) +(KIND == n) * parts
#define TILED_OF(n, dtypes, t, size, wide, parts, tiled, xla, also) +(KIND == n) * tiled
#define KIND_COUNT (0 KINDS(COUNTED))
#if KIND_COUNT > MOST_KINDS
#error "level.h includes kind.h for MOST_KINDS kinds: let it include that once for each kind there is"
#endif

#define TYPED(n, dtypes, t, size, wide, ...)                                                                           \
    typedef t element_##n;                                                                                             \
    typedef wide product_##n;                                                                                          \
    _Static_assert(sizeof(t) == size, "the bytes of " dtypes);
KINDS(TYPED)
#undef TYPED

/* The lowest first. Each has the bytes of its vectors, how it is compiled for, and whether this machine has it. */
#define BYTES_any 16
#define TARGET_any
#define HAS_any 1
#if defined(__x86_64__)
#define LEVELS(X) X(any) X(avx2) X(avx512)
#define BYTES_avx2 32
#define TARGET_avx2 __attribute__((target("avx2,fma")))
#define HAS_avx2 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define BYTES_avx512 64
#define TARGET_avx512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define HAS_avx512                                                                                                     \
    (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&  \
     __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma"))
#else
#define LEVELS(X) X(any)
#endif
