#include "checks/labels/names_between.h"

#include <stdlib.h>
#include <string.h>

/* Classes that must be named otherwise before names that stand nowhere else on the other side count. */
enum { FEWEST = 3 };

/* Names that must be in alphabetical order before that is no chance: 1 of 5! = 120. */
enum { FEWEST_SORTED = 5 };

static int by_plain(const void *a, const void *b)
{
    const xr_class_name *const *x = a, *const *y = b;
    return strcmp((*x)->plain, (*y)->plain);
}

/* The names sorted by themselves; NULL: out of memory. */
static const xr_class_name **sorted_by_name(const xr_class_names *names)
{
    const xr_class_name **sorted = malloc((names->count + 1) * sizeof *sorted);
    for (size_t i = 0; sorted && i < names->count; i++)
        sorted[i] = &names->name[i];
    if (sorted)
        qsort(sorted, names->count, sizeof *sorted, by_plain);
    return sorted;
}

/* No overflow: class numbers of a log may be any. */
static int64_t plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static bool is_sorted(const xr_class_names *names)
{
    for (size_t i = 1; i < names->count; i++)
        if (strcmp(names->name[i - 1].plain, names->name[i].plain) > 0)
            return false;
    return names->count >= FEWEST_SORTED;
}

static void count_names(const xr_class_names *edge, const xr_class_names *reference, int64_t difference,
                        const xr_class_name **sorted, xr_names_between *b)
{
    for (size_t i = 0; i < edge->count; i++) {
        const xr_class_name *e = &edge->name[i];
        int64_t id = plus(e->id, (int64_t)(0 - (uint64_t)difference));
        const xr_class_name *r = xr_class_names_find(reference, id);
        if (!r)
            continue;
        b->classes++;
        if (xr_class_names_related(e->plain, r->plain))
            continue;
        bool elsewhere = bsearch(&e, sorted, reference->count, sizeof *sorted, by_plain) != NULL;
        b->elsewhere += elsewhere;
        if (b->otherwise++ == 0) {
            b->example[0] = e->text;
            b->example[1] = r->text;
            b->example_class = id;
        }
    }
}

/* The shift of lines that makes all names agree, of which some do not without one. */
static void find_shift(const xr_class_names *edge, const xr_class_names *reference, int64_t difference,
                       xr_names_between *b)
{
    enum { FURTHEST = 8 };
    for (int64_t shift = -FURTHEST; shift <= FURTHEST; shift++) {
        size_t known = 0, fits = 0;
        for (size_t i = 0; shift && i < edge->count; i++) {
            const xr_class_name *e = &edge->name[i];
            const xr_class_name *r =
                xr_class_names_find(reference, plus(plus(e->id, (int64_t)(0 - (uint64_t)difference)), shift));
            known += r != NULL;
            fits += r && xr_class_names_related(e->plain, r->plain);
        }
        if (fits >= 2 && fits == known && (!b->shifted || llabs(shift) < llabs(b->shift))) {
            b->shifted = true;
            b->shift = shift;
        }
    }
}

bool xr_names_between_make(const xr_class_names *edge, const xr_class_names *reference, int64_t difference,
                           xr_names_between *out)
{
    *out = (xr_names_between){0};
    const xr_class_name **sorted = sorted_by_name(reference);
    if (!sorted)
        return false;
    count_names(edge, reference, difference, sorted, out);
    free((void *)sorted);
    if (out->otherwise == 0)
        return true;
    find_shift(edge, reference, difference, out);
    out->by_alphabet[EXRAY_SIDE_EDGE] = is_sorted(edge);
    out->by_alphabet[EXRAY_SIDE_REFERENCE] = is_sorted(reference);
    return true;
}

/* Names that the other side has for other classes prove another order; names that it has nowhere are another
 * file's where most differ: spelling and other words for the same thing do not change most. */
bool xr_names_between_differ(const xr_names_between *b)
{
    bool order = b->elsewhere >= 2 || (b->elsewhere && b->shifted);
    bool file = b->otherwise >= FEWEST && 2 * b->otherwise >= b->classes;
    return order || file;
}
