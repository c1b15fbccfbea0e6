#include "media/sound/kaiser.h"

#include <math.h>

double xr_kaiser(double beta, double squared)
{
    double quarter = beta * beta * (1 - squared) / 4, term = 1, sum = 1;
    for (int m = 1; m < 64 && fabs(term) > sum * 1e-12; m++) {
        term *= quarter / ((double)m * m);
        sum += term;
    }
    return sum;
}

double xr_kaiser_beta(double attenuation)
{
    if (attenuation > 50)
        return 0.1102 * (attenuation - 8.7);
    return attenuation > 21 ? 0.5842 * pow(attenuation - 21, 0.4) + 0.07886 * (attenuation - 21) : 0;
}

/* 1 % above Kaiser's, where soxr's filters are. */
double xr_kaiser_length(double attenuation, double width)
{
    return (attenuation - 7.95) / (2.265 * width);
}
