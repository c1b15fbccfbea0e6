/* Applications that end in every way but by a close: what their logs have. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/scan.h"
#include <dirent.h>
#include <errno.h>
#include <exray/codecs.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char folder[512], path[600];

static void sleep_ms(int ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&time, NULL);
}

static void empty_folder(void)
{
    char name[1200];
    DIR *d = opendir(folder);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        snprintf(name, sizeof name, "%s/%s", folder, e->d_name);
        unlink(name);
    }
    if (d)
        closedir(d);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/durability.XXXXXX", EXRAY_TEST_DIR);
    return mkdtemp(folder) ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    empty_folder();
    return rmdir(folder);
}

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void record(exray_recorder *recorder, int frames)
{
    static const float values[100] = {1, 2, 3};
    static const int64_t shape[] = {100};
    for (int i = 0; i < frames; i++) {
        exray_recorder_frame_begin(recorder, "camera");
        exray_recorder_log_tensor(
            recorder, &(exray_tensor){
                          .kind = EXRAY_KIND_OUTPUT,
                          .info = {.name = "scores", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = shape},
                          .data = values,
                          .size = sizeof values});
        exray_recorder_frame_end(recorder);
    }
}

static scan read_log(const char *name)
{
    return scan_file(in_folder(name));
}

static size_t frames_of(const char *name)
{
    scan s = read_log(name);
    const size_t frames = scan_count(&s, "/frame"), outputs = scan_count(&s, "/output/");
    assert_int_equal(frames, outputs);
    scan_free(&s);
    return frames;
}

typedef enum ending { KILLED, KILLED_LATER, EXITED, RETURNED } ending;

/* The recorder lies in a function that has returned when the process ends. */
static void run_application(const char *name, exray_recorder_config config, int frames, ending end)
{
    exray_recorder recorder;
    if (exray_recorder_open_file(&recorder, in_folder(name), &config))
        _exit(3);
    record(&recorder, frames);
    if (end == KILLED_LATER)
        sleep_ms(100);
    if (end == KILLED || end == KILLED_LATER)
        raise(SIGKILL);
    if (end == EXITED)
        exit(0);
}

static void application(const char *name, exray_recorder_config config, int frames, ending end)
{
    const pid_t child = fork();
    if (child == 0) {
        volatile char overwritten[20000];
        run_application(name, config, frames, end);
        memset((void *)overwritten, 0xA5, sizeof overwritten);
        exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    assert_false(WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL);
}

static exray_recorder_config config_of(bool stream, size_t ring)
{
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.stream = stream;
    config.ring_size = ring;
    return config;
}

static void test_killed_or_without_close(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++)
        for (ending end = KILLED; end <= RETURNED; end++) {
            empty_folder();
            application("a.mcap", config_of(stream, 0), 20, end);
            assert_int_equal(frames_of("a.mcap"), 20);
        }
}

static void test_many_frames_between_two_chunks(void **state)
{
    (void)state;
    empty_folder();
    exray_recorder_config config = config_of(false, 0);
    config.chunk_size = 64 << 10;
    application("a.mcap", config, 1500, KILLED);
    assert_int_equal(frames_of("a.mcap"), 1500);
}

/* A compressed chunk is shorter than what was written ahead of it. */
static void test_killed_with_compression(void **state)
{
    (void)state;
    empty_folder();
    exray_recorder_config config = config_of(false, 0);
    config.codec = exray_codec_default();
    config.compression = EXRAY_COMPRESSION_ZSTD;
    config.flush_frames = 7;
    for (int frames = 6; frames < 10; frames++) {
        empty_folder();
        application("a.mcap", config, frames, KILLED);
        scan s = read_log("a.mcap");
        assert_int_equal(s.count, 3 * (frames < 7 ? frames : frames - 7)); /* it reads no zstd */
        assert_int_equal(s.chunks, frames <= 7 ? 1 : 2);
        scan_free(&s);
    }
}

static void test_asynchronous(void **state)
{
    (void)state;
    static const ending ends[] = {KILLED_LATER, EXITED, RETURNED};
    for (int stream = 0; stream < 2; stream++)
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            empty_folder();
            application("a.mcap", config_of(stream, 1 << 20), 20, ends[i]);
            assert_int_equal(frames_of("a.mcap"), 20);
        }
}

/* ---- A new file a run ---- */

static void test_a_crashed_log_stays(void **state)
{
    (void)state;
    empty_folder();
    application("a.mcap", config_of(false, 0), 12, KILLED);
    for (int i = 0; i < 3; i++) {
        exray_recorder recorder;
        assert_int_equal(exray_recorder_open_file(&recorder, in_folder("a.mcap"), NULL), EXRAY_OK);
        assert_non_null(strstr(exray_recorder_path(&recorder), "/a-2.mcap"));
        record(&recorder, 3 + i);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
        assert_null(exray_recorder_path(&recorder));
        assert_int_equal(frames_of("a.mcap"), 12);
        assert_int_equal(frames_of("a-2.mcap"), 3 + i); /* which was closed: replaced */
    }
    application("a.mcap", config_of(false, 0), 5, KILLED);
    application("a.mcap", config_of(false, 0), 6, EXITED);
    assert_int_equal(frames_of("a-2.mcap"), 5);
    assert_int_equal(frames_of("a-3.mcap"), 6);
    assert_int_equal(frames_of("a.mcap"), 12);
}

static void test_a_number_and_a_time(void **state)
{
    (void)state;
    empty_folder();
    for (int i = 1; i <= 3; i++)
        application("run-%n.mcap", config_of(true, 0), i, i == 2 ? KILLED : EXITED);
    assert_int_equal(frames_of("run-0001.mcap"), 1);
    assert_int_equal(frames_of("run-0002.mcap"), 2);
    assert_int_equal(frames_of("run-0003.mcap"), 3);
    unlink(in_folder("run-0001.mcap"));
    application("run-%n.mcap", config_of(true, 0), 4, EXITED);
    assert_int_equal(frames_of("run-0004.mcap"), 4); /* the newest has the largest */
    empty_folder();
    exray_recorder recorders[2];
    const time_t before = time(NULL);
    for (int i = 0; i < 2; i++)
        assert_int_equal(exray_recorder_open_file(&recorders[i], in_folder("%t.mcap"), NULL), EXRAY_OK);
    for (int i = 0; i < 2; i++) {
        const char *name = strrchr(exray_recorder_path(&recorders[i]), '/') + 1;
        struct tm parts = {0};
        const char *end = strptime(name, "%Y%m%dT%H%M%SZ", &parts);
        assert_non_null(end);
        assert_in_range(timegm(&parts), before, before + 10);
        if (i == 0)
            assert_string_equal(end, ".mcap");
        assert_int_equal(exray_recorder_close(&recorders[i]), EXRAY_OK);
    }
}

/* ---- On demand, and by age ---- */

typedef struct target {
    uint8_t bytes[1 << 20];
    size_t used;
    int syncs, sync_error;
} target;

static int write_target(void *user, const void *data, size_t size)
{
    target *t = user;
    memcpy(t->bytes + t->used, data, size);
    __atomic_store_n(&t->used, t->used + size, __ATOMIC_RELEASE);
    return 0;
}

static int sync_target(void *user)
{
    target *t = user;
    __atomic_fetch_add(&t->syncs, 1, __ATOMIC_RELEASE); /* on the writer's thread */
    return t->sync_error;
}

static target it;

static size_t frames_in_target(void)
{
    scan s = scan_log(it.bytes, __atomic_load_n(&it.used, __ATOMIC_ACQUIRE));
    const size_t frames = scan_count(&s, "/frame");
    scan_free(&s);
    return frames;
}

static void open_target(exray_recorder *recorder, exray_recorder_config config)
{
    memset(&it, 0, sizeof it);
    config.sync = sync_target;
    assert_int_equal(exray_recorder_open_callback(recorder, write_target, &it, &config), EXRAY_OK);
}

static void test_flush_and_sync(void **state)
{
    (void)state;
    for (size_t ring = 0; ring <= 1 << 20; ring += 1 << 20) {
        exray_recorder recorder;
        open_target(&recorder, config_of(false, ring));
        record(&recorder, 10);
        if (!ring)
            assert_int_equal(frames_in_target(), 0); /* a chunk that is not closed */
        assert_int_equal(exray_recorder_flush(&recorder), EXRAY_OK);
        assert_int_equal(frames_in_target(), 10);
        assert_int_equal(it.syncs, 0);
        record(&recorder, 1);
        assert_int_equal(exray_recorder_sync(&recorder), EXRAY_OK);
        assert_int_equal(frames_in_target(), 11);
        assert_int_equal(it.syncs, 1);
        it.sync_error = EIO;
        assert_int_equal(exray_recorder_sync(&recorder), EXRAY_E_IO);
        it.sync_error = 0;
        record(&recorder, 1);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK); /* it was no end */
        assert_int_equal(frames_in_target(), 12);
    }
}

static void test_every_so_many_frames(void **state)
{
    (void)state;
    exray_recorder recorder;
    exray_recorder_config config = config_of(false, 0);
    config.flush_frames = 3;
    config.sync_frames = 5;
    open_target(&recorder, config);
    for (size_t i = 1; i <= 30; i++) {
        record(&recorder, 1);
        assert_int_equal(it.syncs, i / 5);
        assert_int_equal(frames_in_target(), i / 3 * 3 > i / 5 * 5 ? i / 3 * 3 : i / 5 * 5);
    }
    exray_recorder_close(&recorder);
}

static void test_by_age(void **state)
{
    (void)state;
    static const double reading = 20;
    exray_recorder recorder;
    exray_recorder_config config = config_of(false, 0);
    config.flush_ms = 5;
    open_target(&recorder, config);
    record(&recorder, 1);
    sleep_ms(10);
    exray_recorder_log_reading(&recorder, "temperature", &reading, 1, "C"); /* any record */
    assert_int_equal(frames_in_target(), 1);
    exray_recorder_close(&recorder);
}

/* The writer's thread looks while nothing happens. */
static void test_by_age_while_idle(void **state)
{
    (void)state;
    exray_recorder recorder;
    exray_recorder_config config = config_of(false, 1 << 20);
    config.flush_ms = 20;
    config.sync_ms = 40;
    open_target(&recorder, config);
    record(&recorder, 4);
    for (int i = 0; i < 100 && (frames_in_target() < 4 || !__atomic_load_n(&it.syncs, __ATOMIC_ACQUIRE)); i++)
        sleep_ms(20);
    assert_int_equal(frames_in_target(), 4);
    assert_true(__atomic_load_n(&it.syncs, __ATOMIC_ACQUIRE) >= 1);
    exray_recorder_close(&recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_or_without_close),
        cmocka_unit_test(test_many_frames_between_two_chunks),
        cmocka_unit_test(test_killed_with_compression),
        cmocka_unit_test(test_asynchronous),
        cmocka_unit_test(test_a_crashed_log_stays),
        cmocka_unit_test(test_a_number_and_a_time),
        cmocka_unit_test(test_flush_and_sync),
        cmocka_unit_test(test_every_so_many_frames),
        cmocka_unit_test(test_by_age),
        cmocka_unit_test(test_by_age_while_idle),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
