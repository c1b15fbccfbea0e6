#include "checks/suggest.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 48 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Letters to insert, remove, replace, or exchange with a neighbor (optimal string
 * alignment, as in Damerau, 1964). */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    if (n >= LONGEST || m >= LONGEST)
        return LONGEST;
    size_t row[3][LONGEST];
    for (size_t j = 0; j <= m; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(least(before[j], now[j - 1]) + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], earlier[j - 2] + 1);
        }
    }
    return row[n % 3][m];
}

bool xr_suggest(const char *word, xr_candidates *next, void *user, char *out, size_t size)
{
    size_t best = (strlen(word) + 2) / 3 + 1;
    bool found = false;
    if (size)
        *out = '\0';
    for (const char *candidate = next(user); candidate; candidate = next(user)) {
        size_t d = distance(word, candidate);
        if (d >= best)
            continue;
        best = d;
        found = true;
        snprintf(out, size, "%s", candidate);
    }
    return found;
}

typedef struct tables {
    const exray_assertion *const *table, *const *extra;
} tables;

static const char *next_assertion(void *user)
{
    tables *t = user;
    if (t->table && *t->table)
        return (*t->table++)->name;
    return t->extra && *t->extra ? (*t->extra++)->name : NULL;
}

const char *xr_suggest_assertion(const exray_assertion *const *table, const exray_assertion *const *extra,
                                 const char *name, size_t length, char out[XR_SUGGESTION])
{
    char word[LONGEST], meant[LONGEST];
    tables t = {table, extra};
    out[0] = '\0';
    snprintf(word, sizeof word, "%.*s", (int)least(length, LONGEST - 1), name);
    if (xr_suggest(word, next_assertion, &t, meant, sizeof meant))
        snprintf(out, XR_SUGGESTION, " (did you mean '%s'?)", meant);
    return out;
}
