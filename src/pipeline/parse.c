/* Pipeline file to xr_pipeline: the keys at its top; each section is a file of its own. */
#include "pipeline/parse.h"

#include "base/error.h"
#include "base/file.h"
#include "pipeline/parse_audio.h"
#include "pipeline/parse_image.h"
#include "pipeline/parse_output.h"
#include "pipeline/parse_ports.h"
#include "pipeline/parse_words.h"
#include "pipeline/text/parse_text.h"

#include <stdlib.h>
#include <string.h>

static bool parse_task(xr_parser *p, const xr_yaml *node)
{
    /* What sounds and texts are told of is as of pictures; the names of two kinds of input are kept. */
    static const char *const names[] = {"classification", "detection",  "segmentation", "keypoints",  "text",
                                        "embedding",      "regression", "audio",        "multi_label"};
    static const xr_choice choices[] = {{"classification", 0}, {"detection", 1}, {"segmentation", 2},
                                        {"keypoints", 3},      {"text", 4},      {"embedding", 5},
                                        {"regression", 6},     {"audio", 7},     {"multi_label", 8}};
    int value;
    if (node->kind == XR_YAML_SCALAR && strncmp(node->text, "user.", 5) == 0) { /* of a plug-in */
        p->pipeline->task = p->pipeline->own_task = xr_parse_resolve("", node->text);
        return p->pipeline->task || xr_parse_fail(p, node->line, "task", "out of memory");
    }
    if (!xr_parse_choose(p, node, "task", "task", choices, XR_COUNT(choices), &value))
        return false;
    p->pipeline->task = names[value];
    return true;
}

static bool parse_top(xr_parser *p, const xr_yaml *root)
{
    enum { TASK, IMAGE, AUDIO, TEXT, INPUTS, STATE, OUTPUT };
    static const xr_choice keys[] = {{"task", TASK},     {"image", IMAGE}, {"audio", AUDIO},  {"text", TEXT},
                                     {"inputs", INPUTS}, {"state", STATE}, {"output", OUTPUT}};
    if (xr_yaml_is_null(root))
        return true;
    if (root->kind != XR_YAML_MAP)
        return xr_parse_fail(p, root->line, "",
                             "not a pipeline file: needs keys such as 'image:' at its top");
    for (const xr_yaml *child = root->first; child; child = child->next) {
        int key;
        if (!xr_parse_find(child->key, keys, XR_COUNT(keys), &key))
            return xr_parse_fail_unknown(p, child->key_line, "", "key", child->key, keys, XR_COUNT(keys));
        bool ok = key == TASK     ? parse_task(p, child)
                  : key == IMAGE  ? xr_parse_image(p, child)
                  : key == AUDIO  ? xr_parse_audio(p, child)
                  : key == TEXT   ? xr_parse_text(p, child)
                  : key == INPUTS ? xr_parse_inputs(p->pipeline, child, p->error)
                  : key == STATE  ? xr_parse_state(p->pipeline, child, p->error)
                                  : xr_parse_output(p, child);
        if (!ok)
            return false;
    }
    return true;
}

xr_yaml *xr_pipeline_tree(const char *text, size_t size, const char *name, exray_error *error)
{
    char *whole = xr_parse_audio_shorthand(text, size, &size);
    if (!whole) {
        xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", name);
        return NULL;
    }
    xr_yaml *root = xr_yaml_read(whole, size, name, error);
    free(whole);
    return root;
}

xr_pipeline *xr_pipeline_parse(const char *text, size_t size, const char *name, exray_error *error)
{
    xr_yaml *root = xr_pipeline_tree(text, size, name, error);
    if (!root)
        return NULL;
    xr_pipeline *pipeline = calloc(1, sizeof *pipeline);
    xr_parser p = {.pipeline = pipeline, .error = error};
    bool ok = false;
    if (pipeline) {
        pipeline->name = xr_parse_resolve("", name);
        xr_parse_default_steps(pipeline);
        xr_parse_default_audio(pipeline);
        if (pipeline->name)
            ok = parse_top(&p, root);
    }
    if (!pipeline || !pipeline->name)
        xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", name);
    xr_yaml_free(root);
    if (ok)
        return pipeline;
    xr_pipeline_free(pipeline);
    return NULL;
}

xr_pipeline *xr_pipeline_read(const char *path, exray_error *error)
{
    enum { MOST = 1 << 20 }; /* more than xr_pipeline_parse accepts, so that it says so */
    size_t size;
    char *text = xr_file_read(path, MOST, &size, error);
    xr_pipeline *pipeline = text ? xr_pipeline_parse(text, size, path, error) : NULL;
    if (!pipeline) {
        free(text);
        return NULL;
    }
    pipeline->source = text;
    pipeline->source_size = size;
    return pipeline;
}
