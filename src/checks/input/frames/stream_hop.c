#include "checks/input/frames/stream_hop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The sample that a frame begins at in its recording, and the length of the file's name; -1: its source says
 * neither. */
static long sample_of(const exray_comparison *comparison, size_t i, const char **name, size_t *length)
{
    exray_frame_pair pair = exray_comparison_frame(comparison, i);
    const exray_frame *frame =
        exray_log_frame(exray_comparison_log(comparison, EXRAY_SIDE_EDGE), pair.frame[EXRAY_SIDE_EDGE]);
    const char *source = frame && frame->source ? frame->source : "", *at = strrchr(source, '@');
    char *end;
    *name = source;
    *length = at ? (size_t)(at - source) : 0;
    if (!at || at[1] < '0' || at[1] > '9')
        return -1;
    errno = 0;
    long sample = strtol(at + 1, &end, 10);
    return errno || *end ? -1 : sample;
}

long xr_hop_to_next(const exray_comparison *comparison, size_t frame)
{
    const char *name[2];
    size_t length[2];
    if (frame + 1 >= exray_comparison_frame_count(comparison))
        return 0;
    long first = sample_of(comparison, frame, &name[0], &length[0]),
         next = sample_of(comparison, frame + 1, &name[1], &length[1]);
    bool same = length[0] == length[1] && memcmp(name[0], name[1], length[0]) == 0;
    return first >= 0 && next > first && same ? next - first : 0;
}
