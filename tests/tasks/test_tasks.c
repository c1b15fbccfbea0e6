/* What outputs mean, and measures whose values were computed by hand. */
#include "tasks/builtin_tasks.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static exray_result decide(const char *task, const exray_task_options *options,
                           const exray_task_output *outputs, size_t count, exray_told *told,
                           exray_status expected)
{
    exray_result result;
    exray_error error;
    assert_int_equal(exray_task_named(task)->decide(options, outputs, count, told, &result, &error),
                     expected);
    return result;
}

static exray_task_measure measure_of(const char *task, const exray_result *told, const exray_result *other,
                                     size_t frames, const char *name, const char *group)
{
    const exray_task *t = exray_task_named(task);
    const exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    exray_task_measure found[128];
    void *state = t->begin(&options);
    assert_non_null(state);
    for (size_t f = 0; f < frames; f++)
        t->compare(state, &told[f], &other[f]);
    const size_t count = t->measure(state, found, 128);
    t->end(state);
    for (size_t i = 0; i < count; i++)
        if (strcmp(found[i].name, name) == 0 && strcmp(found[i].group, group) == 0)
            return found[i];
    fail_msg("no measure %s of %s", name, group);
    return found[0];
}

static void assert_near(double value, double wanted)
{
    if (!(fabs(value - wanted) < 1e-6))
        fail_msg("%.9g is not %.9g", value, wanted);
}

static void test_classification(void **state)
{
    (void)state;
    static const int64_t shape[] = {1, 6};
    static const float values[] = {0.1F, NAN, 0.3F, 0.3F, -1, 0.2F};
    static const char *const labels[] = {"a", "b"};
    const exray_tensor_info info = {.name = "y", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = shape};
    const exray_task_output output = {&info, values, 6};
    exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    options.label_offset = 1;
    options.labels = labels;
    options.label_count = 2;
    exray_told *told = exray_told_new();
    exray_result r = decide("classification", &options, &output, 1, told, EXRAY_OK);
    assert_int_equal(r.class_count, 5); /* of equal ones the first; no NaN */
    static const int64_t ids[] = {1, 2, 4, -1, 3};
    for (int i = 0; i < 5; i++)
        assert_int_equal(r.classes[i].id, ids[i]);
    assert_string_equal(r.classes[0].label, "b");
    assert_null(r.classes[1].label);
    const exray_task_output two[2] = {output, output};
    decide("classification", &options, two, 2, told, EXRAY_E_UNSUPPORTED);
    exray_told_free(told);

    const exray_class one[] = {{1, 1, NULL}, {2, 0, NULL}}, other[] = {{2, 1, NULL}, {1, 0, NULL}};
    const exray_class truth = {2, 0, NULL};
    const exray_result a[2] = {{.classes = one, .class_count = 2}, {.classes = one, .class_count = 2}};
    const exray_result b[2] = {{.classes = other, .class_count = 2}, {.classes = one, .class_count = 2}};
    const exray_result t[2] = {{.classes = &truth, .class_count = 1}, {.classes = &truth, .class_count = 1}};
    assert_near(measure_of("classification", a, b, 2, "top1", "").value, 0.5);
    assert_near(measure_of("classification", a, b, 2, "top5", "").value, 1);
    assert_near(measure_of("classification", a, t, 2, "top1", "").value, 0);
    assert_near(measure_of("classification", a, t, 2, "top5", "").value, 1);
}

static void test_detection(void **state)
{
    (void)state;
    static const int64_t shapes[4][3] = {{1, 2, 4}, {1, 2}, {1, 2}, {1}};
    static const uint32_t ranks[4] = {3, 2, 2, 1};
    static const float boxes[] = {0.1F, 0.2F, 0.3F, 0.4F, 0, 0, 1, 1}, classes[] = {3, 0},
                       scores[] = {0.9F, 0.2F};
    static const float count[] = {1};
    const float *const values[4] = {boxes, classes, scores, count};
    exray_tensor_info info[4];
    exray_task_output outputs[4];
    const exray_tensor_info *infos[4];
    for (int i = 0; i < 4; i++) {
        info[i] = (exray_tensor_info){.dtype = EXRAY_DTYPE_FLOAT32, .rank = ranks[i], .shape = shapes[i]};
        outputs[i] = (exray_task_output){infos[i] = &info[i], values[i], xr_task_elements(&info[i])};
    }
    const exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    char why[200] = "";
    assert_true(xr_task_detection.fits(&options, infos, 4, why, sizeof why));
    assert_false(xr_task_detection.fits(&options, infos, 3, why, sizeof why));
    exray_told *told = exray_told_new();
    const exray_result r = decide("detection", &options, outputs, 4, told, EXRAY_OK);
    assert_int_equal(r.box_count, 1);
    assert_true(r.boxes[0].x_min == 0.2F && r.boxes[0].y_min == 0.1F && r.boxes[0].id == 3);
    exray_told_free(told);

    /* One pair, of 0.8 and 0.6 (IoU 0.8); one box of another class, 0.5; one without a partner, 0.1. */
    const exray_box a[] = {{.x_max = 1, .y_max = 1, .id = 1, .score = 0.8F, .label = "cat"},
                           {.x_max = 1, .y_max = 1, .id = 2, .score = 0.5F}};
    const exray_box b[] = {{.x_max = 1, .y_max = 0.8F, .id = 1, .score = 0.6F},
                           {.x_max = 0.1F, .y_max = 0.1F, .id = 1, .score = 0.1F},
                           {.x_max = NAN, .y_max = 1, .id = -5, .score = NAN}};
    const exray_result told_a = {.boxes = a, .box_count = 2}, told_b = {.boxes = b, .box_count = 3};
    assert_near(measure_of("detection", &told_a, &told_b, 1, "boxes", "").value, 1.2 / 2.0);
    assert_near(measure_of("detection", &told_a, &told_b, 1, "boxes", "cat").value, 1.2 / 1.5);
    assert_near(measure_of("detection", &told_a, &told_b, 1, "boxes", "class 2").value, 0);
    assert_near(measure_of("detection", &told_a, &told_a, 1, "boxes", "").value, 1);
}

static void test_segmentation(void **state)
{
    (void)state;
    static const int64_t shape[] = {1, 2, 2, 3};
    static const float values[] = {1, 0, 0, 0, 0, 5, 0, 2, 1, -3, -2, -1};
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 4, .shape = shape};
    const exray_task_output output = {&info, values, 12};
    const exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    exray_told *told = exray_told_new();
    const exray_result r = decide("segmentation", &options, &output, 1, told, EXRAY_OK);
    assert_int_equal(r.mask->size, 4);
    assert_memory_equal(r.mask->ids, "\0\2\1\2", 4);
    exray_told_free(told);

    /* Class 0: 1 of 2; 1: 1 of 2; 2: 1 of 1; the ignored pixel does not count. */
    static const uint8_t one[] = {0, 1, 2, 2}, other[] = {0, 0, 2, 255};
    const exray_mask masks[2] = {{2, 2, one, 4, false}, {2, 2, other, 4, false}};
    const exray_result a = {.mask = &masks[0]}, b = {.mask = &masks[1]};
    assert_near(measure_of("segmentation", &a, &b, 1, "miou", "").value, (0.5 + 0 + 1) / 3);
    assert_near(measure_of("segmentation", &a, &b, 1, "pixels", "").value, 2.0 / 3);
    assert_near(measure_of("segmentation", &a, &b, 1, "iou", "class 2").value, 1);

    /* A boundary two pixels to the right. */
    static const uint8_t left[8] = {1, 1, 0, 0, 0, 0, 0, 0}, right[8] = {1, 1, 1, 1, 0, 0, 0, 0};
    const exray_mask strips[2] = {{8, 1, left, 8, false}, {8, 1, right, 8, false}};
    const exray_result c = {.mask = &strips[0]}, d = {.mask = &strips[1]};
    assert_near(measure_of("segmentation", &c, &d, 1, "boundary_shift", "").value, 2);
    assert_near(measure_of("segmentation", &c, &d, 1, "pixels", "").value, 0.75);
    /* A lying size, an empty one. */
    const exray_mask lying = {1000, 1000, left, 8, false};
    const exray_result e = {.mask = &lying};
    assert_true(isnan(measure_of("segmentation", &e, &c, 1, "pixels", "").value));
    assert_true(isnan(measure_of("segmentation", &c, &e, 1, "pixels", "").value));
}

static void test_text(void **state)
{
    (void)state;
    static const int64_t shape[] = {1, 6, 3};
    /* The blank is 0; a a - a b b. */
    static const float steps[] = {0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1};
    static const char *const labels[] = {"a", "\xC3\xA9"};
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 3, .shape = shape};
    const exray_task_output output = {&info, steps, 18};
    exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    options.label_offset = 1;
    options.labels = labels;
    options.label_count = 2;
    exray_told *told = exray_told_new();
    decide("text", &options, &output, 1, told, EXRAY_E_UNSUPPORTED);
    options.head = "ctc";
    assert_string_equal(decide("text", &options, &output, 1, told, EXRAY_OK).text, "aa\xC3\xA9");
    exray_told_free(told);

    const exray_result a[2] = {{.text = "the c\xC3\xA9t sat"}, {.text = "kitten"}};
    const exray_result b[2] = {{.text = "the cat sat"}, {.text = "sitting"}};
    assert_near(measure_of("text", a, b, 2, "exact", "").value, 0);
    assert_near(measure_of("text", a, b, 2, "cer", "").value, (1 + 3) / (11.0 + 7));
    assert_near(measure_of("text", a, b, 2, "wer", "").value, (1 + 1) / (3.0 + 1));
    assert_near(measure_of("text", b, b, 2, "exact", "").value, 1);
}

static void test_keypoints(void **state)
{
    (void)state;
    /* The object is 0.5 by 0.4: a tenth is 0.05; the area 0.2. */
    const exray_keypoint a[] = {{0.04F, 0, 0, 1, 0}, {0.5F, 0.3F, 0, 1, 1}};
    const exray_keypoint b[] = {{0, 0, 0, 1, 0}, {0.5F, 0.4F, 0, 1, 1}};
    const exray_result one = {.keypoints = a, .keypoint_count = 2},
                       other = {.keypoints = b, .keypoint_count = 2};
    assert_near(measure_of("keypoints", &one, &other, 1, "pck", "").value, 0.5);
    const double oks = (exp(-0.0016 / (2 * 0.2 * 0.01)) + exp(-0.01 / (2 * 0.2 * 0.01))) / 2;
    assert_near(measure_of("keypoints", &one, &other, 1, "oks", "").value, oks);
    assert_near(measure_of("keypoints", &other, &other, 1, "oks", "").value, 1);
}

static void test_vectors(void **state)
{
    (void)state;
    static const float a[] = {3, 4}, b[] = {4, 3}, c[] = {NAN, 3};
    const exray_vector va = {"v", a, 2}, vb = {"v", b, 2}, vc = {"v", c, 2};
    const exray_result one = {.vectors = &va, .vector_count = 1}, other = {.vectors = &vb, .vector_count = 1};
    const exray_result bad = {.vectors = &vc, .vector_count = 1};
    assert_near(measure_of("embedding", &one, &other, 1, "cosine", "").value, 24.0 / 25);
    assert_near(measure_of("regression", &one, &other, 1, "relative_error", "").value, sqrt(2.0 / 25));
    assert_near(measure_of("regression", &one, &bad, 1, "relative_error", "").value, 1.0 / 3);

    /* Frame 0 is the nearest to 1 on both sides; 2 is nearest to 1, and to 0. */
    static const float told[3][2] = {{1, 0}, {1, 0.1F}, {0.5F, 1}},
                       seen[3][2] = {{1, 0.1F}, {1, 0}, {0.5F, 1}};
    exray_vector v[2][3];
    exray_result r[2][3];
    for (int f = 0; f < 3; f++) {
        v[0][f] = (exray_vector){"v", told[f], 2};
        v[1][f] = (exray_vector){"v", seen[f], 2};
        for (int s = 0; s < 2; s++)
            r[s][f] = (exray_result){.vectors = &v[s][f], .vector_count = 1};
    }
    assert_near(measure_of("embedding", r[0], r[1], 3, "retrieval", "").value, 2.0 / 3);
}

static void test_many_labels(void **state)
{
    (void)state;
    static const int64_t shape[] = {1, 5};
    static const float logits[] = {2, -1, NAN, 3, 0}; /* 0.88, 0.27, -, 0.95, 0.5 */
    const exray_tensor_info info = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = shape};
    const exray_task_output output = {&info, logits, 5};
    exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    options.sigmoid = true;
    exray_told *told = exray_told_new();
    const exray_result r = decide("multi_label", &options, &output, 1, told, EXRAY_OK);
    assert_int_equal(r.class_count, 3);
    assert_int_equal(r.classes[0].id, 3);
    assert_int_equal(r.classes[1].id, 0);
    assert_int_equal(r.classes[2].id, 4);
    exray_told_free(told);

    const exray_class a[] = {{1, 0.9F, "cat"}, {2, 0.8F, NULL}, {7, 0.7F, NULL}},
                      b[] = {{2, 1, NULL}, {1, 1, NULL}};
    const exray_result one[2] = {{.classes = a, .class_count = 3}, {.classes = a, .class_count = 2}};
    const exray_result other[2] = {{.classes = b, .class_count = 2}, {.classes = b, .class_count = 2}};
    assert_near(measure_of("multi_label", one, other, 2, "f1", "").value, 8.0 / 9.0);
    assert_near(measure_of("multi_label", one, other, 2, "f1", "cat").value, 1);
    assert_near(measure_of("multi_label", one, other, 2, "f1", "class 7").value, 0);
    assert_near(measure_of("multi_label", one, other, 2, "same_labels", "").value, 0.5);
}

static void test_table(void **state)
{
    (void)state;
    size_t count = 0;
    for (; exray_task_at(count); count++) {
        assert_ptr_equal(exray_task_named(exray_task_at(count)->name), exray_task_at(count));
        assert_int_equal(exray_task_at(count)->size, sizeof(exray_task));
        const exray_result nothing = {.text = ""};
        assert_false(exray_task_at(count)->has(&nothing));
    }
    assert_int_equal(count, 8);
    assert_null(exray_task_named("audio"));
    assert_null(exray_task_named(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_classification), cmocka_unit_test(test_detection),
        cmocka_unit_test(test_segmentation),   cmocka_unit_test(test_text),
        cmocka_unit_test(test_keypoints),      cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_many_labels),    cmocka_unit_test(test_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
