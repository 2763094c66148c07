/* Kinds of elements and levels of processors: one list each, which generates the tables of functions and the numbers
   that Python reads. README.md says how to add one. */

/* Number; NumPy dtypes; T, an element or one part of a complex one; its bytes; the type of products; parts of an
   element; whether images, and whether tiles, dots, gaps and winograd support it (rows support all); XLA dtypes.
   Signed integers are summed as unsigned ones, which wrap. Narrow ones are multiplied as uint32_t, since C would promote
   them to int, which must not overflow. */
#define KINDS(X)                                                                                                       \
    X(0, "float32", float, 4, float, 1, 1, 1, XLA_FFI_F32, XLA_FFI_F32)                                                \
    X(1, "float64", double, 8, double, 1, 1, 1, XLA_FFI_F64, XLA_FFI_F64)                                              \
    X(2, "int8 uint8", uint8_t, 1, uint32_t, 1, 1, 0, XLA_FFI_S8, XLA_FFI_U8)                                          \
    X(3, "int16 uint16", uint16_t, 2, uint32_t, 1, 1, 0, XLA_FFI_S16, XLA_FFI_U16)                                     \
    X(4, "int32 uint32", uint32_t, 4, uint32_t, 1, 1, 0, XLA_FFI_S32, XLA_FFI_U32)                                     \
    X(5, "int64 uint64", uint64_t, 8, uint64_t, 1, 1, 0, XLA_FFI_S64, XLA_FFI_U64)                                     \
    X(6, "complex64", float, 4, float, 2, 0, 0, XLA_FFI_C64, XLA_FFI_C64)                                              \
    X(7, "complex128", double, 8, double, 2, 0, 0, XLA_FFI_C128, XLA_FFI_C128)

#define MAX_KINDS 12 /* times that level.h includes kind.h */

/* Columns of row KIND, as sums over all rows, so that #if can use them. */
#define COUNTED(n, ...) +1
#define SIZE_OF(n, dtypes, t, size, product, parts, in_images, tiled, xla, xla_alias) +(KIND == n) * size
#define PARTS_OF(n, dtypes, t, size, product, parts, in_images, tiled, xla, xla_alias) +(KIND == n) * parts
#define IMAGES_OF(n, dtypes, t, size, product, parts, in_images, tiled, xla, xla_alias) +(KIND == n) * in_images
#define TILED_OF(n, dtypes, t, size, product, parts, in_images, tiled, xla, xla_alias) +(KIND == n) * tiled
#define KIND_COUNT (0 KINDS(COUNTED))
#if KIND_COUNT > MAX_KINDS
#error "level.h includes kind.h for MAX_KINDS kinds: include it there once for each kind"
#endif

#define TYPED(n, dtypes, t, size, product, ...)                                                                        \
    typedef t element_##n;                                                                                             \
    typedef product product_##n;                                                                                       \
    _Static_assert(sizeof(t) == size, "the bytes of " dtypes);
KINDS(TYPED)
#undef TYPED

/* Levels, lowest first: bytes of a vector, the compiler's target, and the test of this machine's processor. */
#define BYTES_any 16
#define TARGET_any
#define HAS_any 1
#if defined(__x86_64__)
#define LEVELS(X) X(any) X(avx2) X(avx512)
#define BYTES_avx2 32
#define TARGET_avx2 __attribute__((target("avx2,fma")))
#define HAS_avx2 processor_has(AVX2, YMM_STATE)
#define BYTES_avx512 64
#define TARGET_avx512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define HAS_avx512 processor_has(AVX2 | AVX512_F_DQ_BW_VL, ZMM_STATE)
#else
#define LEVELS(X) X(any)
#endif
