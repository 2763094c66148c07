/* The loops of one level, for every kind of element: included by loops.c, which names LEVEL, TARGET and VECTOR, the
   bytes of a vector. Signed integers are summed as unsigned ones, which wrap; narrow products are made in WIDE, since C
   would make them in int, which must not overflow. */

#define KIND f32
#define HAS_TILES
#define T float
#define SIZE 4
#define WIDE float
#include "kind.h"

#define KIND f64
#define HAS_TILES
#define T double
#define SIZE 8
#define WIDE double
#include "kind.h"

#define KIND i8
#define T uint8_t
#define SIZE 1
#define WIDE uint32_t
#include "kind.h"

#define KIND i16
#define T uint16_t
#define SIZE 2
#define WIDE uint32_t
#include "kind.h"

#define KIND i32
#define T uint32_t
#define SIZE 4
#define WIDE uint32_t
#include "kind.h"

#define KIND i64
#define T uint64_t
#define SIZE 8
#define WIDE uint64_t
#include "kind.h"

#define KIND c64
#define T float
#define SIZE 4
#define WIDE float
#define IS_COMPLEX
#include "kind.h"

#define KIND c128
#define T double
#define SIZE 8
#define WIDE double
#define IS_COMPLEX
#include "kind.h"

/* In the order of _native.py's kinds. */
static rows_of_kind *const AT_LEVEL(ROWS_OF)[] = {
    AT_LEVEL(rows_f32), AT_LEVEL(rows_f64), AT_LEVEL(rows_i8),  AT_LEVEL(rows_i16),
    AT_LEVEL(rows_i32), AT_LEVEL(rows_i64), AT_LEVEL(rows_c64), AT_LEVEL(rows_c128),
};
static tiles_of_kind *const AT_LEVEL(TILES_OF)[] = {AT_LEVEL(tiles_f32), AT_LEVEL(tiles_f64)};
static tiles_of_kind *const AT_LEVEL(IMAGES_OF)[] = {AT_LEVEL(images_f32), AT_LEVEL(images_f64)};

#undef LEVEL
#undef TARGET
#undef VECTOR
