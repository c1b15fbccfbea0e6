/* The pure parts of model.operator: functions by what they compute, and where a resize takes values from. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "checks/model/graph/model_constants.h"
#include "checks/model/graph/node_facts.h"
#include "checks/model/graph/pointwise.h"
#include "checks/model/graph/resize_map.h"

static void values_of(double (*function)(double x), double *value)
{
    for (int i = 0; i < XR_POINTS; i++)
        value[i] = function(xr_points[i]);
}

static double gelu(double x)
{
    return x / 2 * (1 + erf(x / sqrt(2)));
}

static double tanh_gelu(double x)
{
    return x / 2 * (1 + tanh(sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
}

static double silu(double x)
{
    return x / (1 + exp(-x));
}

static double leaky(double x)
{
    return x < 0 ? 0.15 * x : x;
}

static double gate(double x)
{
    return fmin(fmax(0.2 * x + 0.5, 0), 1);
}

static double clipped(double x)
{
    return fmin(fmax(x, -0.5), 3);
}

static double eighth(double x)
{
    return x / 8;
}

static double root(double x)
{
    return sqrt(x + 1e-3);
}

static double strange(double x)
{
    return sin(x) * x;
}

static double none(double x)
{
    return x;
}

static void test_functions_have_names(void **state)
{
    static const struct {
        double (*function)(double x);
        const char *words;
    } known[] = {
        {gelu, "GELU (erf)"},
        {tanh_gelu, "tanh GELU"},
        {silu, "SiLU"},
        {leaky, "slope (alpha) 0.15"},
        {gate, "HardSigmoid with alpha 0.2, beta 0.5"},
        {clipped, "clip to -0.5...3"},
        {eighth, "x * 0.125"},
        {root, "square root of x + 0.001"},
        {none, "no function"},
        {strange, "another function"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double value[XR_POINTS];
        char words[100];
        values_of(known[i].function, value);
        assert_int_equal(xr_function_words(value, words, sizeof words), known[i].function != strange);
        assert_non_null(strstr(words, known[i].words));
    }
}

static void test_functions_are_told_apart(void **state)
{
    double (*const functions[])(double) = {gelu, tanh_gelu, silu, leaky, gate, clipped, eighth, root, none};
    (void)state;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
            double a[XR_POINTS], b[XR_POINTS];
            values_of(functions[i], a);
            values_of(functions[k], b);
            assert_int_equal(xr_same_function(a, b, NULL, NULL), i == k);
        }
}

static void test_a_value_that_is_not_finite_is_no_other(void **state)
{
    double a[XR_POINTS], b[XR_POINTS];
    (void)state;
    values_of(root, a);
    values_of(root, b);
    assert_true(isnan(a[0]) && xr_same_function(a, b, NULL, NULL));
    b[0] = 1;
    assert_false(xr_same_function(a, b, NULL, NULL));
    b[0] = a[0];
    a[12] = INFINITY;
    b[12] = 3.4e38;
    assert_true(xr_same_function(a, b, NULL, NULL));
}

static void test_what_rounding_explains_is_no_other(void **state)
{
    double a[XR_POINTS], b[XR_POINTS], slack[XR_POINTS];
    (void)state;
    values_of(eighth, a);
    for (int i = 0; i < XR_POINTS; i++) {
        b[i] = a[i] * (1 + 0x1p-12);
        slack[i] = fabs(a[i]) * 0x1p-11;
    }
    assert_false(xr_same_function(a, b, NULL, NULL));
    assert_true(xr_same_function(a, b, slack, NULL));
    assert_true(xr_same_function(a, b, NULL, slack));
    const exray_tensor_info half = {.dtype = EXRAY_DTYPE_FLOAT16}, full = {.dtype = EXRAY_DTYPE_FLOAT32};
    assert_true(xr_is_same_constant(&half, -65504, &full, -3.4e38));
    assert_false(xr_is_same_constant(&full, -65504, &full, -3.4e38));
    assert_true(xr_is_same_constant(&half, 0.3625488, &full, 0.3625));
    assert_false(xr_is_same_constant(&half, 0.3635, &full, 0.3625));
}

static void test_attributes_as_numbers(void **state)
{
    const exray_key_value list[] = {
        {"pads", "1,2,3,4"}, {"stride", "(2, 3)"}, {"alpha", "0.25"}, {"mode", "CRD"}, {"on", "True"}};
    const exray_node node = {.op = "Conv", .attributes = list, .attribute_count = 5};
    double number[4];
    (void)state;
    assert_int_equal(xr_attribute_numbers(&node, "pads", number, 4), 4);
    assert_true(number[0] == 1 && number[3] == 4);
    assert_int_equal(xr_attribute_numbers(&node, "stride", number, 4), 2);
    assert_true(number[1] == 3);
    assert_int_equal(xr_attribute_numbers(&node, "mode", number, 4), 0);
    assert_true(xr_attribute_number(&node, "alpha", 1) == 0.25 && xr_attribute_number(&node, "beta", 7) == 7);
    assert_true(xr_attribute_flag(&node, "on", false) && !xr_attribute_flag(&node, "off", false));
    char plain[XR_PLAIN_NAME];
    exray_node_plain_op("QLinearConv", plain, sizeof plain);
    assert_string_equal(plain, "conv");
    exray_node_plain_op("DEPTHWISE_CONV_2D", plain, sizeof plain);
    assert_string_equal(plain, "depthwiseconv2d");
}

/* The same convention under the names of three formats. */
static void test_resize_conventions(void **state)
{
    const exray_key_value half[] = {{"half_pixel_centers", "true"}, {"align_corners", "false"}};
    const exray_key_value onnx[] = {{"mode", "linear"}, {"coordinate_transformation_mode", "half_pixel"}};
    const exray_key_value torch[] = {{"mode", "bilinear"}, {"align_corners", "False"}};
    const exray_key_value corners[] = {{"mode", "linear"},
                                       {"coordinate_transformation_mode", "align_corners"}};
    xr_resize_way way[] = {
        xr_resize_way_of(&(exray_node){.op = "RESIZE_BILINEAR", .attributes = half, .attribute_count = 2},
                         false),
        xr_resize_way_of(&(exray_node){.op = "Resize", .attributes = onnx, .attribute_count = 2}, false),
        xr_resize_way_of(&(exray_node){.op = "Upsample", .attributes = torch, .attribute_count = 2}, true),
        xr_resize_way_of(&(exray_node){.op = "Resize", .attributes = corners, .attribute_count = 2}, false),
    };
    double place[4][12];
    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_true(way[i].known);
        assert_int_equal(xr_resize_places(&way[i], 4, 8, place[i], 12), 8);
    }
    assert_memory_equal(place[0], place[1], 8 * sizeof(double));
    assert_memory_equal(place[0], place[2], 8 * sizeof(double));
    assert_true(place[0][0] == 0 && fabs(place[0][1] - 0.25) < 1e-12);
    assert_true(fabs(place[3][7] - 3) < 1e-12 && fabs(place[3][1] - 3.0 / 7) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_have_names),
        cmocka_unit_test(test_functions_are_told_apart),
        cmocka_unit_test(test_a_value_that_is_not_finite_is_no_other),
        cmocka_unit_test(test_what_rounding_explains_is_no_other),
        cmocka_unit_test(test_attributes_as_numbers),
        cmocka_unit_test(test_resize_conventions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
