/* One file after another: each is a log of its own, all together have no more than their budget. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/scan.h"
#include <dirent.h>
#include <exray/codecs.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[512], path[1024];

static const char *in_folder(const char *name)
{
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s/series.XXXXXX", EXRAY_TEST_DIR);
    return mkdtemp(folder) ? 0 : 1;
}

static uint64_t each_file(bool remove, size_t *count)
{
    uint64_t bytes = 0;
    *count = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        struct stat status;
        if (e->d_name[0] == '.')
            continue;
        assert_int_equal(stat(in_folder(e->d_name), &status), 0);
        bytes += (uint64_t)status.st_size;
        ++*count;
        if (remove)
            unlink(path);
    }
    if (d)
        closedir(d);
    return bytes;
}

static int empty(void **state)
{
    (void)state;
    size_t count;
    each_file(true, &count);
    return 0;
}

static int tear_down(void **state)
{
    empty(state);
    return rmdir(folder);
}

static void log_tensor(exray_recorder *r, exray_kind kind, uint32_t index, int64_t size)
{
    static uint8_t values[1 << 20];
    const exray_tensor tensor = {.kind = kind,
                                 .index = index,
                                 .info = {.name = "t", .dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = &size},
                                 .data = values,
                                 .size = (size_t)size};
    exray_recorder_log_tensor(r, &tensor);
}

static void open_series(exray_recorder *r, const char *name, const exray_recorder_config *config)
{
    static const exray_node nodes[] = {{.name = "conv", .op = "CONV_2D"}};
    assert_int_equal(exray_recorder_open_file(r, in_folder(name), config), EXRAY_OK);
    exray_recorder_log_attachment(r, "labels.txt", "text/plain", "a\nb\n", 4);
    exray_recorder_log_model(r, &(exray_model){.name = "m", .nodes = nodes, .node_count = 1});
    log_tensor(r, EXRAY_KIND_CONSTANT, 3, 9000);
    log_tensor(r, EXRAY_KIND_CONSTANT, 4, 100);
}

static void record(exray_recorder *r, int frames, int64_t layer)
{
    for (int i = 0; i < frames; i++) {
        exray_recorder_frame_begin(r, "x");
        log_tensor(r, EXRAY_KIND_INPUT, 0, 2000);
        log_tensor(r, EXRAY_KIND_LAYER, 0, layer);
        exray_recorder_frame_end(r);
    }
}

static scan read_log(const char *name)
{
    return scan_file(in_folder(name));
}

/* Reads NAME-0001.mcap ... and gives the number of frames in all; each goes on where the one before ended. */
static size_t check_files(const char *name, int first, int last, int newest, size_t *first_frame, bool data)
{
    size_t frames = 0;
    for (int n = first; n <= last; n++) {
        char file[64];
        snprintf(file, sizeof file, "%s-%04d.mcap", name, n);
        scan s = read_log(file);
        assert_true(s.begun && s.complete);
        assert_int_equal(scan_count(&s, "/model"), 1);
        assert_int_equal(scan_count(&s, "/constant/"), 2);
        assert_true(scan_has(scan_find(&s, "/constant/3", 0), data ? 3 : 4));
        assert_int_equal(s.attachments, 1);
        assert_int_equal(s.metadata, 2);
        const size_t here = scan_count(&s, "/frame");
        if (!here)
            fail_msg("%s has no frames, of %d to %d", file, first, last);
        assert_int_equal(scan_count(&s, "/layer/"), here);
        for (size_t i = 0; i < here; i++) {
            const size_t index = scan_value(scan_find(&s, "/frame", i), 1);
            if (n == first && i == 0)
                *first_frame = index;
            assert_int_equal(index, *first_frame + frames + i);
            assert_true(scan_has(scan_find(&s, "/layer/0", i), data ? 3 : 4));
        }
        assert_int_equal(scan_count(&s, "/event"), (n != first || *first_frame) + (n != newest));
        frames += here;
        scan_free(&s);
    }
    return frames;
}

static void test_the_newest_stay(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        empty(state);
        const uint64_t budget = 1000000;
        exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
        config.capture = i & 1 ? EXRAY_CAPTURE_FULL : EXRAY_CAPTURE_STATS;
        config.stream = (i & 2) != 0;
        config.ring_size = i & 4 ? 1 << 20 : 0;
        config.policy = EXRAY_POLICY_BLOCK;
        config.byte_budget = budget;
        config.max_files = 4;
        config.chunk_size = 32 << 10;
        exray_recorder r;
        open_series(&r, "edge.mcap", &config);
        size_t count, first = 0;
        for (int k = 0; k < 61; k++) {
            record(&r, 10, 5000);
            exray_recorder_flush(&r); /* the thread is done */
            assert_in_range(each_file(false, &count), 1, budget);
            assert_in_range(count, 1, 4);
        }
        assert_int_equal(exray_recorder_dropped(&r), 0);
        exray_recorder_flush(&r);
        int last;
        assert_int_equal(sscanf(strrchr(exray_recorder_path(&r), '/'), "/edge-%d.mcap", &last), 1);
        assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
        assert_true(each_file(false, &count) >= budget / 2);
        assert_int_equal(count, 4);
        const size_t frames = check_files("edge", last - 3, last, last, &first, i & 1);
        assert_int_equal(first + frames, 610);
        /* The next run goes on, and the oldest go. */
        open_series(&r, "edge.mcap", &config);
        record(&r, 3, 5000);
        assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
        assert_in_range(each_file(false, &count), 1, budget);
        assert_int_equal(count, 4);
        assert_int_equal(check_files("edge", last + 1, last + 1, last + 1, &first, i & 1), 3);
    }
}

static void test_the_oldest_stay(void **state)
{
    (void)state;
    empty(state);
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.byte_budget = 1000000;
    config.max_files = 3;
    config.keep_oldest = true;
    exray_recorder r;
    open_series(&r, "run-%n.mcap", &config);
    record(&r, 900, 5000);
    assert_int_equal(exray_recorder_next_file(&r), EXRAY_E_STATE);
    exray_recorder_close(&r);
    size_t count, first;
    assert_in_range(each_file(false, &count), 1, 1000000);
    assert_int_equal(count, 3);
    check_files("run", 1, 2, 3, &first, false);
    assert_int_equal(first, 0);
    scan s = read_log("run-0003.mcap"); /* to the end, with less */
    assert_true(s.complete);
    assert_in_range(scan_value(scan_find(&s, "/frame", scan_count(&s, "/frame") - 1), 1), 880, 899);
    assert_true(scan_count(&s, "/layer/") < scan_count(&s, "/frame"));
    scan_free(&s);
    assert_int_equal(exray_recorder_open_file(&r, in_folder("run-%n.mcap"), &config), EXRAY_E_NO_SPACE);
    assert_non_null(strstr(exray_recorder_error_message(&r), "keep_oldest"));
}

static void test_by_size_time_and_call(void **state)
{
    (void)state;
    empty(state);
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.file_bytes = 100000;
    config.codec = exray_codec_default();
    exray_recorder r;
    size_t count, first;
    open_series(&r, "a.mcap", &config);
    record(&r, 200, 3000);
    assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
    const uint64_t bytes = each_file(false, &count);
    assert_true(count >= 5 && bytes / count <= 100000 && bytes / count > 60000);
    assert_int_equal(check_files("a", 1, (int)count, (int)count, &first, false), 200);
    empty(state);
    config.file_bytes = 0;
    config.file_seconds = 1;
    open_series(&r, "b.mcap", &config);
    record(&r, 5, 100);
    nanosleep(&(struct timespec){1, 20000000}, NULL);
    record(&r, 5, 100);
    assert_int_equal(exray_recorder_next_file(&r), EXRAY_OK);
    assert_int_equal(exray_recorder_next_file(&r), EXRAY_OK); /* there is no frame in it: nothing happens */
    exray_recorder_frame_begin(&r, "x");
    log_tensor(&r, EXRAY_KIND_LAYER, 0, 100);
    assert_int_equal(exray_recorder_next_file(&r), EXRAY_OK); /* when it ends */
    record(&r, 4, 100);
    assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
    each_file(false, &count);
    assert_int_equal(count, 4);
    assert_int_equal(check_files("b", 1, 4, 4, &first, false), 15);
}

/* Nothing but files of the name is touched. */
static void test_other_files_stay(void **state)
{
    (void)state;
    static const char *const names[] = {"edge-1.mcap", "edge-0001.mcap.gz", "edge-00001.mcap", "edge-x.mcap",
                                        "edge.mcap"};
    empty(state);
    for (size_t i = 0; i < 5; i++)
        fclose(fopen(in_folder(names[i]), "wb"));
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.byte_budget = 300000;
    config.max_files = 2;
    exray_recorder r;
    open_series(&r, "edge.mcap", &config);
    record(&r, 300, 5000);
    exray_recorder_close(&r);
    size_t count;
    each_file(false, &count);
    assert_int_equal(count, 7);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(access(in_folder(names[i]), F_OK), 0);
}

static int write_nothing(void *user, const void *data, size_t size)
{
    (void)user;
    (void)data;
    (void)size;
    return 0;
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        uint32_t files;
        uint64_t budget, bytes;
        uint32_t seconds;
        const char *said;
    } bad[] = {{1, 0, 100000, 0, "max_files is 1"},
               {4, 0, 0, 0, "needs file_bytes"},
               {20000, 0, 100000, 0, "over 10000"},
               {0, 1000000, 600000, 0, "half of config.byte_budget"},
               {10, 100000, 0, 0, "less than 64 KiB"}};
    exray_recorder r;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
        config.max_files = bad[i].files;
        config.byte_budget = bad[i].budget;
        config.file_bytes = bad[i].bytes;
        config.file_seconds = bad[i].seconds;
        assert_int_equal(exray_recorder_open_file(&r, in_folder("z.mcap"), &config), EXRAY_E_ARGUMENT);
        if (!strstr(exray_recorder_error_message(&r), bad[i].said))
            fail_msg("%s", exray_recorder_error_message(&r));
    }
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.file_bytes = 100000;
    assert_int_equal(exray_recorder_open_callback(&r, write_nothing, NULL, &config), EXRAY_E_ARGUMENT);
    assert_non_null(strstr(exray_recorder_error_message(&r), "exray_recorder_open_file"));
    assert_int_equal(exray_recorder_open_file(&r, in_folder("z.mcap"), NULL), EXRAY_OK);
    assert_int_equal(exray_recorder_next_file(&r), EXRAY_E_STATE);
    exray_recorder_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_stay),
        cmocka_unit_test(test_the_oldest_stay),
        cmocka_unit_test(test_by_size_time_and_call),
        cmocka_unit_test(test_other_files_stay),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
