/* What the tests of the TensorFlow Lite adapter share: the library and models,
 * or a visible skip. */
#ifndef EXRAY_TEST_TFLITE_SUPPORT_H
#define EXRAY_TEST_TFLITE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <exray/exray.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__aarch64__)
#define TEST_ARCH "aarch64"
#else
#define TEST_ARCH "x86_64"
#endif

typedef struct test_file {
    char path[1024];
    uint8_t *data;
    size_t size;
} test_file;

static inline const char *test_library(void)
{
    const char *named = getenv("EXRAY_TFLITE_LIB_FOR_TESTS");
    const char *path = named ? named : EXRAY_ENGINE_DIR "/tflite-" TEST_ARCH "/libtensorflowlite_c.so";
    if (access(path, R_OK) != 0) {
        print_message("skipped: no TensorFlow Lite library at %s (scripts/bootstrap.sh engine)\n", path);
        skip();
    }
    return path;
}

static inline test_file test_model(const char *name)
{
    test_file file = {"", NULL, 0};
    /* tests/testdata.py alone knows where test data lie. */
    char command[1200];
    snprintf(command, sizeof command, "python3 %s/tests/testdata.py path models/%s", EXRAY_SOURCE_DIR, name);
    FILE *told = popen(command, "r");
    assert_non_null(told);
    assert_non_null(fgets(file.path, sizeof file.path, told));
    pclose(told);
    file.path[strcspn(file.path, "\n")] = '\0';
    FILE *from = fopen(file.path, "rb");
    if (!from) {
        print_message("skipped: no %s (scripts/bootstrap.sh test)\n", file.path);
        skip();
    }
    assert_int_equal(fseek(from, 0, SEEK_END), 0);
    file.size = (size_t)ftell(from);
    rewind(from);
    file.data = malloc(file.size);
    assert_non_null(file.data);
    assert_int_equal(fread(file.data, 1, file.size, from), file.size);
    fclose(from);
    return file;
}

static inline int test_discard(void *user, const void *data, size_t size)
{
    (void)user, (void)data, (void)size;
    return 0;
}

/* A recorder whose bytes are discarded. */
static inline exray_recorder *test_recorder(void)
{
    static exray_recorder recorder;
    assert_int_equal(exray_recorder_open_callback(&recorder, test_discard, NULL, NULL), EXRAY_OK);
    return &recorder;
}

/* The same bytes on every machine. */
static inline void test_fill(uint8_t *data, size_t size, uint32_t seed)
{
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(seed >> 24);
    }
}

#endif
