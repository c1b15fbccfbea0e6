/* perf.memory_growth: memory that rises to the end of the log. */
#include "checks/builtin.h"
#include "checks/perf/system_series.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARTS = 5, FEWEST_FRAMES = 20 };

static bool take_rss(const exray_system *s, double *value)
{
    *value = (double)s->rss_bytes;
    return s->has_rss;
}

static bool take_arena(const exray_system *s, double *value)
{
    *value = (double)s->arena_bytes;
    return s->has_arena;
}

/* After the first fifth, in which caches fill, memory must rise in every fifth by at least half of the
 * mean rise, and in total by `least` bytes and by 4 times the largest fall. */
static bool grows(const double *value, size_t count, double least, double *growth)
{
    size_t from = count / PARTS;
    double fall = 0, top = value[from];
    for (size_t i = from; i < count; i++) {
        top = fmax(top, value[i]);
        fall = fmax(fall, top - value[i]);
    }
    *growth = value[count - 1] - value[from];
    if (*growth < least || *growth < 4 * fall)
        return false;
    for (size_t part = 1; part < PARTS; part++) {
        double rise = value[(part + 1) * (count - 1) / PARTS] - value[part * (count - 1) / PARTS];
        if (rise < *growth / (PARTS - 1) / 2)
            return false;
    }
    return true;
}

static void judge(const exray_log *log, exray_findings *findings, const char *what, xr_system_value *take,
                  double *value)
{
    size_t count = xr_system_series(log, take, value);
    double growth, least = exray_findings_option(findings, "mib") * 1048576;
    if (count < FEWEST_FRAMES || !grows(value, count, least, &growth))
        return;
    double frames = (double)(count - 1 - count / PARTS);
    exray_finding *f = exray_findings_add(findings, "perf.memory_growth", EXRAY_SEVERITY_WARNING, 0.9);
    exray_finding_where(f, "model", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f, "%s grows by %.3g KiB a frame, from %.1f to %.1f MiB, to the end of the log.",
                          what, growth / frames / 1024, value[count / PARTS] / 1048576,
                          value[count - 1] / 1048576);
    exray_finding_fix(
        f, "Look for what is allocated in every frame and never freed: tensors, pictures, results, "
           "interpreters.");
    exray_finding_number(f, "bytes_per_frame", growth / frames);
    exray_finding_number(f, "first_bytes", value[count / PARTS]);
    exray_finding_number(f, "last_bytes", value[count - 1]);
    exray_finding_number(f, "frames", (double)count);
}

static exray_status run(const exray_comparison *c, exray_findings *findings, exray_error *error)
{
    const exray_log *log = exray_comparison_log(c, EXRAY_SIDE_EDGE);
    double *value = calloc(exray_log_frame_count(log) + 1, sizeof *value);
    if (!value) {
        error->status = EXRAY_E_MEMORY;
        return EXRAY_E_MEMORY;
    }
    if (xr_system_series(log, take_rss, value) < FEWEST_FRAMES &&
        xr_system_series(log, take_arena, value) < FEWEST_FRAMES) {
        error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message,
                 "the edge log has less than 20 frames with memory (/system)");
    } else {
        judge(log, findings, "The process's memory", take_rss, value);
        judge(log, findings, "The engine's arena", take_arena, value);
    }
    free(value);
    return error->status;
}

static const char *const causes[] = {"perf.memory_growth", NULL};

static const exray_option options[] = {
    {"mib", "MiB by which memory must have grown after the first fifth of the frames; allocators keep a few",
     4, 0, 1e9},
    {NULL, NULL, 0, 0, 0},
};

const exray_assertion xr_assertion_perf_memory_growth = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "perf.memory_growth",
    .summary = "the edge's memory does not grow from frame to frame",
    .causes = causes,
    .needs = "/system of the edge, 20 frames",
    .run = run,
    .options = options,
};
