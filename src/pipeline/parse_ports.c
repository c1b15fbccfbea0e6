#include "pipeline/parse_ports.h"

#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(const xr_pipeline *pipeline, unsigned line, const char *where, const char *text,
                   exray_error *error)
{
    xr_error_set(error, EXRAY_E_FORMAT, "%s:%u: %s: %s", pipeline->name, line, where, text);
    return false;
}

static bool copy(const char *text, char **out)
{
    size_t size = strlen(text) + 1;
    *out = malloc(size);
    if (*out)
        memcpy(*out, text, size);
    return *out != NULL;
}

/* A number and nothing else: strtod alone would also take "nan", "inf", "0x1p3". */
static bool to_finite(const char *text, double *out)
{
    char *end;
    if (!*text || strlen(text) > 31 || strspn(text, "0123456789+-.eE") != strlen(text))
        return false;
    *out = strtod(text, &end);
    return !*end && isfinite(*out);
}

static const char expected[] = "takes image, audio, text, {constant: NUMBER} or {mask_of: NAME}";

/* {constant: NUMBER} or {mask_of: NAME}; `from` is blank but for name and line. */
static bool parse_map(const xr_pipeline *pipeline, const xr_yaml *child, xr_input_source *from,
                      exray_error *error)
{
    const xr_yaml *only = child->first;
    if (!only || only->next || only->kind != XR_YAML_SCALAR)
        return refuse(pipeline, child->line, "inputs", expected, error);
    if (strcmp(only->key, "constant") == 0) {
        from->kind = XR_INPUT_CONSTANT;
        return to_finite(only->text, &from->value) ||
               refuse(pipeline, only->line, "inputs.constant", "needs a finite number, such as 1", error);
    }
    from->kind = XR_INPUT_MASK;
    if (strcmp(only->key, "mask_of") != 0 || !*only->text)
        return refuse(pipeline, only->key_line, "inputs", expected, error);
    return copy(only->text, &from->mask_of) || refuse(pipeline, only->line, "inputs", "out of memory", error);
}

/* image, audio or text. */
static bool parse_word(const xr_yaml *child, xr_input_kind *kind)
{
    static const char *const words[] = {"image", "audio", "text"};
    static const xr_input_kind kinds[] = {XR_INPUT_IMAGE, XR_INPUT_AUDIO, XR_INPUT_TEXT};
    for (size_t i = 0; child->kind == XR_YAML_SCALAR && i < sizeof words / sizeof *words; i++)
        if (strcmp(child->text, words[i]) == 0) {
            *kind = kinds[i];
            return true;
        }
    return false;
}

bool xr_parse_inputs(xr_pipeline *pipeline, const xr_yaml *node, exray_error *error)
{
    if (xr_yaml_is_null(node))
        return true;
    if (node->kind != XR_YAML_MAP)
        return refuse(pipeline, node->line, "inputs", "needs {NAME: image, NAME2: {constant: 1}, ...}",
                      error);
    for (const xr_yaml *child = node->first; child; child = child->next) {
        if (pipeline->input_count == XR_MAX_INPUTS)
            return refuse(pipeline, child->key_line, "inputs", "has more than 32 inputs", error);
        xr_input_source *from = &pipeline->inputs[pipeline->input_count];
        *from = (xr_input_source){.line = child->key_line};
        if (!copy(child->key, &from->name))
            return refuse(pipeline, child->key_line, "inputs", "out of memory", error);
        pipeline->input_count++;
        if (child->kind == XR_YAML_MAP) {
            if (!parse_map(pipeline, child, from, error))
                return false;
        } else if (!parse_word(child, &from->kind))
            return refuse(pipeline, child->line, "inputs", expected, error);
    }
    return true;
}

bool xr_parse_state(xr_pipeline *pipeline, const xr_yaml *node, exray_error *error)
{
    if (xr_yaml_is_null(node))
        return true;
    if (node->kind != XR_YAML_MAP)
        return refuse(pipeline, node->line, "state", "needs {INPUT: OUTPUT, ...}", error);
    for (const xr_yaml *child = node->first; child; child = child->next) {
        if (pipeline->state_count == XR_MAX_INPUTS)
            return refuse(pipeline, child->key_line, "state", "has more than 32 states", error);
        if (child->kind != XR_YAML_SCALAR || !*child->text || xr_yaml_is_null(child))
            return refuse(pipeline, child->line, "state", "needs the name of an output for each input",
                          error);
        xr_state_source *state = &pipeline->states[pipeline->state_count++];
        *state = (xr_state_source){.line = child->key_line};
        if (!copy(child->key, &state->input) || !copy(child->text, &state->output))
            return refuse(pipeline, child->key_line, "state", "out of memory", error);
    }
    return true;
}
