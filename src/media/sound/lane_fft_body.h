/* The functions of lane_fft.h, once for each type: XR_REAL, its lanes XR_LANES, and XR_NAME(name), which adds
 * the ending of that type's names.  Included by lane_fft.c alone. */

void XR_NAME(xr_fft_turns)(XR_REAL *turns, uint32_t n)
{
    /* The circle's symmetry: the rest of an eighth, a quarter, a half are turns of the first. */
    for (uint32_t k = 0; k < n; k++) {
        XR_REAL *at = turns + 2 * (size_t)k;
        if (n % 4 == 0 && k >= n / 4) {
            const XR_REAL *before = at - n / 2;
            at[0] = before[1];
            at[1] = -before[0];
        } else if (n % 8 == 0 && k > n / 8) {
            const XR_REAL *mirrored = turns + 2 * (size_t)(n / 4 - k);
            at[0] = -mirrored[1];
            at[1] = -mirrored[0];
        } else {
            at[0] = (XR_REAL)cos(2 * pi * k / n);
            at[1] = (XR_REAL)-sin(2 * pi * k / n);
        }
    }
}

XR_NAME(xr_fft) XR_NAME(xr_fft_of)(const XR_REAL *turns, uint32_t n, uint32_t apart)
{
    XR_NAME(xr_fft) fft = {.n = n, .turns = turns, .apart = apart};
    uint32_t rest = n;
    for (uint32_t r = 4; rest > 1;) {
        if (rest % r == 0) {
            fft.factors[fft.factor_count++] = r;
            rest /= r;
        } else
            r = r == 4 ? 2 : r == 2 ? 3 : (uint64_t)r * r > rest ? rest : r + 2;
    }
    return fft;
}

/* One pass: n is what is left of the length, stride what the passes before it have done. */
typedef struct XR_NAME(pass) {
    const XR_NAME(xr_complex) * x;
    XR_NAME(xr_complex) * y;
    const XR_REAL *turns;
    uint32_t whole, n, stride, radix;
    size_t turn; /* numbers from one turn of the stage to the next */
} XR_NAME(pass);

XR_SOUND_INLINED void XR_NAME(store_turned)(XR_NAME(xr_complex) * y, const XR_LANES *re, const XR_LANES *im,
                                            const XR_REAL *turn)
{
    y->re = *re * turn[0] - *im * turn[1];
    y->im = *re * turn[1] + *im * turn[0];
}

XR_SOUND_INLINED void XR_NAME(pass_of_2)(const XR_NAME(pass) * a)
{
    const uint32_t m = a->n / 2, s = a->stride;
    for (uint32_t p = 0; p < m; p++) {
        const XR_REAL *turn = a->turns + a->turn * p;
        const XR_NAME(xr_complex) *x0 = a->x + (size_t)s * p, *x1 = x0 + (size_t)s * m;
        XR_NAME(xr_complex) *y = a->y + (size_t)s * 2 * p;
        for (uint32_t q = 0; q < s; q++) {
            XR_LANES re = x0[q].re - x1[q].re, im = x0[q].im - x1[q].im;
            y[q].re = x0[q].re + x1[q].re;
            y[q].im = x0[q].im + x1[q].im;
            XR_NAME(store_turned)(&y[s + q], &re, &im, turn);
        }
    }
}

XR_SOUND_INLINED void XR_NAME(pass_of_4)(const XR_NAME(pass) * a)
{
    const uint32_t m = a->n / 4, s = a->stride;
    for (uint32_t p = 0; p < m; p++) {
        const XR_REAL *turn1 = a->turns + a->turn * p, *turn2 = turn1 + a->turn * p,
                      *turn3 = turn2 + a->turn * p;
        const XR_NAME(xr_complex) *x0 = a->x + (size_t)s * p, *x1 = x0 + (size_t)s * m,
                                  *x2 = x1 + (size_t)s * m, *x3 = x2 + (size_t)s * m;
        XR_NAME(xr_complex) *y = a->y + (size_t)s * 4 * p;
        for (uint32_t q = 0; q < s; q++) {
            XR_LANES even_re = x0[q].re + x2[q].re, even_im = x0[q].im + x2[q].im;
            XR_LANES apart_re = x0[q].re - x2[q].re, apart_im = x0[q].im - x2[q].im;
            XR_LANES odd_re = x1[q].re + x3[q].re, odd_im = x1[q].im + x3[q].im;
            /* (x1 - x3) times -j */
            XR_LANES turned_re = x1[q].im - x3[q].im, turned_im = x3[q].re - x1[q].re;
            XR_LANES re2 = even_re - odd_re, im2 = even_im - odd_im;
            XR_LANES re1 = apart_re + turned_re, im1 = apart_im + turned_im;
            XR_LANES re3 = apart_re - turned_re, im3 = apart_im - turned_im;
            y[q].re = even_re + odd_re;
            y[q].im = even_im + odd_im;
            XR_NAME(store_turned)(&y[s + q], &re1, &im1, turn1);
            XR_NAME(store_turned)(&y[2 * s + q], &re2, &im2, turn2);
            XR_NAME(store_turned)(&y[3 * s + q], &re3, &im3, turn3);
        }
    }
}

/* By the definition; for odd factors, which are small in lengths that people choose. */
XR_SOUND_INLINED void XR_NAME(pass_of_any)(const XR_NAME(pass) * a)
{
    const uint32_t m = a->n / a->radix, s = a->stride, r = a->radix;
    const uint32_t part = a->whole / r;
    for (uint32_t p = 0; p < m; p++)
        for (uint32_t j = 0; j < r; j++) {
            const XR_REAL *last = a->turns + a->turn * j * p;
            for (uint32_t q = 0; q < s; q++) {
                const XR_NAME(xr_complex) *x = a->x + (size_t)s * p + q;
                XR_LANES re = x->re, im = x->im;
                uint32_t at = 0;
                for (uint32_t k = 1; k < r; k++) {
                    x += (size_t)s * m;
                    at += j * part;
                    at -= at >= a->whole ? a->whole : 0;
                    const XR_REAL *turn = a->turns + a->turn / s * at;
                    re += x->re * turn[0] - x->im * turn[1];
                    im += x->re * turn[1] + x->im * turn[0];
                }
                XR_NAME(store_turned)(&a->y[(size_t)s * ((size_t)r * p + j) + q], &re, &im, last);
            }
        }
}

XR_SOUND_INLINED void XR_NAME(run_pass)(const XR_NAME(pass) * a)
{
    if (a->radix == 4)
        XR_NAME(pass_of_4)(a);
    else if (a->radix == 2)
        XR_NAME(pass_of_2)(a);
    else
        XR_NAME(pass_of_any)(a);
}

static void XR_NAME(run_narrow)(const XR_NAME(pass) * a)
{
    XR_NAME(run_pass)(a);
}

XR_SOUND_WIDE static void XR_NAME(run_wide)(const XR_NAME(pass) * a)
{
    XR_NAME(run_pass)(a);
}

XR_NAME(xr_complex) *
    XR_NAME(xr_fft_run)(const XR_NAME(xr_fft) * fft, XR_NAME(xr_complex) * x, XR_NAME(xr_complex) * other)
{
    void (*run)(const XR_NAME(pass) *) = XR_SOUND_HAS_WIDE ? XR_NAME(run_wide) : XR_NAME(run_narrow);
    uint32_t n = fft->n, stride = 1;
    for (uint32_t i = 0; i < fft->factor_count; i++) {
        const uint32_t radix = fft->factors[i];
        run(&(XR_NAME(pass)){x, other, fft->turns, fft->n, n, stride, radix,
                             (size_t)2 * fft->apart * stride});
        n /= radix;
        stride *= radix;
        XR_NAME(xr_complex) *done = other;
        other = x;
        x = done;
    }
    return x;
}
