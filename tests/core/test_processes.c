/* The recorder and the system: signals, file-size limits, two recorders of one file, forked children.  Each
 * application is a real child process. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <exray/exray.h>
#include <exray/log.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef EXRAY_TEST_DIR
#define EXRAY_TEST_DIR "." /* the build says where */
#endif

static char folder[] = EXRAY_TEST_DIR "/processes-XXXXXX";
static char log_path[sizeof folder + 16], fifo_path[sizeof folder + 16];

static int set_up(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(log_path, sizeof log_path, "%s/a.mcap", folder);
    snprintf(fifo_path, sizeof fifo_path, "%s/fifo", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(log_path);
    unlink(fifo_path);
    return rmdir(folder);
}

/* Runs the application as a child; its exit status, or minus the signal that ended it. */
static int run(int (*application)(void *), void *argument)
{
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        _exit(application(argument));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static exray_status record(exray_recorder *recorder, int frames)
{
    static const uint8_t picture[64 * 64 * 3];
    const exray_media media = {.format = "rgb8", .width = 64, .height = 64};
    exray_status status = EXRAY_OK;
    for (int i = 0; i < frames; i++) {
        exray_recorder_frame_begin(recorder, "x");
        exray_recorder_log_image(recorder, "camera", &media, picture, sizeof picture);
        status = exray_recorder_frame_end(recorder);
    }
    return status;
}

#define CHECK(condition)                                                                                     \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                          \
            return 1;                                                                                        \
        }                                                                                                    \
    } while (0)

/* ---- Signals ---- */

static exray_recorder_config how(int mode)
{
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.stream = mode == 1;
    config.ring_size = mode == 2 ? 1 << 20 : 0;
    return config;
}

/* A FIFO whose reader leaves after a few bytes: the log ends, the application goes on. */
static int write_to_fifo(void *mode)
{
    const exray_recorder_config config = how(*(int *)mode);
    exray_recorder recorder;
    CHECK(exray_recorder_open_file(&recorder, fifo_path, &config) == EXRAY_OK);
    record(&recorder, 40);
    const exray_status closed = exray_recorder_close(&recorder);
    CHECK(closed == EXRAY_E_IO);
    CHECK(strstr(exray_recorder_error_message(&recorder), "Broken pipe"));
    sigset_t pending;
    CHECK(sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE));
    return 0;
}

static void a_reader_that_leaves(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(fifo_path, 0600), 0);
    for (int mode = 0; mode < 3; mode++) {
        const pid_t reader = fork();
        if (reader == 0) {
            char bytes[100];
            const int handle = open(fifo_path, O_RDONLY);
            _exit(read(handle, bytes, sizeof bytes) <= 0);
        }
        assert_int_equal(run(write_to_fifo, &mode), 0);
        waitpid(reader, NULL, 0);
    }
}

static int write_to_socket(void *user, const void *data, size_t size)
{
    const ssize_t n = write(*(int *)user, data, size); /* as applications do: without MSG_NOSIGNAL */
    return n == (ssize_t)size ? 0 : n < 0 ? errno : EXRAY_WRITE_TOOK(n);
}

static int write_to_closed_socket(void *mode)
{
    const exray_recorder_config config = how(*(int *)mode);
    int ends[2];
    exray_recorder recorder;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    CHECK(exray_recorder_open_callback(&recorder, write_to_socket, &ends[0], &config) == EXRAY_OK);
    close(ends[1]);
    record(&recorder, 10);
    CHECK(exray_recorder_close(&recorder) == EXRAY_E_IO);
    return 0;
}

static void a_socket_that_is_closed(void **state)
{
    (void)state;
    for (int mode = 0; mode < 3; mode++)
        assert_int_equal(run(write_to_closed_socket, &mode), 0);
}

static int write_to_busy_socket(void *unused)
{
    (void)unused;
    exray_recorder_config config = how(1);
    int ends[2];
    exray_recorder recorder;
    static uint8_t bytes[1 << 20];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0);
    CHECK(exray_recorder_open_callback(&recorder, write_to_socket, &ends[0], &config) == EXRAY_OK);
    CHECK(record(&recorder, 100) == EXRAY_OK); /* far more than the socket takes */
    CHECK(exray_recorder_dropped(&recorder) > 50);
    FILE *file = fopen(log_path, "wb");
    ssize_t n;
    for (int i = 0; i < 3; i++) { /* the reader comes back, and then it is closed */
        while ((n = read(ends[1], bytes, sizeof bytes)) > 0)
            CHECK(fwrite(bytes, 1, (size_t)n, file) == (size_t)n);
        if (i == 0)
            CHECK(record(&recorder, 1) == EXRAY_OK);
        if (i == 1)
            CHECK(exray_recorder_close(&recorder) == EXRAY_OK);
    }
    fclose(file);
    return 0;
}

static void a_socket_that_is_busy(void **state)
{
    (void)state;
    assert_int_equal(run(write_to_busy_socket, NULL), 0);
    exray_error error;
    exray_log *log = exray_log_open(log_path, &error);
    if (!log)
        fail_msg("%s", error.message);
    assert_null(exray_log_truncated(log));
    assert_in_range(exray_log_frame_count(log), 2, 100);
    assert_int_equal(exray_log_event(log, 0)->kind, EXRAY_EVENT_GAP);
    assert_in_range(exray_log_event(log, 0)->records_lost, 50, 400);
    exray_log_close(log);
}

static int write_beyond_the_limit(void *mode)
{
    const exray_recorder_config config = how(*(int *)mode);
    const struct rlimit limit = {100000, 100000}, none = {RLIM_INFINITY, RLIM_INFINITY};
    exray_recorder recorder;
    (void)none;
    CHECK(exray_recorder_open_file(&recorder, log_path, &config) == EXRAY_OK);
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    CHECK(record(&recorder, 200) == EXRAY_OK); /* nobody stops */
    CHECK(exray_recorder_close(&recorder) == EXRAY_E_NO_SPACE);
    CHECK(strstr(exray_recorder_error_message(&recorder), "File too large"));
    return 0;
}

static void a_file_that_may_not_grow(void **state)
{
    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        assert_int_equal(run(write_beyond_the_limit, &mode), 0);
        exray_error error;
        exray_log *log = exray_log_open(log_path, &error);
        if (!log)
            fail_msg("%s", error.message);
        assert_int_equal(exray_log_damaged(log), 0);
        exray_log_close(log);
        unlink(log_path); /* a log without an end is never overwritten */
    }
}

/* ---- Two recorders, two processes ---- */

/* The second one gets a file of its own. */
static int open_the_same(void *unused)
{
    (void)unused;
    exray_recorder recorder;
    CHECK(exray_recorder_open_file(&recorder, log_path, NULL) == EXRAY_OK);
    char path[sizeof folder + 16];
    snprintf(path, sizeof path, "%s", exray_recorder_path(&recorder));
    CHECK(strcmp(path, log_path) != 0);
    record(&recorder, 1);
    CHECK(exray_recorder_close(&recorder) == EXRAY_OK);
    CHECK(unlink(path) == 0);
    return 0;
}

static size_t frames_of_log(void)
{
    exray_error error;
    exray_log *log = exray_log_open(log_path, &error);
    if (!log)
        fail_msg("%s", error.message);
    assert_null(exray_log_truncated(log));
    const size_t frames = exray_log_frame_count(log);
    exray_log_close(log);
    return frames;
}

static void one_file_has_one_recorder(void **state)
{
    (void)state;
    exray_recorder recorder;
    assert_int_equal(exray_recorder_open_file(&recorder, log_path, NULL), EXRAY_OK);
    record(&recorder, 3);
    assert_int_equal(open_the_same(NULL), 0);
    assert_int_equal(run(open_the_same, NULL), 0);
    record(&recorder, 2);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    assert_int_equal(frames_of_log(), 5);
    assert_int_equal(exray_recorder_open_file(&recorder, log_path, NULL), EXRAY_OK);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    exray_recorder others[2]; /* devices are nobody's */
    for (int i = 0; i < 2; i++)
        assert_int_equal(exray_recorder_open_file(&others[i], "/dev/null", NULL), EXRAY_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(exray_recorder_close(&others[i]), EXRAY_OK);
}

static int use_the_parents(void *recorder)
{
    exray_recorder *r = recorder;
    CHECK(exray_recorder_frame_begin(r, "child") == EXRAY_E_STATE);
    CHECK(strstr(exray_recorder_error_message(r), "forked"));
    CHECK(!exray_recorder_wants(r, EXRAY_KIND_INPUT, 0, NULL));
    CHECK(exray_recorder_event(r, EXRAY_EVENT_USER, "child") == EXRAY_E_STATE);
    CHECK(exray_recorder_close(r) == EXRAY_E_STATE);
    exray_recorder_abandon(r);
    return 0;
}

static void a_child_leaves_its_parents_recorder_alone(void **state)
{
    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        const exray_recorder_config config = how(mode);
        exray_recorder recorder;
        assert_int_equal(exray_recorder_open_file(&recorder, log_path, &config), EXRAY_OK);
        record(&recorder, 3);
        assert_int_equal(run(use_the_parents, &recorder), 0);
        record(&recorder, 2);
        /* A child that lives on does not keep the file from its parent's next recorder. */
        const pid_t child = fork();
        if (child == 0) {
            alarm(5); /* should a check fail */
            pause();
            _exit(0);
        }
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
        assert_int_equal(frames_of_log(), 5);
        assert_int_equal(exray_recorder_open_file(&recorder, log_path, &config), EXRAY_OK);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_that_leaves),
        cmocka_unit_test(a_socket_that_is_closed),
        cmocka_unit_test(a_socket_that_is_busy),
        cmocka_unit_test(a_file_that_may_not_grow),
        cmocka_unit_test(one_file_has_one_recorder),
        cmocka_unit_test(a_child_leaves_its_parents_recorder_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
