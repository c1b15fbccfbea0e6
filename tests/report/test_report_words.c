/* Keys as words, exray's own markdown, and how two results relate, as the HTML report has them. */
#define _POSIX_C_SOURCE 200809L
#include "report/html/text/html_causes.h"
#include "report/html/text/html_markdown.h"
#include "report/html/text/html_words.h"
#include "report/html/told/told_match.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* cmocka.h needs the four above before it. */
#include <cmocka.h>

#include "report/page_text.h"

static void check_key(const char *key, const char *words, const char *unit)
{
    page_text t;
    xr_put_key(begin(&t), key);
    check_text(&t, words);
    assert_string_equal(xr_unit_of_key(key), unit);
}

static void test_keys_are_words(void **state)
{
    (void)state;
    check_key("residual_before_levels", "residual before", "levels");
    check_key("nrmse_after", "nRMSE after", "");
    check_key("edge_ms", "edge", "ms");
    check_key("ms", "ms", "");
    check_key("_ms", " ms", "");
    check_key("__<b>__x_", " &lt;b&gt; x", "");
    check_key("", "", "");
}

static void check_markdown(const char *text, const char *want)
{
    page_text t;
    xr_put_markdown(begin(&t), text, strlen(text));
    check_text(&t, want);
}

static void test_markdown(void **state)
{
    (void)state;
    check_markdown("*One* `a<b`\n**two** [three](x.md#y).\n\n",
                   "<p><em>One</em> <code>a&lt;b</code> <b>two</b> three.</p>\n");
    check_markdown("- a\n  b\n- c\nd", "<ul>\n<li>a b</li>\n<li>c d</li>\n</ul>\n");
    check_markdown("- a\n\nb\n", "<ul>\n<li>a</li>\n</ul>\n<p>b</p>\n");
    check_markdown("| a | b |\n|---|---|\n| `c` | 2 |\nd\n",
                   "<div class=\"scroll\"><table>\n<tr><th>a </th><th>b </th></tr>\n<tr><td><code>c</code> "
                   "</td><td>2 </td></tr>\n</table></div>\n<p>d</p>\n");
    check_markdown("    x = [1\n    y\n", "<pre>x = [1\ny</pre>\n");
    check_markdown("`open [and **never closed", "<p>`open [and **never closed</p>\n");
    check_markdown("", "");
}

static void test_causes_have_a_meaning(void **state)
{
    (void)state;
    xr_cause_id id;
    assert_true(xr_cause_is_explained("input.flip", id));
    assert_string_equal(id, "cause-input-rotation"); /* they share a section */
    assert_true(xr_cause_is_explained("perf.straggler", id));
    assert_string_equal(id, "cause-perf-straggler");
    assert_false(xr_cause_is_explained("user.mine", id));
    assert_false(xr_cause_is_explained("", id));
    assert_false(xr_cause_is_explained("input", id));
}

/* ---- What was told ------------------------------------------------------------------------------ */

static exray_box box(float x, float y, float side, int64_t id)
{
    return (exray_box){.x_min = x, .y_min = y, .x_max = x + side, .y_max = y + side, .id = id, .score = 1};
}

static void test_boxes_are_paired(void **state)
{
    (void)state;
    exray_box mine[] = {box(0, 0, 0.5F, 1), box(0.6F, 0, 0.2F, 2), box(0, 0.01F, 0.5F, 3)};
    exray_box theirs[] = {box(0, 0.01F, 0.5F, 3), box(0.02F, 0, 0.5F, 1), box(0.8F, 0.8F, NAN, 2)};
    exray_result edge = {.boxes = mine, .box_count = 3}, reference = {.boxes = theirs, .box_count = 3};
    xr_box_pair pairs[2 * XR_BOXES_MOST];
    assert_int_equal(xr_pair_boxes(&edge, &reference, pairs), 4);
    assert_true(pairs[0].same && pairs[0].reference == 1); /* its class, not the one that covers it most */
    assert_true(!pairs[1].same && pairs[1].reference == XR_NO_BOX);
    assert_true(pairs[2].same && pairs[2].reference == 0 && pairs[2].overlap > 0.999);
    assert_true(pairs[3].edge == XR_NO_BOX && pairs[3].reference == 2);
    assert_true(xr_told_differs(&edge, &reference));
    assert_false(xr_told_differs(&edge, &edge));
}

static void test_what_differs(void **state)
{
    (void)state;
    const uint8_t ids[4] = {0, 1, 2, 255}, wide[8] = {0, 0, 1, 0, 2, 0, 255, 0};
    exray_mask a = {.width = 2, .height = 2, .ids = ids, .size = 4};
    exray_mask b = {.width = 2, .height = 2, .ids = wide, .size = 8, .wide = true};
    assert_true(xr_masks_apart(&a, &b) == 0);
    exray_mask flat = {.width = 4, .height = 1, .ids = ids, .size = 4};
    assert_true(isnan(xr_masks_apart(&a, &flat)));
    exray_result one = {.mask = &a}, other = {.mask = &b};
    assert_false(xr_told_differs(&one, &other));
    other.mask = NULL;
    assert_true(xr_told_differs(&one, &other));

    const float values[3] = {1, 2, 3}, turned[3] = {3, 2, 1}, none[3] = {0, 0, 0};
    exray_vector v = {"", values, 3}, w = {"", turned, 3}, z = {"", none, 3}, shorter = {"", values, 2};
    assert_true(fabs(xr_vectors_cosine(&v, &w) - 10.0 / 14) < 1e-9);
    assert_true(isnan(xr_vectors_cosine(&v, &z)) && isnan(xr_vectors_cosine(&v, &shorter)));

    exray_result said = {.text = "a"}, silent = {.text = NULL}, empty = {.text = ""};
    assert_true(xr_told_differs(&said, &silent));
    assert_false(xr_told_differs(&silent, &empty));
    exray_keypoint p = {.x = 0.5F, .y = 0.5F}, q = {.x = 0.51F, .y = 0.5F}, far = {.x = NAN, .y = 0.5F};
    exray_result at = {.keypoints = &p, .keypoint_count = 1}, near = {.keypoints = &q, .keypoint_count = 1};
    assert_false(xr_told_differs(&at, &near));
    near.keypoints = &far;
    assert_true(xr_told_differs(&at, &near));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_are_words),        cmocka_unit_test(test_markdown),
        cmocka_unit_test(test_causes_have_a_meaning), cmocka_unit_test(test_boxes_are_paired),
        cmocka_unit_test(test_what_differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
