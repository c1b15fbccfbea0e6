#include "checks/model/graph/trait_list.h"

#include <math.h>
#include <string.h>

void xr_traits_add_numbers(xr_traits *t, const char *key, const double *number, size_t count)
{
    if (t->count == XR_TRAITS || count == 0 || count > XR_TRAIT_NUMBERS)
        return;
    for (size_t i = 0; i < count; i++)
        if (isnan(number[i]))
            return;
    xr_trait *trait = &t->trait[t->count++];
    *trait = (xr_trait){.key = key, .count = count};
    memcpy(trait->number, number, count * sizeof *number);
}

void xr_traits_add_number(xr_traits *t, const char *key, double number)
{
    xr_traits_add_numbers(t, key, &number, 1);
}

void xr_traits_add_text(xr_traits *t, const char *key, const char *text)
{
    if (t->count < XR_TRAITS && text)
        t->trait[t->count++] = (xr_trait){.key = key, .text = text};
}

const xr_trait *xr_trait_of(const xr_traits *t, const char *key)
{
    for (size_t i = 0; i < t->count; i++)
        if (strcmp(t->trait[i].key, key) == 0)
            return &t->trait[i];
    return NULL;
}
