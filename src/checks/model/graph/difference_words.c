#include "checks/model/graph/difference_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void xr_join_equal_words(char *const text[2])
{
    char *first[2];
    for (int s = 0; s < 2; s++) {
        first[s] = strstr(text[s], "; ");
        size_t length = first[s] ? (size_t)(first[s] - text[s]) : 0;
        for (const char *part = first[s]; part; part = strstr(part + 1, "; ")) {
            const char *end = strstr(part + 2, "; ");
            size_t own = end ? (size_t)(end - part) - 2 : strlen(part + 2);
            if (own != length || memcmp(part + 2, text[s], length) != 0)
                return;
        }
    }
    for (int s = 0; s < 2; s++)
        if (first[s])
            *first[s] = '\0';
}

void xr_append_words(char *text, size_t size, const char *separator, const char *more)
{
    size_t used = strlen(text);
    snprintf(text + used, size - used, "%s%.60s", used ? separator : "", more);
}

/* Digits that tell the number, which models store as a float: 1e-05, not 9.99999975e-06. */
static int digits_of(double value)
{
    int digits = value == rint(value) ? 9 : 6;
    for (char text[40]; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtof(text, NULL) == (float)value)
            break;
    }
    return digits;
}

void xr_constant_words(const double *value, size_t count, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count && used + 20 < size; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%s%.*g", i ? "," : "", digits_of(value[i]), value[i]);
}
