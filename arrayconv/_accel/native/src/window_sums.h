/* Sums of windows in vectors of A, in registers, of samples that are stored as S; included once for each pair. */

#define LANES (VECTOR / (int)sizeof(A))
#define V SN(vector)

typedef A V __attribute__((vector_size(VECTOR)));
typedef S SN(stored) __attribute__((vector_size(LANES * sizeof(S))));
typedef S SN(unaligned) __attribute__((vector_size(LANES * sizeof(S)), aligned(sizeof(S)), may_alias));
typedef A SN(sums_unaligned) __attribute__((vector_size(VECTOR), aligned(sizeof(A)), may_alias));

INLINE V SN(load)(const S *from)
{
#if defined(WIDEN)
    if (sizeof(S) < sizeof(A)) return (V)WIDEN(from);
#endif
    return __builtin_convertvector(*(const SN(unaligned) *)from, V);
}

INLINE V SN(load_sums)(const A *from) { return *(const SN(sums_unaligned) *)from; }

INLINE void SN(store_sums)(A *to, V value) { *(SN(sums_unaligned) *)to = value; }

/* Store a vector, or its first `count` numbers. */
INLINE void SN(store_count)(S *to, V value, word count)
{
    if (count >= LANES) {
#if defined(NARROW)
        if (sizeof(S) < sizeof(A)) NARROW(to, value);
        else
#endif
            *(SN(unaligned) *)to = __builtin_convertvector(value, SN(stored));
    } else
        for (word lane = 0; lane < count; lane++) to[lane] = (S)value[lane];
}

INLINE V SN(splat)(A value) { return value - (V){0}; }

/* A row of samples: numbers as they are stored, or in a line as numbers of the sums, which needs no conversion. */
INLINE V SN(load_from)(const void *x, word at, const int is_line)
{
    return is_line ? SN(load_sums)((const A *)x + at) : SN(load)((const S *)x + at);
}

/* Form sums of `vectors` vectors. SUM_ordered rounds every product and adds them in the order of the terms;
   SUM_mirrored and SUM_opposed add or subtract the samples of equal and of opposite factors of an odd number first;
   SUM_mean multiplies by nothing. */
INLINE void SN(form_sums)(V *sums, const void *x, word at, const int is_line, const word *offsets, const A *w,
                          word terms, const int vectors, const int how)
{
    const word half = terms / 2;
    if (how == SUM_mirrored || how == SUM_opposed) {
        const V factor = SN(splat)(w[half]); /* 0 of opposed ones, which NaN contaminates too */
        UNROLLED
        for (int v = 0; v < vectors; v++) sums[v] = factor * SN(load_from)(x, at + offsets[half] + v * LANES, is_line);
        for (word t = 0; t < half; t++) {
            const word from = at + offsets[t], opposite = at + offsets[terms - 1 - t];
            const V each = SN(splat)(w[t]);
            UNROLLED
            for (int v = 0; v < vectors; v++) {
                const V a = SN(load_from)(x, from + v * LANES, is_line);
                const V b = SN(load_from)(x, opposite + v * LANES, is_line);
                sums[v] += each * (how == SUM_mirrored ? a + b : a - b);
            }
        }
        return;
    }
    UNROLLED
    for (int v = 0; v < vectors; v++) {
        sums[v] = SN(load_from)(x, at + *offsets + v * LANES, is_line);
        if (how != SUM_mean) sums[v] *= SN(splat)(*w);
    }
    for (word t = 1; t < terms; t++) {
        const word from = at + offsets[t];
        const V factor = SN(splat)(how == SUM_mean ? 0 : w[t]);
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            V product = SN(load_from)(x, from + v * LANES, is_line);
            if (how != SUM_mean) product *= factor;
            if (how == SUM_ordered) IN_REGISTER(product); /* rounded before it is added */
            sums[v] += product;
        }
    }
}

/* Convert `count` numbers, `step` bytes apart, to those that are stored. */
TARGET static void SN(read_run)(S *to, const char *from, word step, word count, word number)
{
#define CASE(n, name, type)                                                                                            \
    case n: {                                                                                                          \
        const unaligned_##name *x = (const unaligned_##name *)from;                                                    \
        if (step == (word)sizeof(type))                                                                                \
            for (word j = 0; j < count; j++) to[j] = (S)x[j];                                                          \
        else                                                                                                           \
            for (word j = 0; j < count; j++) to[j] = (S)*(const unaligned_##name *)(from + j * step);                  \
        break;                                                                                                         \
    }
    switch (number) { STORED_AS(CASE) }
#undef CASE
}
