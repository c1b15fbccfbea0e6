/* When the exposed model takes the deployed one's place, and which tensors of two graphs are the same. */
#include "engines/onnxruntime/graph_match.h"
#include "engines/serving.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <exray/exray.h>
#include <math.h>
#include <string.h>

static char written[1 << 16];
static size_t written_size;

static int keep(void *user, const void *data, size_t size)
{
    (void)user;
    assert_true(written_size + size <= sizeof written);
    memcpy(written + written_size, data, size);
    written_size += size;
    return 0;
}

static bool is_written(const char *text)
{
    for (size_t i = 0; i + strlen(text) <= written_size; i++)
        if (memcmp(written + i, text, strlen(text)) == 0)
            return true;
    return false;
}

static void open_recorder(exray_recorder *recorder)
{
    written_size = 0;
    assert_int_equal(exray_recorder_open_callback(recorder, keep, NULL, NULL), EXRAY_OK);
}

/* ---- Serving --------------------------------------------------------------------------- */

static void serves_after_three_proofs(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_recorder(&recorder);
    xr_serving s = {.allowed = true};
    for (int frame = 0; frame < 40; frame++) {
        bool serves = xr_serving_begin(&s);
        assert_int_equal(serves, frame > 2 && frame != 16 && frame != 32);
        if (!serves)
            xr_serving_compared(&s, &recorder, true);
    }
    exray_recorder_close(&recorder);
    assert_false(is_written("take the deployed one's place"));
}

static void a_difference_ends_it_for_good(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_recorder(&recorder);
    xr_serving s = {.allowed = true};
    for (int frame = 0; frame < 40; frame++) {
        bool serves = xr_serving_begin(&s);
        assert_int_equal(serves, frame > 2 && frame < 16);
        if (!serves)
            xr_serving_compared(&s, &recorder, frame != 16);
    }
    exray_recorder_close(&recorder);
    assert_true(is_written("its outputs differ from the deployed model's"));
}

static void an_option_forbids_it(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_recorder(&recorder);
    xr_serving s = {0};
    for (int frame = 0; frame < 10; frame++) {
        assert_false(xr_serving_begin(&s));
        xr_serving_compared(&s, &recorder, frame < 5);
    }
    exray_recorder_close(&recorder);
    assert_false(is_written("take the deployed one's place"));
    assert_false(xr_serving_trusts("RandomNormal") || xr_serving_trusts("RANDOM_UNIFORM") ||
                 xr_serving_trusts(NULL));
    assert_true(xr_serving_trusts("CONV_2D") && xr_serving_trusts("QLinearConv"));
}

/* ---- Orders of values ---------------------------------------------------------------------- */

enum { N = 2, C = 5, H = 2, W = 3, COUNT = N * C * H * W, BLOCK = 4, PADDED = 8 };

/* The value of an element, by its place in N, C, H, W. */
static float element(int n, int c, int h, int w)
{
    return (float)(1000 * n + 100 * c + 10 * h + w);
}

static void fill(float *described, float *last, float *blocked)
{
    for (int i = 0; i < N * PADDED * H * W; i++)
        blocked[i] = -1;
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++)
            for (int h = 0; h < H; h++)
                for (int w = 0; w < W; w++) {
                    float value = element(n, c, h, w);
                    described[((n * C + c) * H + h) * W + w] = value;
                    last[((n * H + h) * W + w) * C + c] = value;
                    blocked[(((n * (PADDED / BLOCK) + c / BLOCK) * H + h) * W + w) * BLOCK + c % BLOCK] =
                        value;
                }
}

static void orders_of_values(void **state)
{
    (void)state;
    float described[COUNT], last[COUNT], blocked[N * PADDED * H * W], got[COUNT];
    const int64_t shape[] = {N, C, H, W}, stored_last[] = {N, H, W, C}, stored_blocked[] = {N, PADDED, H, W};
    const xr_ort_layout is_last = {.order = XR_ORT_CHANNELS_LAST};
    const xr_ort_layout is_blocked = {.order = XR_ORT_BLOCKED, .block = BLOCK, .channels = C};
    int64_t found[EXRAY_MAX_RANK];
    fill(described, last, blocked);
    xr_ort_described_shape(&is_last, stored_last, 4, found);
    assert_memory_equal(found, shape, sizeof shape);
    xr_ort_described_shape(&is_blocked, stored_blocked, 4, found);
    assert_memory_equal(found, shape, sizeof shape);
    xr_ort_reorder(&is_last, shape, 4, COUNT, sizeof(float), last, got);
    assert_memory_equal(got, described, sizeof got);
    xr_ort_reorder(&is_blocked, shape, 4, COUNT, sizeof(float), blocked, got);
    assert_memory_equal(got, described, sizeof got);
    assert_true(xr_ort_is_padded(&is_blocked) && !xr_ort_is_padded(&is_last));
    xr_ort_drop_padding(&is_blocked, shape, 4, sizeof(float), blocked, got);
    float sum = 0, expected = 0;
    for (int i = 0; i < COUNT; i++) {
        assert_true(got[i] >= 0); /* no padding */
        sum += got[i];
        expected += described[i];
    }
    assert_float_equal(sum, expected, 0);
}

/* ---- Graphs ---------------------------------------------------------------------------------- */

/* Described: in -> Conv a -> Relu b -> Conv c -> Add d (c, b) -> Relu e, Sigmoid f (of d).
 * Deployed: in -> Conv A (= b, blocked) -> Conv B (= d, channels last) -> Relu E, Sigmoid F. */
enum { IN, A, B, CC, D, E, F, TENSORS };

static xr_ort_seen seen_of(const float *data, const int64_t *shape)
{
    xr_ort_seen s = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 4, .data = data, .count = COUNT};
    memcpy(s.shape, shape, 4 * sizeof *shape);
    return s;
}

static void graphs_are_matched_by_what_they_compute(void **state)
{
    (void)state;
    static const char *const names[] = {"in", "a", "b", "c", "d", "e", "f"};
    static const char *const other[] = {"in", "t1", "t2", "t3", "f"};
    const int64_t shape[] = {N, C, H, W}, last[] = {N, H, W, C}, padded[] = {N, PADDED, H, W};
    static float value[TENSORS][COUNT], in_last[TENSORS][COUNT], in_blocks[TENSORS][N * PADDED * H * W];
    exray_tensor_info tensors[TENSORS] = {{0}}, deployed_tensors[5] = {{0}};
    xr_ort_seen seen[TENSORS] = {{0}}, deployed_seen[5] = {{0}};
    for (int t = 0; t < TENSORS; t++) {
        fill(value[t], in_last[t], in_blocks[t]);
        for (int i = 0; i < COUNT; i++) {
            value[t][i] = sinf(value[t][i] * (float)(t + 1));
            in_last[t][i] = sinf(in_last[t][i] * (float)(t + 1));
        }
        for (int i = 0; i < N * PADDED * H * W; i++)
            in_blocks[t][i] = in_blocks[t][i] < 0 ? 0 : sinf(in_blocks[t][i] * (float)(t + 1));
        tensors[t].name = names[t];
        if (t != IN)
            seen[t] = seen_of(value[t], shape);
    }
    for (int t = 0; t < 5; t++)
        deployed_tensors[t].name = other[t];
    deployed_seen[1] = seen_of(in_blocks[B], padded);
    deployed_seen[2] = seen_of(in_last[D], last);
    deployed_seen[3] = seen_of(value[E], shape);
    deployed_seen[4] = seen_of(value[F], shape);
    static const uint32_t at[] = {0, 1, 2, 3, 4, 5, 6}, add[] = {CC, B};
    const exray_node nodes[] = {
        {.op = "Conv", .inputs = &at[IN], .input_count = 1, .outputs = &at[A], .output_count = 1},
        {.op = "Relu", .inputs = &at[A], .input_count = 1, .outputs = &at[B], .output_count = 1},
        {.op = "Conv", .inputs = &at[B], .input_count = 1, .outputs = &at[CC], .output_count = 1},
        {.op = "Add", .inputs = add, .input_count = 2, .outputs = &at[D], .output_count = 1},
        {.op = "Relu", .inputs = &at[D], .input_count = 1, .outputs = &at[E], .output_count = 1},
        {.op = "Sigmoid", .inputs = &at[D], .input_count = 1, .outputs = &at[F], .output_count = 1}};
    const exray_node deployed_nodes[] = {
        {.op = "Conv", .inputs = &at[0], .input_count = 1, .outputs = &at[1], .output_count = 1},
        {.op = "Conv", .inputs = &at[1], .input_count = 1, .outputs = &at[2], .output_count = 1},
        {.op = "Relu", .inputs = &at[2], .input_count = 1, .outputs = &at[3], .output_count = 1},
        {.op = "Sigmoid", .inputs = &at[2], .input_count = 1, .outputs = &at[4], .output_count = 1}};
    const exray_model model = {.tensors = tensors,
                               .tensor_count = TENSORS,
                               .nodes = nodes,
                               .node_count = 6,
                               .inputs = &at[0],
                               .input_count = 1,
                               .outputs = &at[F],
                               .output_count = 1};
    const exray_model deployed = {.tensors = deployed_tensors,
                                  .tensor_count = 5,
                                  .nodes = deployed_nodes,
                                  .node_count = 4,
                                  .inputs = &at[0],
                                  .input_count = 1,
                                  .outputs = &at[4],
                                  .output_count = 1};
    const xr_ort_graph one = {&model, seen}, two = {&deployed, deployed_seen};
    xr_ort_match match[5];
    assert_true(xr_ort_match_graphs(&one, &two, match));
    const uint32_t expected[] = {EXRAY_NO_INDEX, B, D, E, F};
    const xr_ort_order orders[] = {XR_ORT_AS_DESCRIBED, XR_ORT_BLOCKED, XR_ORT_CHANNELS_LAST,
                                   XR_ORT_AS_DESCRIBED, XR_ORT_AS_DESCRIBED};
    for (int t = 0; t < 5; t++) {
        assert_int_equal(match[t].tensor, expected[t]);
        assert_int_equal(match[t].layout.order, orders[t]);
    }
    assert_true(xr_ort_matched_share(&deployed, match) == 1);

    /* Two described tensors of equal values: the operator tells which; where it cannot, none is named. */
    memcpy(value[E], value[D], sizeof value[E]);
    deployed_seen[3] = seen_of(value[E], shape);
    assert_true(xr_ort_match_graphs(&one, &two, match));
    assert_int_equal(match[2].tensor, EXRAY_NO_INDEX); /* Conv: it may be d or e */
    assert_int_equal(match[3].tensor, E);
    /* Values that are all one prove nothing; another number is another tensor. */
    memset(value[B], 0, sizeof value[B]);
    memset(in_blocks[B], 0, sizeof in_blocks[B]);
    assert_true(xr_ort_match_graphs(&one, &two, match));
    assert_int_equal(match[1].tensor, EXRAY_NO_INDEX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_after_three_proofs), cmocka_unit_test(a_difference_ends_it_for_good),
        cmocka_unit_test(an_option_forbids_it), cmocka_unit_test(orders_of_values),
        cmocka_unit_test(graphs_are_matched_by_what_they_compute)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
