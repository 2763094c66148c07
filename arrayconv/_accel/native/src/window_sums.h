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

/* Write or add numbers. */
TARGET static void SN(add_run)(S *to, const S *from, word count, int adds)
{
    word j = 0;
    for (; j + LANES <= count; j += LANES) {
        V value = SN(load)(from + j);
        if (adds) value += SN(load)(to + j);
        *(SN(unaligned) *)(to + j) = value;
    }
    for (; j < count; j++) to[j] = adds ? to[j] + from[j] : from[j];
}

/* Write the sums of windows of `taps` numbers, `step` apart, by sums of 1, 2, 4, ... neighbours, which replace x. */
TARGET static void SN(sum_neighbours)(S *y, S *x, word step, word taps, word count)
{
    word start = 0, ready = count + (taps - 1) * step; /* sums in x */
    for (word width = 1;; width *= 2) {
        if (taps & width) {
            SN(add_run)(y, x + start * step, count, start > 0);
            start += width;
        }
        if (start == taps) break;
        ready -= width * step;
        SN(add_run)(x, x + width * step, ready, 1);
    }
}
