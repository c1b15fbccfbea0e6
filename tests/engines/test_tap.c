/* Attaching the tap: libraries that are too old or none, hostile model files,
 * and what it asks of the recorder. */
#define _POSIX_C_SOURCE 200809L
#include "tflite_support.h"

#include "engines/tflite/symbols.h"
#include "models/tflite.h"

#include <exray/tflite.h>

#include <dlfcn.h>

/* A shared library with the functions that `functions` names, and no others, as
 * if it were TensorFlow Lite of that version. */
static void *build_stub(const char *name, const char *version, const char *functions)
{
    char source[512], library[512], command[2048];
    snprintf(source, sizeof source, "%s/%s.c", EXRAY_TEST_DIR, name);
    snprintf(library, sizeof library, "%s/lib%s.so", EXRAY_TEST_DIR, name);
    FILE *file = fopen(source, "w");
    assert_non_null(file);
    fprintf(file, "const char *TfLiteVersion(void) { return \"%s\"; }\n%s\n", version, functions);
    fclose(file);
    snprintf(command, sizeof command, "cc -shared -fPIC -o '%s' '%s'", library, source);
    if (system(command) != 0) {
        print_message("skipped: no C compiler `cc` to build a stub library with\n");
        skip();
    }
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(handle);
    return handle;
}

static void expect_attach_fails(void *library, const char *const *says)
{
    exray_recorder *recorder = test_recorder();
    int untouched = 0; /* stands for options; the call must fail before it looks at them */
    exray_tflite_config config = {.size = sizeof(exray_tflite_config), .library = library};
    assert_int_equal(exray_tflite_attach(recorder, (void *)&untouched, &config), EXRAY_E_ENGINE);
    assert_int_equal(exray_recorder_error_status(recorder), EXRAY_E_ENGINE);
    const char *message = exray_recorder_error_message(recorder);
    assert_null(strchr(message, '\n'));
    for (; *says; says++)
        if (!strstr(message, *says))
            fail_msg("\"%s\" does not say \"%s\"", message, *says);
    assert_int_equal(exray_recorder_close(recorder), EXRAY_E_ENGINE);
}

static void an_old_library_is_told(void **state)
{
    (void)state;
    /* 2.9.0 has neither opaque delegates nor the telemetry profiler. */
    void *library = build_stub("tflite_2_9_0", "2.9.0", "");
    expect_attach_fails(library, (const char *const[]){"TensorFlow Lite 2.9.0", "tflite_2_9_0.so",
                                                       "TfLiteOpaqueDelegateCreate", "2.14", NULL});
    dlclose(library);
    library = build_stub("tflite_half", "2.12.0",
                         "void TfLiteOpaqueDelegateCreate(void) {} void TfLiteOpaqueDelegateDelete(void) {}\n"
                         "void TfLiteInterpreterOptionsAddDelegate(void) {}");
    expect_attach_fails(library, (const char *const[]){
                                     "2.12.0", "TfLiteInterpreterOptionsSetTelemetryProfiler", "2.14", NULL});
    dlclose(library);
    const char *real = getenv("EXRAY_TFLITE_OLD_LIB_FOR_TESTS");
    if (real && (library = dlopen(real, RTLD_NOW | RTLD_LOCAL))) {
        expect_attach_fails(library, (const char *const[]){"TfLiteOpaqueDelegateCreate", "2.14", NULL});
        dlclose(library);
    }
}

static void no_library_is_told(void **state)
{
    (void)state;
    expect_attach_fails(NULL, (const char *const[]){"no TensorFlow Lite found", "libtensorflowlite_c", NULL});
}

static void older_names_are_found(void **state)
{
    (void)state;
    /* Version 2.14 calls operators "RegistrationExternal". */
    char functions[8192] = "";
    size_t used = 0;
#define OLD_FUNCTION(result, name, older, arguments)                                                         \
    if (strcmp(#older, "Version") != 0)                                                                      \
        used +=                                                                                              \
            (size_t)snprintf(functions + used, sizeof functions - used, "void TfLite" #older "(void) {}\n");
    XR_TFLITE_TAP_FUNCTIONS(OLD_FUNCTION)
#undef OLD_FUNCTION
    assert_true(used < sizeof functions);
    void *library = build_stub("tflite_2_14_0", "2.14.0", functions);
    xr_tflite_tap_api api;
    exray_error error = {EXRAY_OK, ""};
    assert_int_equal(xr_tflite_find_tap(library, &api, &error), EXRAY_OK);
    assert_string_equal(api.Version(), "2.14.0");
    void *expected = dlsym(library, "TfLiteRegistrationExternalGetBuiltInCode"), *found;
    memcpy(&found, &api.OperatorGetBuiltInCode, sizeof found);
    assert_ptr_equal(found, expected);
    dlclose(library);
}

static void a_recorder_that_failed_stays_as_it_is(void **state)
{
    (void)state;
    void *library = dlopen(test_library(), RTLD_NOW | RTLD_LOCAL);
    assert_non_null(library);
    exray_recorder *recorder = test_recorder();
    int untouched = 0;
    exray_tflite_config config = {.size = sizeof(exray_tflite_config), .library = library};
    assert_int_equal(exray_tflite_attach(recorder, NULL, &config), EXRAY_E_ARGUMENT);
    exray_recorder_close(recorder);
    assert_int_equal(exray_tflite_attach(recorder, (void *)&untouched, &config), EXRAY_E_ARGUMENT);
    dlclose(library);
}

static void hostile_files_are_counted_as_nothing(void **state)
{
    (void)state;
    test_file model = test_model("micro_speech_int8.tflite");
    assert_int_equal(xr_tflite_subgraph_count(model.data, model.size), 1);
    uint32_t seed = 1;
    for (size_t size = 0; size < model.size; size = size < 600 ? size + 1 : size + 97) {
        uint8_t *exact = malloc(size ? size : 1); /* a sanitizer sees a read beyond it */
        assert_non_null(exact);
        memcpy(exact, model.data, size);
        assert_true(xr_tflite_subgraph_count(exact, size) <= 1);
        for (int k = 0; k < 50 && size > 8; k++) {
            memcpy(exact, model.data, size);
            for (int i = 0; i < 3; i++) {
                seed = seed * 1664525u + 1013904223u;
                size_t at = (seed >> 8) % (size < 200 ? size : 200);
                if (at < 4 || at >= 8)
                    exact[at] = (uint8_t)(seed >> 24);
            }
            uint32_t count = xr_tflite_subgraph_count(exact, size);
            assert_true(count <= size / 4);
        }
        free(exact);
    }
    free(model.data);
}

static void operators_have_their_names(void **state)
{
    (void)state;
    assert_string_equal(xr_tflite_op_name(3), "CONV_2D");
    assert_string_equal(xr_tflite_op_name(25), "SOFTMAX");
    assert_string_equal(xr_tflite_op_name(119), "WHILE");
    assert_string_equal(xr_tflite_op_name(-1), "UNKNOWN");
    assert_string_equal(xr_tflite_op_name(100000), "UNKNOWN");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_library_is_told),
        cmocka_unit_test(no_library_is_told),
        cmocka_unit_test(older_names_are_found),
        cmocka_unit_test(a_recorder_that_failed_stays_as_it_is),
        cmocka_unit_test(hostile_files_are_counted_as_nothing),
        cmocka_unit_test(operators_have_their_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
