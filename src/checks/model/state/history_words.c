#include "checks/model/state/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* "frame 5", "frames 5 to 7" of a log. */
static void say_frames(const exray_comparison *c, exray_side side, size_t first, size_t last, char text[64])
{
    const uint64_t from = xr_history_frame(c, side, first), to = xr_history_frame(c, side, last);
    if (from == to)
        snprintf(text, 64, "frame %" PRIu64, from);
    else
        snprintf(text, 64, "frames %" PRIu64 " to %" PRIu64, from, to);
}

/* All resets from deviation i on that stand together: "is reset before frames 6, 12 and 18".  How many. */
static size_t say_resets(const exray_comparison *c, exray_side side, const xr_history *s, size_t i,
                         char *text, size_t size)
{
    enum { NAMED = 8 };
    const xr_deviation *first = &s->deviation[i];
    size_t count = 0, used;
    while (i + count < s->count && s->deviation[i + count].kind == XR_DEVIATION_RESET)
        count++;
    if (count == 1 && first->first < first->at) {
        snprintf(text, size,
                 "is reset before one of the frames %" PRIu64 " to %" PRIu64
                 " (the outputs do not tell before which)",
                 xr_history_frame(c, side, first->first), xr_history_frame(c, side, first->at));
        return count;
    }
    used = (size_t)snprintf(text, size, "is reset before frame%s ", count > 1 ? "s" : "");
    for (size_t k = 0; k < count && k < NAMED && used < size; k++)
        used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64,
                                 k == 0                             ? ""
                                 : k + 1 == count && count <= NAMED ? " and "
                                                                    : ", ",
                                 xr_history_frame(c, side, s->deviation[i + k].at));
    if (count > NAMED && used < size)
        snprintf(text + used, size - used, " and %zu more", count - NAMED);
    return count;
}

static void say_deviation(const exray_comparison *c, exray_side side, const xr_deviation *deviation,
                          char *text, size_t size)
{
    char frames[64];
    const exray_side other = side == EXRAY_SIDE_EDGE ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE;
    switch (deviation->kind) {
    case XR_DEVIATION_MISSED:
        say_frames(c, side, deviation->at, deviation->at + deviation->count - 1, frames);
        if (deviation->first == deviation->at)
            snprintf(text, size, "is not run in %s, which the log has", frames);
        else
            snprintf(text, size,
                     "is not run in %zu frame%s from one of %" PRIu64 " to %" PRIu64 " on, which the log has",
                     deviation->count, deviation->count > 1 ? "s" : "",
                     xr_history_frame(c, side, deviation->first), xr_history_frame(c, side, deviation->at));
        break;
    case XR_DEVIATION_LATE:
        if (deviation->first <= 1)
            snprintf(text, size, "gets the inputs of each frame one frame late");
        else if (deviation->first < deviation->at)
            snprintf(text, size,
                     "gets the inputs of each frame one frame late from one of the frames %" PRIu64
                     " to %" PRIu64 " on",
                     xr_history_frame(c, side, deviation->first), xr_history_frame(c, side, deviation->at));
        else
            snprintf(text, size, "gets the inputs of each frame one frame late from frame %" PRIu64 " on",
                     xr_history_frame(c, side, deviation->at));
        break;
    case XR_DEVIATION_EMPTY:
        snprintf(text, size, "gets zeros in the first frame, and the inputs of each frame one frame late");
        break;
    case XR_DEVIATION_TWICE:
        say_frames(c, side, deviation->first - 1, deviation->at - 1, frames);
        snprintf(text, size, "is run %s on %s%s", deviation->count == 1 ? "twice" : "three times",
                 deviation->first < deviation->at ? "one of the " : "", frames);
        break;
    case XR_DEVIATION_UNLOGGED:
        say_frames(c, other, deviation->first, deviation->first + deviation->count - 1, frames);
        snprintf(text, size, "is run on %s, too, which its log lacks", frames);
        break;
    case XR_DEVIATION_WARM:
        say_frames(c, side, 0, deviation->count - 1, frames);
        snprintf(text, size, "had been run on %s before the recording, and was not reset", frames);
        break;
    default:
        snprintf(text, size, "begins with another state, which shows up to frame %" PRIu64,
                 xr_history_frame(c, side, deviation->at ? deviation->at - 1 : 0));
        break;
    }
}

void xr_history_words(const exray_comparison *comparison, exray_side side, const xr_history *history,
                      char *text, size_t size)
{
    size_t used =
        (size_t)snprintf(text, size, "%s",
                         !history->every  ? history->count ? "" : "is never reset"
                         : history->count ? "is reset before every frame, or, which its outputs do not tell, "
                                          : "is reset before every frame");
    for (size_t i = 0; i < history->count && used + 1 < size;) {
        size_t taken = 1;
        if (i)
            used += (size_t)snprintf(text + used, size - used, " and ");
        if (used + 1 >= size)
            break;
        if (history->deviation[i].kind == XR_DEVIATION_RESET)
            taken = say_resets(comparison, side, history, i, text + used, size - used);
        else
            say_deviation(comparison, side, &history->deviation[i], text + used, size - used);
        used += strlen(text + used);
        i += taken;
    }
}
