#include "report.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

double xr_report_latency(const exray_comparison *comparison, exray_side side)
{
    size_t frames = exray_comparison_frame_count(comparison), count = 0;
    const exray_log *log = exray_comparison_log(comparison, side);
    uint64_t *time = calloc(frames + 1, sizeof *time);
    for (size_t i = 0; time && i < frames; i++) {
        uint64_t ns = exray_log_frame(log, exray_comparison_frame(comparison, i).frame[side])->inference_ns;
        if (ns)
            time[count++] = ns;
    }
    double median = NAN;
    if (count) {
        qsort(time, count, sizeof *time, ascending);
        median = ((double)time[(count - 1) / 2] + (double)time[count / 2]) / 2 / 1e6;
    }
    free(time);
    return median;
}
