#include "checks/perf/times.h"

#include "checks/ascending.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double xr_quantile(const double *value, size_t count, double q, double *scratch)
{
    if (count == 0)
        return NAN;
    memcpy(scratch, value, count * sizeof *value);
    qsort(scratch, count, sizeof *scratch, xr_ascending_doubles);
    return scratch[(size_t)ceil(q * (double)(count - 1))];
}
