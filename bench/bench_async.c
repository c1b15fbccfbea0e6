/* What the asynchronous mode costs a frame while its sink takes 1 MB/s: in drop mode, the 99th percentile of
 * the frames' times beside those of the same work without a recorder.
 *
 *     bench_async [FRAMES]
 *
 * A frame is some milliseconds of arithmetic, then an input of 150 KB, 31 layers (full capture), latencies
 * and an output: a hundred times what the sink takes.  Bare and recorded runs take turns; the median of 5
 * rounds counts.  The thread's processor time is told, too: on a busy machine the other says little. */
#define _POSIX_C_SOURCE 200809L
#include "timing.h"

#include <exray/codecs.h>
#include <exray/exray.h>
#include <stdio.h>
#include <string.h>

enum {
    ROUNDS = 5,
    USUAL_FRAMES = 200,
    MOST_FRAMES = 10000,
    LAYERS = 31,
    INPUT = 224 * 224 * 3,
    LAYER = 20000
};

#define BYTES_PER_MS 1000.0 /* of the sink */
#define WORK_MS      5.0

static uint8_t data[INPUT];
static volatile float result;

static void work(long steps)
{
    float a = 1;
    for (long i = 0; i < steps; i++)
        a = a * 0.999f + 0.5f;
    result = a;
}

/* How many steps take so long where nothing disturbs them. */
static long calibrate(void)
{
    const long steps = 200000;
    double best = 1e9;
    for (int i = 0; i < 20; i++) {
        const double begin = bench_now_ms();
        work(steps);
        const double time = bench_now_ms() - begin;
        best = time < best ? time : best;
    }
    return (long)((double)steps * WORK_MS / best);
}

static int slow_sink(void *user, const void *bytes, size_t size)
{
    (void)user;
    (void)bytes;
    const double ms = (double)size / BYTES_PER_MS;
    nanosleep(&(struct timespec){(time_t)(ms / 1e3), (long)(ms * 1e6) % 1000000000}, NULL);
    return 0;
}

static void log_tensor(exray_recorder *r, exray_kind kind, uint32_t index, int64_t size)
{
    exray_recorder_log_tensor(
        r, &(exray_tensor){.kind = kind,
                           .index = index,
                           .info = {.name = "t", .dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = &size},
                           .data = data,
                           .size = (size_t)size});
}

static void log_frame(exray_recorder *r)
{
    uint32_t nodes[LAYERS];
    uint64_t starts[LAYERS], times[LAYERS];
    for (uint32_t i = 0; i < LAYERS; i++) {
        nodes[i] = i;
        starts[i] = times[i] = 100000u * i;
    }
    log_tensor(r, EXRAY_KIND_INPUT, 0, INPUT);
    for (uint32_t i = 0; i < LAYERS; i++)
        log_tensor(r, EXRAY_KIND_LAYER, i, LAYER);
    log_tensor(r, EXRAY_KIND_OUTPUT, 0, 1000);
    exray_recorder_log_latency(r, nodes, starts, times, LAYERS);
}

static double percentile_99(double *times, int frames)
{
    qsort(times, (size_t)frames, sizeof *times, bench_compare);
    return times[frames - 1 - frames / 100];
}

typedef struct figures {
    double wall[ROUNDS], cpu[ROUNDS];
} figures;

static double cpu_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* recorder NULL: bare. */
static void run(exray_recorder *recorder, long steps, int frames, figures *out, int round)
{
    static double times[MOST_FRAMES], cpu_times[MOST_FRAMES];
    for (int i = 0; i < frames; i++) {
        const double begin = bench_now_ms(), cpu_begin = cpu_ms();
        if (recorder)
            exray_recorder_frame_begin(recorder, "frame");
        work(steps);
        if (recorder) {
            log_frame(recorder);
            exray_recorder_frame_end(recorder);
        }
        times[i] = bench_now_ms() - begin;
        cpu_times[i] = cpu_ms() - cpu_begin;
    }
    out->wall[round] = percentile_99(times, frames);
    out->cpu[round] = percentile_99(cpu_times, frames);
}

int main(int argc, char **argv)
{
    static exray_recorder recorder;
    int frames = argc > 1 ? atoi(argv[1]) : USUAL_FRAMES;
    if (frames < 1 || frames > MOST_FRAMES)
        frames = USUAL_FRAMES;
    const long steps = calibrate();
    figures bare, recorded;
    unsigned long long dropped = 0;
    for (int round = 0; round < ROUNDS; round++) {
        const exray_recorder_config config = {.size = sizeof config,
                                              .capture = EXRAY_CAPTURE_FULL,
                                              .codec = exray_codec_default(),
                                              .ring_size = 4 << 20,
                                              .policy = EXRAY_POLICY_DROP};
        run(NULL, steps, frames, &bare, round);
        if (exray_recorder_open_callback(&recorder, slow_sink, NULL, &config)) {
            fprintf(stderr, "bench_async: %s\n", exray_recorder_error_message(&recorder));
            return 2;
        }
        run(&recorder, steps, frames, &recorded, round);
        dropped = exray_recorder_dropped(&recorder);
        exray_recorder_abandon(&recorder); /* the sink would take seconds for what waits */
    }
    printf("bare_p99_ms %.4f\n", bench_median(bare.wall, ROUNDS));
    printf("async_p99_ms %.4f\n", bench_median(recorded.wall, ROUNDS));
    printf("bare_cpu_p99_ms %.4f\n", bench_median(bare.cpu, ROUNDS));
    printf("async_cpu_p99_ms %.4f\n", bench_median(recorded.cpu, ROUNDS));
    printf("dropped %llu\nframes %d\n", dropped, frames);
    return 0;
}
