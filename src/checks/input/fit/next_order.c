#include "checks/input/fit/next_order.h"

bool xr_next_order(unsigned char *p, size_t n)
{
    size_t i = n > 0 ? n - 1 : 0;
    while (i > 0 && p[i - 1] >= p[i])
        i--;
    if (i == 0)
        return false;
    size_t j = n - 1;
    while (p[j] <= p[i - 1])
        j--;
    unsigned char t = p[i - 1];
    p[i - 1] = p[j], p[j] = t;
    for (size_t a = i, b = n - 1; a < b; a++, b--)
        t = p[a], p[a] = p[b], p[b] = t;
    return true;
}
