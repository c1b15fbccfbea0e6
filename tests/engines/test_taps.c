/* What the taps of LiteRT and ONNX Runtime are made of, without an engine: how far outputs are
 * apart, how profiles are read, and the errors where the engine is missing. */
#define _POSIX_C_SOURCE 200809L
#include "engines/agreement.h"
#include "engines/onnxruntime/ort.h"
#include "engines/onnxruntime/profile_text.h"
#include "tflite_support.h"

#include <exray/litert.h>
#include <exray/onnxruntime.h>
#include <math.h>

/* ---- Agreement ------------------------------------------------------------------------ */

static xr_agreement agree(const exray_tensor_info *info, const void *a, const void *b, size_t size)
{
    xr_agreement all = {.frames = 1};
    xr_agreement_add(&all, 7, info, a, b, size);
    return all;
}

static void outputs_that_are_equal(void **state)
{
    (void)state;
    const float a[3] = {1, NAN, -4};
    const exray_tensor_info info = {
        .name = "y", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = (int64_t[]){3}};
    xr_agreement all = agree(&info, a, a, sizeof a);
    assert_string_equal(all.output, "");
    assert_true(all.largest == 0 && all.excess == 0);
}

static void floats_have_noise(void **state)
{
    (void)state;
    float a[300], b[300];
    for (int i = 0; i < 300; i++)
        a[i] = b[i] = (float)i; /* of range 299: noise is up to 2.99e-3 */
    const exray_tensor_info info = {
        .name = "y", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = (int64_t[]){3, 100}};
    b[299] += 0.001f;
    xr_agreement all = agree(&info, a, b, sizeof a);
    assert_string_equal(all.output, "y");
    assert_true(all.excess > 0.3 && all.excess < 0.36 && all.first == 7);
    assert_true(fabs(all.range - 299) < 1e-9 && fabs(all.max_abs - 0.001) < 1e-4);
    b[280] += 1;
    all = agree(&info, a, b, sizeof a);
    assert_true(all.excess > 300 && fabs(all.max_abs - 1) < 1e-9);
    b[2] = NAN;
    all = agree(&info, a, b, sizeof a);
    assert_true(isinf(all.excess) && isinf(all.max_abs));
}

static void a_step_of_a_scale_is_noise(void **state)
{
    (void)state;
    const int8_t a[4] = {0, 10, 20, 30}, b[4] = {0, 11, 20, 30}, c[4] = {0, 10, 20, 32};
    const float scale[2] = {0.5f, 0.25f};
    exray_tensor_info info = {.name = "q",
                              .dtype = EXRAY_DTYPE_INT8,
                              .rank = 2,
                              .shape = (int64_t[]){2, 2},
                              .quantization = {.count = 2, .axis = 0, .scale = scale}};
    xr_agreement all = agree(&info, a, b, sizeof a);
    assert_true(all.excess > 0.9 && all.excess <= 1 && fabs(all.max_abs - 0.5) < 1e-9);
    all = agree(&info, a, c, sizeof a);
    assert_true(all.excess <= 1 && fabs(all.max_abs - 0.5) < 1e-9); /* two steps of the finer scale */
    info.quantization.count = 1;
    all = agree(&info, a, c, sizeof a);
    assert_true(all.excess > 1.9 && fabs(all.max_abs - 1) < 1e-9);
    info.quantization.count = 0; /* whole numbers, such as classes, have no noise */
    all = agree(&info, a, b, sizeof a);
    assert_true(isinf(all.excess) && fabs(all.max_abs - 1) < 1e-9);
}

static void what_has_no_measure_differs(void **state)
{
    (void)state;
    const exray_tensor_info text = {
        .name = "s", .dtype = EXRAY_DTYPE_STRING, .rank = 1, .shape = (int64_t[]){1}};
    xr_agreement all = agree(&text, "ab", "ac", 2);
    assert_true(isinf(all.excess));
    /* A shape that its bytes do not fill is not read beyond them. */
    const exray_tensor_info large = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = (int64_t[]){1000000}};
    const float a = 1, b = 2;
    all = agree(&large, &a, &b, sizeof a);
    assert_true(isinf(all.excess));
    assert_string_equal(all.output, "unnamed");
    xr_agreement_add_misfit(&all, 9, "other");
    assert_string_equal(all.output, "unnamed");
    assert_int_equal(all.first, 7);
}

/* ---- Profiles --------------------------------------------------------------------------- */

typedef struct events {
    xr_ort_event of[8];
    size_t count;
} events;

static void keep(void *user, const xr_ort_event *event)
{
    events *all = user;
    assert_true(all->count < 8);
    all->of[all->count++] = *event;
}

static events read_text(const char *text)
{
    events all = {.count = 0};
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    fflush(file);
    assert_int_equal(lseek(fileno(file), 0, SEEK_SET), 0);
    xr_ort_read_profile(fileno(file), keep, &all);
    fclose(file);
    return all;
}

static void a_profile_is_read(void **state)
{
    (void)state;
    events all = read_text(
        "[\n{\"cat\" : \"Session\",\"dur\" :519,\"ts\" :5,\"name\" :\"x_kernel_time\",\"args\" : {}},\n"
        "{\"cat\" : \"Node\",\"dur\" :120,\"ts\" :700,\"name\" :\"conv\\\"1\\\"_nchwc_kernel_time\",\"args\" "
        ": "
        "{\"name\" : \"y_kernel_time\",\"dur\":9,\"shape\" : [{\"float\":[1,3]}]}},\n"
        "{\"args\":{\"cat\":\"Session\"},\"ts\":830.5,\"dur\":15,\"name\":\"a/"
        "b_token_17_kernel_time\",\"cat\":\"Node\"},\n"
        "{\"cat\" : \"Node\",\"dur\" :1,\"ts\" :900,\"name\" :\"fence_before\"},\n"
        "{\"cat\" : \"Node\",\"dur\" :-1,\"ts\" :900,\"name\" :\"n_kernel_time\"},\n"
        "{\"cat\" : \"Node\",\"ts\" :900,\"name\" :\"n_kernel_time\"}]\n");
    assert_int_equal(all.count, 2);
    assert_string_equal(all.of[0].name, "conv\"1\"");
    assert_int_equal(all.of[0].duration_ns, 120000);
    assert_int_equal(all.of[0].start_ns, 0);
    assert_string_equal(all.of[1].name, "a/b");
    assert_int_equal(all.of[1].start_ns, 130500);
    assert_int_equal(read_text("").count, 0);
    assert_int_equal(read_text("]}]}{{{{\"cat").count, 0);
}

/* ---- Attaching ---------------------------------------------------------------------------- */

static const char *old_version(void)
{
    return "1.12.0";
}

static const xr_ort_function *no_table(uint32_t version)
{
    (void)version;
    return NULL;
}

static void expect(exray_recorder *recorder, exray_status status, exray_status expected, const char *says)
{
    assert_int_equal(status, expected);
    assert_int_equal(exray_recorder_error_status(recorder), expected);
    const char *message = exray_recorder_error_message(recorder);
    assert_null(strchr(message, '\n'));
    if (!strstr(message, says))
        fail_msg("\"%s\" does not say \"%s\"", message, says);
    assert_int_equal(exray_recorder_close(recorder), expected);
}

static void an_old_onnxruntime_is_told(void **state)
{
    (void)state;
    const OrtApiBase base = {no_table, old_version};
    int session = 0; /* the call must fail before it looks at it */
    const exray_ort_config config = {.size = sizeof(exray_ort_config), .model_file = "model.onnx"};
    exray_recorder *recorder = test_recorder();
    expect(recorder, exray_ort_attach(recorder, &base, (void *)&session, &config), EXRAY_E_ENGINE, "1.12.0");
    recorder = test_recorder();
    expect(recorder, exray_ort_attach(recorder, NULL, (void *)&session, &config), EXRAY_E_ARGUMENT, "NULL");
    recorder = test_recorder();
    expect(recorder, exray_ort_attach(recorder, &base, NULL, &config), EXRAY_E_ARGUMENT, "NULL");
}

static void no_litert_is_told(void **state)
{
    (void)state;
    const exray_litert_config config = {.size = sizeof(exray_litert_config), .model_file = "model.tflite"};
    exray_recorder *recorder = test_recorder();
    expect(recorder, exray_litert_attach(recorder, NULL, &config), EXRAY_E_ENGINE, "no LiteRT found");
    recorder = test_recorder();
    expect(recorder, exray_litert_attach(recorder, NULL, NULL), EXRAY_E_ARGUMENT, "NULL");
    /* A run without the function is a failed one, and no crash. */
    recorder = test_recorder();
    assert_int_equal(exray_litert_run(recorder, NULL, 0, 0, NULL, 0, NULL), -1);
    exray_recorder_close(recorder);
    assert_int_equal(exray_litert_run(recorder, NULL, 0, 0, NULL, 0, NULL), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_that_are_equal),     cmocka_unit_test(floats_have_noise),
        cmocka_unit_test(a_step_of_a_scale_is_noise), cmocka_unit_test(what_has_no_measure_differs),
        cmocka_unit_test(a_profile_is_read),          cmocka_unit_test(an_old_onnxruntime_is_told),
        cmocka_unit_test(no_litert_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
