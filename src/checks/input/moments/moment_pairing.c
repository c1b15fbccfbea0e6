#include "checks/input/moments/moment_pairing.h"

#include <math.h>
#include <stdlib.h>

/* FURTHEST: frames that a buffer is late by; MOST: frames that are held against each other one by one. */
enum { FURTHEST = 8, FEWEST = 3, MOST = 512 };

/* A frame is another one's if it leaves less than a level, and any other so many times more. */
#define EXPLAINED 1.0
#define RATIO     8.0
#define APART     0.5
/* So many bits of coincidence are none; shares of the frames that must have a counterpart. */
#define SURPRISE 40.0
#define COVERED  0.6
#define MATCHED  0.9

void xr_moment_pairing_free(xr_moment_pairing *pairing)
{
    free(pairing->edge);
    free(pairing->reference);
    *pairing = (xr_moment_pairing){0};
}

static bool make_room(xr_moment_pairing *out, size_t count)
{
    *out = (xr_moment_pairing){.edge = calloc(count + 1, sizeof *out->edge),
                               .reference = calloc(count + 1, sizeof *out->reference)};
    if (out->edge && out->reference)
        return true;
    xr_moment_pairing_free(out);
    return false;
}

static void note(xr_moment_pairing *out)
{
    for (size_t i = 0; i < out->count; i++) {
        const size_t e = out->edge[i], r = out->reference[i];
        out->moved += e != r;
        out->late += r + 1 == e;
        out->early += r == e + 1;
        out->repeated += i > 0 && e != r && r == out->reference[i - 1];
    }
}

static xr_moment_pairs pairs_of(const xr_moment_pairs *recorded, const xr_moment_pairing *pairing)
{
    return (xr_moment_pairs){.frames = recorded->frames,
                             .count = pairing->count,
                             .edge = pairing->edge,
                             .reference = pairing->reference,
                             .level = {recorded->level[0], recorded->level[1]}};
}

/* Whether with the pairing all is explained, by what was named or without anything. */
static bool explains(const xr_moment_pairs *pairs, const xr_moment_choice *c, double before)
{
    const bool named = c->order_named || c->map_named;
    const xr_moment_fit *f = named ? &c->best : &c->same;
    return f->residual <= EXPLAINED && f->worst <= 2.5 * EXPLAINED &&
           fmax(f->residual, 1e-4) * RATIO <= before && f->surprise >= SURPRISE && pairs->count >= FEWEST;
}

static bool find_lag(const xr_moment_pairs *recorded, double before, xr_moment_pairing *out,
                     xr_moment_choice *choice)
{
    const size_t n = recorded->count;
    bool found = false;
    xr_moment_pairing now;
    if (!make_room(&now, n))
        return false;
    for (size_t lag = 1; lag <= FURTHEST && !found; lag++)
        for (int early = 0; early < 2 && !found; early++) {
            if (lag + FEWEST > n || (double)(n - lag) < COVERED * (double)n)
                break;
            now.count = n - lag;
            for (size_t i = 0; i < now.count; i++) {
                now.edge[i] = early ? i : i + lag;
                now.reference[i] = early ? i + lag : i;
            }
            const xr_moment_pairs pairs = pairs_of(recorded, &now);
            *choice = xr_moment_choose(&pairs);
            found = explains(&pairs, choice, before);
        }
    if (found)
        *out = now;
    else
        xr_moment_pairing_free(&now);
    return found;
}

/* The distance of the moments of two frames, in levels, without order and map. */
static double distance(const xr_moment_pairs *recorded, const xr_moment_fit *same, size_t edge,
                       size_t reference)
{
    const xr_moment_pairs one = {.frames = recorded->frames,
                                 .count = 1,
                                 .edge = &edge,
                                 .reference = &reference,
                                 .level = {recorded->level[0], recorded->level[1]}};
    return xr_moment_residual(&one, same, 0);
}

/* The frame that a frame of the edge is; SIZE_MAX: none, or several are. */
static size_t nearest(const xr_moment_pairs *recorded, const xr_moment_fit *same, size_t edge)
{
    size_t best = SIZE_MAX;
    double least = INFINITY, next = INFINITY;
    for (size_t r = 0; r < recorded->count; r++) {
        double d = distance(recorded, same, edge, r);
        if (d < least) {
            next = least;
            least = d;
            best = r;
        } else if (d < next)
            next = d;
    }
    const double own = distance(recorded, same, edge, edge);
    if (least <= EXPLAINED && own <= fmax(2 * least, 0.05))
        return edge; /* as good as any */
    return least <= EXPLAINED && next >= fmax(RATIO * least, APART) ? best : SIZE_MAX;
}

/* How many bits of coincidence it would be that the frames which are another one's are alike it. */
static double surprise_of(const xr_moment_pairs *recorded, const xr_moment_fit *same,
                          const xr_moment_pairing *pairing)
{
    double bits = 0;
    for (size_t i = 0; i < pairing->count; i++) {
        const size_t e = pairing->edge[i], r = pairing->reference[i];
        if (e != r)
            bits += (double)(recorded->frames->parts + 1) *
                    log2(distance(recorded, same, e, e) / fmax(distance(recorded, same, e, r), 1e-4));
    }
    return bits;
}

static bool find_each(const xr_moment_pairs *recorded, const xr_moment_fit *same, xr_moment_pairing *out,
                      xr_moment_choice *choice)
{
    const size_t n = recorded->count;
    if (n < FEWEST + 1 || n > MOST || !make_room(out, n))
        return false;
    for (size_t e = 0; e < n; e++) {
        size_t r = nearest(recorded, same, e);
        if (r == SIZE_MAX)
            continue;
        out->edge[out->count] = e;
        out->reference[out->count++] = r;
    }
    const xr_moment_pairs pairs = pairs_of(recorded, out);
    if ((double)out->count >= MATCHED * (double)n && surprise_of(recorded, same, out) >= SURPRISE) {
        *choice = xr_moment_choose(&pairs);
        choice->order_named = choice->map_named = false;
        if (choice->same.residual <= EXPLAINED)
            return true;
    }
    xr_moment_pairing_free(out);
    return false;
}

bool xr_find_moment_pairing(const xr_moment_pairs *recorded, const xr_moment_choice *now,
                            xr_moment_pairing *out, xr_moment_choice *choice)
{
    const double before = fmin(now->best.residual, now->same.residual);
    *out = (xr_moment_pairing){0};
    if (!find_lag(recorded, before, out, choice) && !find_each(recorded, &now->same, out, choice))
        return false;
    note(out);
    return out->moved > 0;
}
