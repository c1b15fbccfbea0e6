#include "pipeline/parse_output.h"

#include <stdio.h>
#include <string.h>

enum { LABELS, ANCHORS, LABEL_OFFSET, TOP_K, CLASSES, THRESHOLD, NMS, BOXES, HEAD, SIGMOID };

static bool parse_file(xr_parser *p, const xr_yaml *node, const char *where, char **out)
{
    if (!*node->text)
        return xr_parse_fail(p, node->line, where, "needs the path of a file");
    *out = xr_parse_resolve(p->pipeline->name, node->text);
    return *out || xr_parse_fail(p, node->line, where, "out of memory");
}

static bool parse_count(xr_parser *p, const xr_yaml *node, const char *where, unsigned *out)
{
    int64_t number;
    if (!xr_parse_integer(node->text, 1, 100000, &number))
        return xr_parse_fail_value(p, node->line, where, node->text, "a whole number 1 to 100000");
    *out = (unsigned)number;
    return true;
}

/* 0 to 1; where it is 0 `nothing` is kept, as 0 itself means that it was not given. */
static bool parse_share(xr_parser *p, const xr_yaml *node, const char *where, double nothing, double *out)
{
    if (!xr_parse_number(node->text, out) || *out < 0 || *out > 1)
        return xr_parse_fail_value(p, node->line, where, node->text, "a number 0 to 1");
    if (*out == 0)
        *out = nothing;
    return true;
}

static bool parse_switch(xr_parser *p, const xr_yaml *node, const char *where, bool *out)
{
    static const xr_choice choices[] = {{"true", 1}, {"false", 0}};
    int value = 0;
    if (!xr_parse_choose(p, node, where, "value", choices, XR_COUNT(choices), &value))
        return false;
    *out = value;
    return true;
}

/* ORDER [shares|pixels] */
static bool parse_boxes(xr_parser *p, const xr_yaml *node, const char *where)
{
    static const xr_choice orders[] = {{"xyxy", 0}, {"yxyx", 0}, {"xywh", 0}, {"cxcywh", 0}, {"cycxhw", 0}};
    xr_words w;
    int value;
    if (!xr_parse_split(p, node, where, &w))
        return false;
    if (!xr_parse_find(w.word[0], orders, XR_COUNT(orders), &value))
        return xr_parse_fail_unknown(p, node->line, where, "order", w.word[0], orders, XR_COUNT(orders));
    if (w.count > 2 || (w.count == 2 && strcmp(w.word[1], "shares") != 0 && strcmp(w.word[1], "pixels") != 0))
        return xr_parse_fail_value(p, node->line, where, node->text,
                                   "an order and its unit, such as 'xyxy pixels' or 'yxyx shares'");
    char text[2 * XR_PARSE_WORD_SIZE];
    snprintf(text, sizeof text, "%s%s%s", w.word[0], w.count == 2 ? " " : "", w.count == 2 ? w.word[1] : "");
    p->pipeline->output.boxes = xr_parse_resolve("", text);
    return p->pipeline->output.boxes || xr_parse_fail(p, node->line, where, "out of memory");
}

static bool parse_head(xr_parser *p, const xr_yaml *node, const char *where)
{
    static const xr_choice choices[] = {{"none", 0}, {"ssd", 1},    {"yolo5", 2}, {"yolo8", 3},
                                        {"palm", 4}, {"points", 5}, {"ctc", 6}};
    int value = 0;
    if (!xr_parse_choose(p, node, where, "head", choices, XR_COUNT(choices), &value))
        return false;
    p->pipeline->output.head = value ? choices[value].name : NULL;
    return true;
}

static bool parse_key(xr_parser *p, int key, const xr_yaml *node, const char *where)
{
    xr_output_keys *out = &p->pipeline->output;
    switch (key) {
    case LABELS:
        out->labels_line = node->line;
        return parse_file(p, node, where, &out->labels);
    case ANCHORS:
        out->anchors_line = node->line;
        return parse_file(p, node, where, &out->anchors);
    case LABEL_OFFSET:
        return xr_parse_integer(node->text, -1000000000, 1000000000, &out->label_offset) ||
               xr_parse_fail_value(p, node->line, where, node->text, "a whole number");
    case TOP_K:
        return parse_count(p, node, where, &out->top_k);
    case CLASSES:
        return parse_count(p, node, where, &out->classes);
    case THRESHOLD:
        return parse_share(p, node, where, -1, &out->threshold);
    case NMS:
        return parse_share(p, node, where, 1e-9, &out->nms);
    case BOXES:
        return parse_boxes(p, node, where);
    case SIGMOID:
        return parse_switch(p, node, where, &out->sigmoid);
    default:
        return parse_head(p, node, where);
    }
}

bool xr_parse_output(xr_parser *p, const xr_yaml *node)
{
    static const xr_choice keys[] = {{"labels", LABELS},       {"label_offset", LABEL_OFFSET},
                                     {"top_k", TOP_K},         {"head", HEAD},
                                     {"anchors", ANCHORS},     {"sigmoid", SIGMOID},
                                     {"classes", CLASSES},     {"nms", NMS},
                                     {"threshold", THRESHOLD}, {"boxes", BOXES}};
    if (xr_yaml_is_null(node))
        return true;
    if (node->kind != XR_YAML_MAP)
        return xr_parse_fail(p, node->line, "output", "needs keys below it, such as 'label_offset: 1'");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        int key;
        char where[64];
        if (!xr_parse_find(child->key, keys, XR_COUNT(keys), &key))
            return xr_parse_fail_unknown(p, child->key_line, "output", "key", child->key, keys,
                                         XR_COUNT(keys));
        snprintf(where, sizeof where, "output.%s", child->key);
        if (!xr_parse_need_scalar(p, child, where) || !parse_key(p, key, child, where))
            return false;
    }
    return true;
}
