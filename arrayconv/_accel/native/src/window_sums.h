/* Sums of windows in vectors of S, in registers; included once for each kind of sum. */

#define LANES (VECTOR / (int)sizeof(S))
#define V SN(vector)

typedef S V __attribute__((vector_size(VECTOR)));
typedef S SN(unaligned) __attribute__((vector_size(VECTOR), aligned(sizeof(S)), may_alias));

INLINE V SN(load)(const S *from) { return *(const SN(unaligned) *)from; }

/* Store a vector, or its first `count` numbers. */
INLINE void SN(store_count)(S *to, V value, word count)
{
    if (count >= LANES) *(SN(unaligned) *)to = value;
    else
        for (word lane = 0; lane < count; lane++) to[lane] = value[lane];
}

INLINE V SN(splat)(S value) { return value - (V){0}; }

/* Form sums of `vectors` vectors. SUM_ordered rounds every product and adds them in the order of the terms;
   SUM_mirrored and SUM_opposed add or subtract the samples of equal and of opposite factors of an odd number first. */
INLINE void SN(form_sums)(V *sums, const S *x, const word *offsets, const S *w, word terms,
                                const int vectors, const int how)
{
    const word half = terms / 2;
    if (how == SUM_mirrored || how == SUM_opposed) {
        const V factor = SN(splat)(w[half]); /* 0 of opposed ones, which NaN contaminates too */
        UNROLLED
        for (int v = 0; v < vectors; v++) sums[v] = factor * SN(load)(x + offsets[half] + v * LANES);
        for (word t = 0; t < half; t++) {
            const S *from = x + offsets[t], *opposite = x + offsets[terms - 1 - t];
            const V each = SN(splat)(w[t]);
            UNROLLED
            for (int v = 0; v < vectors; v++) {
                const V a = SN(load)(from + v * LANES), b = SN(load)(opposite + v * LANES);
                sums[v] += each * (how == SUM_mirrored ? a + b : a - b);
            }
        }
        return;
    }
    UNROLLED
    for (int v = 0; v < vectors; v++)
        sums[v] = SN(splat)(*w) * SN(load)(x + *offsets + v * LANES);
    for (word t = 1; t < terms; t++) {
        const S *from = x + offsets[t];
        const V factor = SN(splat)(w[t]);
        UNROLLED
        for (int v = 0; v < vectors; v++) {
            V product = factor * SN(load)(from + v * LANES);
            if (how == SUM_ordered) IN_REGISTER(product); /* rounded before it is added */
            sums[v] += product;
        }
    }
}
