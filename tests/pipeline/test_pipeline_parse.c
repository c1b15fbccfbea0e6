/* Pipeline files: what is accepted, what is refused, and what the refusal says. */
#include "pipeline/parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static xr_pipeline *parse(const char *text)
{
    exray_error error = {0};
    xr_pipeline *pipeline = xr_pipeline_parse(text, strlen(text), "dir/p.yaml", &error);
    if (!pipeline)
        print_error("%s\n", error.message);
    assert_non_null(pipeline);
    return pipeline;
}

static void refused(const char *text, const char *expected)
{
    exray_error error = {0};
    xr_pipeline *pipeline = xr_pipeline_parse(text, strlen(text), "p.yaml", &error);
    assert_null(pipeline);
    assert_int_not_equal(error.status, EXRAY_OK);
    assert_null(strchr(error.message, '\n'));
    if (!strstr(error.message, expected))
        fail_msg("\"%s\" does not say \"%s\"", error.message, expected);
}

static const xr_step *find(const xr_pipeline *pipeline, xr_step_kind kind)
{
    for (unsigned i = 0; i < pipeline->step_count; i++)
        if (pipeline->steps[i].kind == kind)
            return &pipeline->steps[i];
    return NULL;
}

static void test_defaults(void **state)
{
    static const char *const empty[] = {"", "# nothing\n", "image:\n", "image: {}\noutput:\n", "---\n...\n",
                                        "~"};
    (void)state;
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        xr_pipeline *p = parse(empty[i]);
        assert_string_equal(xr_pipeline_task(p), "classification");
        assert_int_equal(xr_pipeline_output(p)->label_offset, 0);
        assert_int_equal(xr_pipeline_output(p)->top_k, 0);
        assert_null(xr_pipeline_output(p)->labels);
        assert_int_equal(p->step_count, 7);
        for (unsigned k = 0; k < 7; k++) /* in the fixed order */
            assert_int_equal(p->steps[k].kind, k);
        assert_true(p->steps[XR_STEP_ORIENT].as.orient);
        assert_int_equal(p->steps[XR_STEP_CROP].as.crop.kind, XR_CROP_NONE);
        assert_int_equal(p->steps[XR_STEP_RESIZE].as.resize.filter, EXRAY_FILTER_BILINEAR);
        assert_int_equal(p->steps[XR_STEP_RESIZE].as.resize.sampling, EXRAY_SAMPLING_HALF_PIXEL);
        assert_int_equal(p->steps[XR_STEP_RESIZE].as.resize.size, XR_SIZE_MODEL);
        assert_int_equal(p->steps[XR_STEP_ROTATE].as.quarter_turns, 0);
        assert_int_equal(p->steps[XR_STEP_FLIP].as.flip, XR_FLIP_NONE);
        assert_string_equal(p->steps[XR_STEP_CHANNELS].as.channels, "");
        assert_true(p->steps[XR_STEP_NORMALIZE].as.normalize.mean[0] == 0);
        assert_true(p->steps[XR_STEP_NORMALIZE].as.normalize.std[0] == 1);
        assert_int_equal(p->layout, XR_LAYOUT_MODEL);
        xr_pipeline_free(p);
    }
}

static void test_every_key(void **state)
{
    (void)state;
    xr_pipeline *p = parse("task: detection\n"
                           "image:\n"
                           "  layout: nchw\n" /* any order in the file */
                           "  normalize: {mean: [1, 2.5, -3e1], std: 4}\n"
                           "  channels: grb\n"
                           "  flip: vertical\n"
                           "  rotate: 270\n"
                           "  resize: bicubic 300x200 antialias\n"
                           "  crop: center 0.875\n"
                           "  orient: none\n"
                           "output: {labels: names.txt, label_offset: -1, top_k: 3}\n");
    assert_string_equal(xr_pipeline_task(p), "detection");
    assert_string_equal(xr_pipeline_output(p)->labels, "dir/names.txt");
    assert_int_equal(xr_pipeline_output(p)->label_offset, -1);
    assert_int_equal(xr_pipeline_output(p)->top_k, 3);
    assert_int_equal(p->layout, XR_LAYOUT_NCHW);
    assert_int_equal(p->step_count, 7);
    assert_false(p->steps[XR_STEP_ORIENT].as.orient);
    const xr_step *crop = find(p, XR_STEP_CROP), *resize = find(p, XR_STEP_RESIZE),
                  *normalize = find(p, XR_STEP_NORMALIZE);
    assert_int_equal(crop->as.crop.kind, XR_CROP_CENTER);
    assert_true(crop->as.crop.fraction == 0.875);
    assert_int_equal(crop->line, 9);
    assert_int_equal(resize->as.resize.filter, EXRAY_FILTER_BICUBIC);
    assert_int_equal(resize->as.resize.sampling, EXRAY_SAMPLING_ANTIALIAS);
    assert_int_equal(resize->as.resize.size, XR_SIZE_EXACT);
    assert_int_equal(resize->as.resize.width, 300);
    assert_int_equal(resize->as.resize.height, 200);
    assert_int_equal(find(p, XR_STEP_ROTATE)->as.quarter_turns, 3);
    assert_int_equal(find(p, XR_STEP_FLIP)->as.flip, XR_FLIP_VERTICAL);
    assert_string_equal(find(p, XR_STEP_CHANNELS)->as.channels, "grb");
    assert_int_equal(normalize->as.normalize.mean_count, 3);
    assert_true(normalize->as.normalize.mean[2] == -30);
    assert_int_equal(normalize->as.normalize.std_count, 1);
    xr_pipeline_free(p);
}

static void test_steps(void **state)
{
    (void)state;
    xr_pipeline *p = parse("image:\n"
                           "  steps:\n"
                           "    - resize: bilinear 256 antialias\n"
                           "    - crop: 224x200\n"
                           "    - normalize: {mean: 1}\n"
                           "    - layout: nchw\n"
                           "    - flip: horizontal\n");
    /* The upright picture first, the model's channels before they are normalized. */
    static const xr_step_kind order[] = {XR_STEP_ORIENT,   XR_STEP_RESIZE,    XR_STEP_CROP,
                                         XR_STEP_CHANNELS, XR_STEP_NORMALIZE, XR_STEP_FLIP};
    assert_int_equal(p->step_count, 6);
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(p->steps[i].kind, order[i]);
    assert_true(p->steps[0].as.orient);
    assert_int_equal(p->steps[1].as.resize.size, XR_SIZE_SHORTER);
    assert_int_equal(p->steps[1].as.resize.width, 256);
    assert_int_equal(p->steps[2].as.crop.width, 224);
    assert_int_equal(p->steps[2].as.crop.height, 200);
    assert_int_equal(p->layout, XR_LAYOUT_NCHW);
    xr_pipeline_free(p);

    p = parse("image: {steps: [{channels: bgr}, {orient: none}]}");
    assert_int_equal(p->step_count, 2);
    assert_int_equal(p->steps[0].kind, XR_STEP_CHANNELS);
    xr_pipeline_free(p);

    p = parse("image: {steps: []}");
    assert_int_equal(p->step_count, 2); /* orient, channels */
    xr_pipeline_free(p);
}

static void test_spellings(void **state)
{
    static const char *const good[] = {
        "image: {resize: bilinear}",
        "image: {resize: '224x224'}",
        "image: {resize: none}",
        "image: {resize: area 10x10 antialias}",
        "image: {resize: bicubic antialias 10x10}",
        "image: {resize: nearest 10x10 align_corners}",
        "image: {resize: nearest 10x10 summed}",
        "image: {resize: lanczos antialias}",
        "image: {resize: hamming 8x9 antialias}",
        "image: {crop: none}",
        "image: {crop: \"center 1\"}",
        "image: {crop: letterbox}",
        "image: {crop: letterbox 114}",
        "image: {crop: 20x30}",
        "image: {normalize: none}",
        "image: {normalize: {std: [1, 2, 3]}}",
        "image: {normalize: {mean: [127]}}",
        "image: {channels: gray}",
        "image: {rotate: 0}",
        "task: segmentation",
        "output: {labels: /abs/path}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        xr_pipeline_free(parse(good[i]));
}

static void test_unknown_names(void **state)
{
    (void)state;
    refused(
        "image:\n  crop: none\n\n\n  # a remark\n\n  resize: bicubik 224x224\n",
        "p.yaml:7: image.resize: unknown filter 'bicubik'; did you mean bicubic? one of nearest, bilinear, "
        "bicubic, area, lanczos, hamming");
    refused("image: {resize: lanczos 8x8}", "lanczos and hamming are with antialias only");
    refused("image: {resize: bilinear summed}", "only nearest has exact and summed");
    refused("imgae: {}", "p.yaml:1: unknown key 'imgae'; did you mean image?");
    refused("\nimage:\n  rezise: none\n", "p.yaml:3: image: unknown key 'rezise'; did you mean resize?");
    refused("image: {normalize: {maen: 1}}", "image.normalize: unknown key 'maen'; did you mean mean?");
    refused("output:\n  labls: x\n", "p.yaml:2: output: unknown key 'labls'; did you mean labels?");
    refused("task: clasification",
            "p.yaml:1: task: unknown task 'clasification'; did you mean classification?");
    refused("image: {orient: gps}", "unknown orientation 'gps'; one of exif, none");
    refused("image: {crop: centre 0.5}", "unknown crop 'centre'; did you mean center?");
    refused("image: {resize: bilinear 8x8 antialais}", "unknown option 'antialais'; did you mean antialias?");
    refused("image: {rotate: 45}", "unknown angle '45'; one of 0, 90, 180, 270");
    refused("image: {flip: both}", "unknown flip 'both'");
    refused("image: {channels: rgba}", "unknown channel order 'rgba'");
    refused("image: {channels: rrr}", "unknown channel order 'rrr'");
    refused("image: {layout: hwc}", "unknown layout 'hwc'");
    refused("image:\n  steps:\n    - crop: none\n    - scale: 2\n",
            "p.yaml:4: image.steps: unknown step 'scale'");
    refused("image: {steps: [{steps: []}]}", "unknown step 'steps'");
}

static void test_bad_values(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"image: {crop: center}", "such as center 0.875"},
        {"image: {crop: center 0}", "such as center 0.875"},
        {"image: {crop: center 1.01}", "such as center 0.875"},
        {"image: {crop: center nan}", "such as center 0.875"},
        {"image: {crop: center 0x1p-1}", "such as center 0.875"},
        {"image: {crop: letterbox 256}", "0 to 255"},
        {"image: {crop: letterbox -1}", "0 to 255"},
        {"image: {crop: letterbox 1 2}", "0 to 255"},
        {"image: {crop: 0x5}", "each 1 to 16384"},
        {"image: {crop: 99999x5}", "each 1 to 16384"},
        {"image: {crop: none 5}", "'none' alone"},
        {"image: {resize: bilinear 0x5}", "each 1 to 16384"},
        {"image: {resize: bilinear 5x}", "each 1 to 16384"},
        {"image: {resize: bilinear 5X5}", "each 1 to 16384"},
        {"image: {resize: bilinear 99999999999999999999}", "each 1 to 16384"},
        {"image: {resize: bilinear 5x5 6x6}", "unknown option '6x6'"},
        {"image: {resize: nearest 5x5 antialias}", "nearest has no antialias"},
        {"image: {resize: area 5x5 align_corners}", "area has no align_corners"},
        {"image: {resize: bilinear antialias align_corners}", "exclude each other"},
        {"image: {resize: bilinear antialias antialias}", "twice"},
        {"image: {resize: [bilinear]}", "single value"},
        {"image: {resize: }", "has no value"},
        {"image: {resize: ''}", "is empty"},
        {"image: {resize: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}", "aaa...'"},
        {"image: {resize: a b c d e f g h i j}", "image.resize"},
        {"image: {normalize: 5}", "needs {mean"},
        {"image: {normalize: {mean: x}}", "is not a number"},
        {"image: {normalize: {mean: .inf}}", "is not a number"},
        {"image: {normalize: {mean: [1, 2]}}", "one for each of 3 channels"},
        {"image: {normalize: {mean: []}}", "one for each of 3 channels"},
        {"image: {normalize: {mean: [1, 2, 3, 4]}}", "more than 3"},
        {"image: {normalize: {mean: [[1], 2, 3]}}", "single value"},
        {"image: {normalize: {std: 0}}", "above 0"},
        {"image: {normalize: {std: -1}}", "above 0"},
        {"image: [1]", "image: needs keys"},
        {"image: 5", "image: needs keys"},
        {"output: 5", "output: needs keys"},
        {"output: {top_k: 0}", "1 to 100000"},
        {"output: {top_k: 1.5}", "1 to 100000"},
        {"output: {label_offset: one}", "whole number"},
        {"output: {labels: ''}", "path of a file"},
        {"- image", "not a pipeline file"},
        {"image", "not a pipeline file"},
        {"audio: 16000", "p.yaml:1: audio: needs keys below it"},
        {"audio:\n  rat: 16000", "p.yaml:2: audio: unknown key 'rat'; did you mean rate?"},
        {"audio:\n  rate: 0", "p.yaml:2: audio.rate: '0' is not a rate in Hz"},
        {"audio:\n  rate: 16000 cubic", "p.yaml:2: audio.rate: unknown resampler 'cubic'"},
        {"audio:\n  channels: first", "p.yaml:2: audio.channels: 'first' is not mono, left, right"},
        {"audio:\n  channels: both", "p.yaml:2: audio.channels: unknown choice of channels 'both'"},
        {"audio:\n  scale: loud", "p.yaml:2: audio.scale: 'loud' is not float, int16"},
        {"audio:\n  window: 160 step 80", "p.yaml:2: audio.window: '160 step 80' is not 'N' or 'N hop M'"},
        {"audio:\n  window: 0", "p.yaml:2: audio.window"},
        {"audio:\n  features: mfcc", "p.yaml:2: audio.features: unknown kind of features 'mfcc'"},
        {"audio:\n  features: {mel: {n_ffts: 512}}", "p.yaml:2: audio.features.mel: unknown key 'n_ffts'"},
        {"audio:\n  features: mel {n_fft: 1}",
         "p.yaml:2: audio.features.mel.n_fft: '1' is not a whole number 2 to"},
        {"audio:\n  features: mel {\n    n_fft: 512,\n    scale: bark}",
         "p.yaml:4: audio.features.mel.scale: unknown"},
        {"audio:\n  features: mel {win_length: 600}",
         "p.yaml:2: audio.features: a mel spectrogram: win_length"},
        {"audio:\n  rate: 8000\n  features: mel {fmax: 7600}",
         "p.yaml:3: audio.features: a mel spectrogram: 0 <="},
        {"audio:\n  features: microfrontend {enable_pcan: 2}",
         "p.yaml:2: audio.features.microfrontend.enable_pcan"},
        {"audio:\n  features: microfrontend {odd_smoothing: -1}", "is not a number from 0 on"},
        {"audio:\n  rate: 8000\n  features: microfrontend {}",
         "p.yaml:3: audio.features: a microfrontend: 0 <="},
        {"audio:\n  features:\n    mel: {}\n    microfrontend: {}",
         "p.yaml:4: audio.features: takes one kind"},
        {"\n\ntext:\n  length: 256", "p.yaml:4: text: the tokenizer has no vocabulary"},
        {"image: {steps: 5}", "needs a list"},
        {"image: {steps: [crop]}", "one key and its value"},
        {"image: {steps: [{crop: none, flip: none}]}", "one key and its value"},
        {"image: {steps: [{}]}", "one key and its value"},
        {"image:\n  flip: none\n  steps: []\n", "p.yaml:3: image.steps: stands beside other keys"},
        {"image:\n  steps: []\n  layout: nhwc\n", "p.yaml:2: image.steps: stands beside other keys"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[160];
        refused(cases[i].text, cases[i].expected);
        refused(cases[i].text, "p.yaml:");
        /* The line is counted, whatever stands above. */
        strcpy(text, "# one\n# two\n");
        strncat(text, cases[i].text, sizeof text - strlen(text) - 1);
        if (!strchr(cases[i].text, '\n'))
            refused(text, "p.yaml:3: ");
    }
}

static void test_letterbox_needs_its_resize(void **state)
{
    (void)state;
    refused("image: {pad: 1}", "a letterbox");
    refused("image: {crop: letterbox, rotate: 90, pad: 1}", "no turn");
    refused("image: {crop: letterbox, pad: x}", "a number");
    refused("image: {region: 0.5 0.5 0 0.5}", "X Y WIDTH HEIGHT");
    refused("image: {region: 0.5 0.5}", "X Y WIDTH HEIGHT");
    refused("image: {region: reading, crop: center 0.5}", "one of them");
    refused("image: {crop: letterbox multiple 0}", "multiple N");
    refused("image: {crop: letterbox, resize: none}", "needs a whole size");
    refused("image: {crop: letterbox, resize: bilinear 256}", "needs a whole size");
    refused("image: {steps: [{crop: letterbox}]}", "needs a resize after it");
    refused("image: {steps: [{resize: bilinear 5x5}, {crop: letterbox}]}", "needs a resize after it");
    refused("image: {steps: [{crop: letterbox}, {crop: 5x5}, {resize: bilinear}]}", "another crop");
    refused("image: {steps: [{crop: letterbox}, {normalize: none}, {resize: bilinear}]}", "normalize after");
}

static void test_duplicates(void **state)
{
    (void)state;
    refused("task: detection\nimage: {}\ntask: detection\n",
            "p.yaml:3: 'task' is there twice, first at line 1");
    refused("image:\n  flip: none\n  flip: none\n", "p.yaml:3: 'flip' is there twice");
    refused("image: {normalize: {std: 1, std: 2}}", "'std' is there twice");
}

static void test_yaml_that_is_too_much(void **state)
{
    (void)state;
    refused("image: &a {}\noutput: *a\n", "p.yaml:1: YAML anchors");
    refused("image: *a\n", "p.yaml:1: YAML aliases");
    refused("image: !!map {}\n", "p.yaml:1: YAML tags");
    refused("? [a]\n: b\n", "a key must be a plain word");
    refused("image: {}\n---\nimage: {}\n", "p.yaml:2: a second document");
    refused("image: {\n", "not YAML");
    refused("\ta: b", "not YAML");
    refused("image: \"\\0\"", "zero byte");
    refused("a: \xff\xfe", "not a YAML text");
    refused("[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "nested deeper");

    exray_error error;
    char *big = malloc(1 << 20);
    memset(big, '#', 1 << 20);
    assert_null(xr_pipeline_parse(big, 1 << 20, "p.yaml", &error));
    assert_non_null(strstr(error.message, "at most"));
    for (size_t i = 0; i < 20000; i++)
        memcpy(big + 8 + 2 * i, "1,", 2);
    memcpy(big, "image: [", 8);
    assert_null(xr_pipeline_parse(big, 8 + 40000, "p.yaml", &error));
    assert_non_null(strstr(error.message, "more than 4096 values"));
    free(big);

    char steps[64 * 16 + 32] = "image: {steps: [";
    for (int i = 0; i < 63; i++)
        strcat(steps, "{flip: none},");
    strcat(steps, "]}");
    refused(steps, "too many steps");
}

static void test_messages_hold_no_control_characters(void **state)
{
    (void)state;
    refused("image: {crop: \"a\\eb\\nc\"}", "'a?b?c'");
    refused(
        "image: {crop: "
        "\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
        "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\"}",
        "\xc3\xa4...'");
}

static void test_load(void **state)
{
    exray_error error = {0};
    (void)state;
    assert_null(xr_pipeline_read("/no/such/file.yaml", &error));
    assert_int_equal(error.status, EXRAY_E_IO);
    assert_non_null(strstr(error.message, "/no/such/file.yaml"));
    assert_null(xr_pipeline_read(".", &error)); /* a folder */
    assert_int_equal(error.status, EXRAY_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_spellings),
        cmocka_unit_test(test_unknown_names),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_letterbox_needs_its_resize),
        cmocka_unit_test(test_duplicates),
        cmocka_unit_test(test_yaml_that_is_too_much),
        cmocka_unit_test(test_messages_hold_no_control_characters),
        cmocka_unit_test(test_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
