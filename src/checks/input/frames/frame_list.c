#include "checks/input/frames/frame_list.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MOST_RUNS = 8 }; /* of consecutive frames, that are listed */

static uint64_t number_of(const exray_comparison *comparison, size_t frame)
{
    exray_frame_pair pair = exray_comparison_frame(comparison, frame);
    return exray_log_frame(exray_comparison_log(comparison, EXRAY_SIDE_EDGE), pair.frame[EXRAY_SIDE_EDGE])
        ->index;
}

static size_t count(const bool *in, size_t from, size_t frames)
{
    size_t n = 0;
    for (size_t f = from; f < frames; f++)
        n += in[f];
    return n;
}

/* The last frame of the run that begins with `first`; two in a row are listed one by one. */
static size_t end_of_run(const bool *in, size_t first, size_t frames)
{
    size_t last = first;
    while (last + 1 < frames && in[last + 1])
        last++;
    return last == first + 1 ? first : last;
}

void xr_list_frames(const exray_comparison *comparison, const bool *in, char *text, size_t size)
{
    size_t frames = exray_comparison_frame_count(comparison), used, runs = 0;
    used = (size_t)snprintf(text, size, "%s", count(in, 0, frames) == 1 ? "frame " : "frames ");
    for (size_t f = 0; f < frames && used < size; f++) {
        if (!in[f])
            continue;
        size_t last = end_of_run(in, f, frames), rest = count(in, last + 1, frames);
        if (++runs > MOST_RUNS) {
            snprintf(text + used, size - used, " and %zu more", count(in, f, frames));
            return;
        }
        const char *before = runs == 1 ? "" : rest == 0 ? " and " : ", ";
        int more = snprintf(text + used, size - used, "%s%" PRIu64, before, number_of(comparison, f));
        used += more > 0 ? (size_t)more : size;
        if (last > f && used < size) {
            more = snprintf(text + used, size - used, " to %" PRIu64, number_of(comparison, last));
            used += more > 0 ? (size_t)more : size;
        }
        f = last;
    }
}
