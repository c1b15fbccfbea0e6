#include "checks/input/tokens/token_map.h"

#include <stdlib.h>

/* Ids among which a wrapped one is no chance. */
enum { FEWEST_WRAPPED = 8 };

static int by_reference(const void *left, const void *right)
{
    const xr_token_pair *a = left, *b = right;
    if (a->reference != b->reference)
        return a->reference < b->reference ? -1 : 1;
    return (a->edge > b->edge) - (a->edge < b->edge);
}

static int by_edge(const void *left, const void *right)
{
    const xr_token_pair *a = left, *b = right;
    if (a->edge != b->edge)
        return a->edge < b->edge ? -1 : 1;
    return (a->reference > b->reference) - (a->reference < b->reference);
}

/* What is found on the way through the pairs, sorted. */
typedef struct rules {
    bool function;  /* each id of the reference is always the same of the edge */
    bool injective; /* and the reverse */
    bool offset;    /* those that differ, by one number */
    bool bits8, bits16;
} rules;

static bool is_wrapped(const xr_token_pair *p, unsigned bits)
{
    int64_t size = (int64_t)1 << bits;
    int64_t low = ((p->reference % size) + size) % size; /* as unsigned */
    return p->edge == low || p->edge == low - size;
}

static void note_kept(xr_token_map *m, int64_t id, bool kept, size_t seen_kept, size_t seen_replaced)
{
    int64_t *least = kept ? &m->kept_least : &m->replaced_least,
            *most = kept ? &m->kept_most : &m->replaced_most;
    bool first = kept ? seen_kept == 0 : seen_replaced == 0;
    *least = first || id < *least ? id : *least;
    *most = first || id > *most ? id : *most;
}

/* One run of pairs with the same id of the reference. */
static void note_reference(const xr_token_pair *pair, size_t count, xr_token_map *m, rules *r,
                           size_t *seen_kept, size_t *seen_replaced)
{
    bool kept = false, replaced = false;
    size_t differing = 0;
    for (size_t i = 0; i < count; i++) {
        bool same = pair[i].edge == pair[i].reference;
        if (same)
            kept = true;
        else {
            differing++;
            replaced = true;
            if (m->differing == 0) {
                m->first = pair[i];
                m->edge_least = m->edge_most = pair[i].edge;
                m->offset = pair[i].edge - pair[i].reference;
            }
            m->differing++;
            m->edge_least = pair[i].edge < m->edge_least ? pair[i].edge : m->edge_least;
            m->edge_most = pair[i].edge > m->edge_most ? pair[i].edge : m->edge_most;
            r->offset = r->offset && pair[i].edge - pair[i].reference == m->offset;
            r->bits8 = r->bits8 && is_wrapped(&pair[i], 8);
            r->bits16 = r->bits16 && is_wrapped(&pair[i], 16);
        }
        r->function = r->function && pair[i].edge == pair[0].edge;
    }
    if (kept)
        note_kept(m, pair[0].reference, true, (*seen_kept)++, 0);
    if (replaced)
        note_kept(m, pair[0].reference, false, 0, (*seen_replaced)++);
    m->mixed += kept && replaced;
    m->repeats += differing > 0 ? differing - 1 : 0;
}

static void count_edge_ids(xr_token_pair *pair, size_t count, xr_token_map *m, rules *r)
{
    qsort(pair, count, sizeof *pair, by_edge);
    for (size_t i = 0, end; i < count; i = end) {
        bool differs = false;
        for (end = i; end < count && pair[end].edge == pair[i].edge; end++) {
            r->injective = r->injective && pair[end].reference == pair[i].reference;
            differs = differs || pair[end].edge != pair[end].reference;
        }
        m->ids[0] += differs;
    }
}

static xr_token_map_kind kind_of(const xr_token_map *m, const rules *r)
{
    if (m->differing == 0)
        return XR_TOKEN_MAP_EQUAL;
    bool few_bits = (r->bits8 && m->kept_most < 256 && m->replaced_least > 127) ||
                    (r->bits16 && m->kept_most < 65536 && m->replaced_least > 32767);
    if (few_bits && m->places >= FEWEST_WRAPPED)
        return XR_TOKEN_MAP_WRAPPED;
    if (m->ids[0] == 1 && m->ids[1] == 1)
        return XR_TOKEN_MAP_ONE_ID;
    if (m->ids[0] == 2 && m->ids[1] == 2 && r->function && r->injective &&
        m->edge_least == m->replaced_least && m->edge_most == m->replaced_most)
        return XR_TOKEN_MAP_EXCHANGED;
    if (r->offset && m->ids[1] >= 2)
        return XR_TOKEN_MAP_OFFSET;
    if (m->ids[0] == 1)
        return XR_TOKEN_MAP_ONE_EDGE;
    if (m->ids[1] == 1)
        return XR_TOKEN_MAP_ONE_REFERENCE;
    return r->function && r->injective ? XR_TOKEN_MAP_ONE_TO_ONE : XR_TOKEN_MAP_NONE;
}

void xr_token_map_find(xr_token_pair *pair, size_t count, xr_token_map *out)
{
    *out = (xr_token_map){.places = count};
    rules r = {true, true, true, true, true};
    size_t kept = 0, replaced = 0;
    qsort(pair, count, sizeof *pair, by_reference);
    for (size_t i = 0, end; i < count; i = end) {
        for (end = i; end < count && pair[end].reference == pair[i].reference; end++)
            ;
        note_reference(pair + i, end - i, out, &r, &kept, &replaced);
    }
    out->kept = kept;
    out->ids[1] = replaced;
    count_edge_ids(pair, count, out, &r);
    out->bits = r.bits8 ? 8 : 16;
    out->kind = kind_of(out, &r);
}
