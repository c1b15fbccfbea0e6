/* The engine "tflite" behind engine.h: what it computes with and without a recorder, and its errors. */
#define _POSIX_C_SOURCE 200809L
#include "tflite_support.h"

#include "engines/engine.h"

static const xr_engine *tflite(void)
{
    const xr_engine *engine = xr_engine_by_name("tflite");
    assert_non_null(engine);
    return engine;
}

static void one_line(const char *message)
{
    assert_true(strlen(message) > 10);
    assert_null(strchr(message, '\n'));
}

static void expect_open_fails(const xr_session_config *config, exray_status status, const char *says)
{
    exray_error error;
    xr_session *session = tflite()->open(config, &error);
    assert_null(session);
    assert_int_equal(error.status, status);
    one_line(error.message);
    if (!strstr(error.message, says))
        fail_msg("\"%s\" does not say \"%s\"", error.message, says);
}

static size_t tensor_bytes(const exray_tensor_info *info)
{
    size_t size = exray_dtype_bits(info->dtype) / 8;
    for (uint32_t i = 0; i < info->rank; i++)
        size *= (size_t)info->shape[i];
    return size;
}

static xr_session *open_model(const test_file *model, const char *kernels, exray_recorder *recorder)
{
    xr_session_config config = {.model_path = model->path,
                                .model_data = model->data,
                                .model_size = model->size,
                                .kernels = kernels,
                                .library = test_library(),
                                .recorder = recorder};
    exray_error error;
    xr_session *session = tflite()->open(&config, &error);
    if (!session)
        fail_msg("%s", error.message);
    return session;
}

static void set_inputs(xr_session *session, uint32_t seed)
{
    exray_error error;
    const exray_tensor_info *info;
    for (uint32_t i = 0; (info = tflite()->input(session, i)); i++) {
        size_t size = tensor_bytes(info);
        uint8_t *data = malloc(size);
        assert_non_null(data);
        test_fill(data, size, seed + i);
        assert_int_equal(tflite()->set_input(session, i, data, size, &error), EXRAY_OK);
        free(data);
    }
}

/* Runs twice and hashes all outputs. */
static void digest(xr_session *session, uint8_t out[2][32])
{
    exray_error error;
    for (uint32_t run = 0; run < 2; run++) {
        set_inputs(session, run);
        assert_int_equal(tflite()->run(session, &error), EXRAY_OK);
        uint8_t all[8][32] = {{0}};
        uint32_t count = 0;
        for (; count < 8 && tflite()->output(session, count); count++) {
            size_t size;
            const void *data = tflite()->output_data(session, count, &size);
            assert_int_equal(size, tensor_bytes(tflite()->output(session, count)));
            exray_sha256(data, size, all[count]);
        }
        assert_true(count > 0);
        exray_sha256(all, sizeof all, out[run]);
    }
}

static int discard(void *user, const void *data, size_t size)
{
    (void)data;
    *(size_t *)user += size;
    return 0;
}

static void outputs_are_equal_with_the_tap_on_and_off(void **state)
{
    (void)state;
    static const char *const names[] = {"mobilenet_v1_0.25_224_uint8.tflite",
                                        "ssd_mobilenet_v1_coco_300_uint8.tflite",
                                        "efficientnet_lite0_float.tflite"};
    static const char *const kernels[] = {"builtin", "xnnpack"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < 2; k++) {
            test_file model = test_model(names[i]);
            uint8_t bare[2][32], tapped[2][32];
            xr_session *session = open_model(&model, kernels[k], NULL);
            digest(session, bare);
            tflite()->close(session);
            for (int capture = EXRAY_CAPTURE_OFF; capture <= EXRAY_CAPTURE_FULL; capture++) {
                static exray_recorder recorder;
                size_t written = 0;
                exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                                .capture = (exray_capture)capture};
                assert_int_equal(exray_recorder_open_callback(&recorder, discard, &written, &config),
                                 EXRAY_OK);
                session = open_model(&model, kernels[k], &recorder);
                digest(session, tapped);
                tflite()->close(session);
                assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
                assert_memory_equal(tapped, bare, sizeof bare);
                assert_true(written > 0);
            }
            free(model.data);
        }
}

static void recorders_do_not_mix(void **state)
{
    (void)state;
    test_file model = test_model("micro_speech_int8.tflite");
    static exray_recorder recorders[2];
    xr_session *sessions[2];
    size_t written[2] = {0, 0};
    uint8_t digests[2][2][32];
    for (int i = 0; i < 2; i++) {
        exray_recorder_config config = {.size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_FULL};
        assert_int_equal(exray_recorder_open_callback(&recorders[i], discard, &written[i], &config),
                         EXRAY_OK);
        sessions[i] = open_model(&model, "builtin", &recorders[i]);
    }
    digest(sessions[0], digests[0]);
    digest(sessions[1], digests[1]);
    assert_memory_equal(digests[0], digests[1], sizeof digests[0]);
    /* In either order: the recorder first, or the interpreter. */
    assert_int_equal(exray_recorder_close(&recorders[0]), EXRAY_OK);
    exray_error error;
    assert_int_equal(tflite()->run(sessions[0], &error), EXRAY_OK); /* unobserved, and harmless */
    tflite()->close(sessions[0]);
    tflite()->close(sessions[1]);
    assert_int_equal(exray_recorder_close(&recorders[1]), EXRAY_OK);
    /* The same records in both; times take a byte more or less. */
    assert_true(written[0] > 10000 && written[0] < written[1] + 200 && written[1] < written[0] + 200);
    free(model.data);
}

static void what_is_not_a_model_is_told(void **state)
{
    (void)state;
    const char *library = test_library();
    test_file model = test_model("mobilenet_v1_0.25_224_uint8.tflite");
    xr_session_config config = {.model_path = "some.tflite", .model_data = model.data, .library = library};
    static const size_t cuts[] = {0, 1, 4, 7, 8, 9, 31, 32, 100, 1000, 5000};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        config.model_size = cuts[i];
        /* Of its exact size, so that a read beyond it is found. */
        uint8_t *exact = malloc(cuts[i] ? cuts[i] : 1);
        assert_non_null(exact);
        memcpy(exact, model.data, cuts[i]);
        config.model_data = exact;
        expect_open_fails(&config, EXRAY_E_FORMAT, "some.tflite");
        free(exact);
    }
    config.model_data = model.data;
    /* (At its very end the file has a zip with the labels, which the model does not need.) */
    for (uint32_t percent = 1; percent < 96; percent += 7) {
        config.model_size = model.size * percent / 100;
        expect_open_fails(&config, EXRAY_E_FORMAT, "some.tflite");
    }
    config.model_size = model.size;
    model.data[4] = 'X';
    expect_open_fails(&config, EXRAY_E_FORMAT, "TFL3");
    model.data[4] = 'T';
    memset(model.data, 0xFF, 4); /* the root table is far outside */
    expect_open_fails(&config, EXRAY_E_FORMAT, "is not a TensorFlow Lite model");
    uint8_t noise[4096];
    test_fill(noise, sizeof noise, 1);
    config.model_data = noise;
    config.model_size = sizeof noise;
    expect_open_fails(&config, EXRAY_E_FORMAT, "TFL3");
    free(model.data);
}

static void wrong_calls_are_told(void **state)
{
    (void)state;
    test_file model = test_model("micro_speech_int8.tflite");
    xr_session_config config = {.model_path = model.path,
                                .model_data = model.data,
                                .model_size = model.size,
                                .kernels = "reference",
                                .library = test_library()};
    expect_open_fails(&config, EXRAY_E_ARGUMENT, "\"reference\"");
    xr_session *session = open_model(&model, NULL, NULL);
    exray_error error;
    uint8_t byte = 0;
    assert_int_equal(tflite()->set_input(session, 0, &byte, 1, &error), EXRAY_E_ARGUMENT);
    one_line(error.message);
    assert_non_null(strstr(error.message, "1960"));
    assert_int_equal(tflite()->set_input(session, 7, &byte, 1, &error), EXRAY_E_ARGUMENT);
    one_line(error.message);
    assert_null(tflite()->input(session, 1));
    assert_null(tflite()->output(session, 1));
    tflite()->close(session);
    tflite()->close(NULL);
    assert_null(xr_engine_by_name("nothing"));
    assert_null(xr_engine_by_name(NULL));
    free(model.data);
}

static void a_missing_library_is_told(void **state)
{
    (void)state;
    xr_engine_info info;
    tflite()->probe("/nonexistent/libtensorflowlite_c.so", &info);
    assert_false(info.found);
    one_line(info.problem);
    assert_non_null(strstr(info.problem, "/nonexistent"));

    test_file model = test_model("micro_speech_int8.tflite");
    xr_session_config config = {.model_path = model.path,
                                .model_data = model.data,
                                .model_size = model.size,
                                .library = "/nonexistent/libtensorflowlite_c.so"};
    expect_open_fails(&config, EXRAY_E_ENGINE, "/nonexistent");
    config.library = NULL;
    assert_int_equal(setenv("EXRAY_TFLITE_LIB", "/nowhere/lib.so", 1), 0);
    expect_open_fails(&config, EXRAY_E_ENGINE, "EXRAY_TFLITE_LIB");
    assert_int_equal(setenv("EXRAY_TFLITE_LIB", test_library(), 1), 0);
    exray_error error;
    xr_session *session = tflite()->open(&config, &error);
    assert_non_null(session);
    tflite()->close(session);
    unsetenv("EXRAY_TFLITE_LIB");
    free(model.data);
}

static void the_library_is_described(void **state)
{
    (void)state;
    xr_engine_info info;
    tflite()->probe(test_library(), &info);
    assert_true(info.found);
    assert_string_equal(info.problem, "");
    assert_string_equal(info.library, test_library());
    assert_true(info.version[0] >= '0' && info.version[0] <= '9');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_are_equal_with_the_tap_on_and_off),
        cmocka_unit_test(recorders_do_not_mix),
        cmocka_unit_test(what_is_not_a_model_is_told),
        cmocka_unit_test(wrong_calls_are_told),
        cmocka_unit_test(a_missing_library_is_told),
        cmocka_unit_test(the_library_is_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
