#include "checks/model/weights/body_weights.h"

#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/model/graph/between/attribute_texts.h"

#include <stdio.h>
#include <string.h>

static bool is_wrong(const exray_comparison *comparison, size_t layer)
{
    return exray_comparison_layer(comparison, layer)->role == EXRAY_LAYER_ROLE_ORIGINATES;
}

/* Outputs of one node are layers of their own. */
static bool is_second_output(const exray_comparison *comparison, size_t layer)
{
    for (size_t i = 0; i < layer; i++)
        if (is_wrong(comparison, i) && exray_comparison_layer(comparison, i)->node[EXRAY_SIDE_EDGE] ==
                                           exray_comparison_layer(comparison, layer)->node[EXRAY_SIDE_EDGE])
            return true;
    return false;
}

/* The body whose weights are others, of a layer that is wrong by itself; NULL: none, or it was told with an
 * earlier output of its node. */
static const char *other_body(const exray_comparison *comparison, size_t i, const char *text[2])
{
    const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
    const exray_node *node[2];
    if (!is_wrong(comparison, i))
        return NULL;
    for (int s = 0; s < 2; s++) {
        const exray_model *model = exray_log_model(exray_comparison_log(comparison, (exray_side)s));
        if (!model || layer->node[s] >= model->node_count)
            return NULL;
        node[s] = &model->nodes[layer->node[s]];
    }
    for (uint32_t k = 0; k < node[0]->attribute_count; k++) {
        const char *key = node[0]->attributes[k].key;
        text[0] = node[0]->attributes[k].value;
        text[1] = exray_node_attribute(node[1], key);
        if (text[1] && xr_bodies_weigh_otherwise(text[0], text[1]))
            return is_second_output(comparison, i) ? NULL : key;
    }
    return NULL;
}

bool xr_body_weights_find(const exray_comparison *comparison, xr_body_weights *out)
{
    *out = (xr_body_weights){.layers = 0};
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const char *text[2];
        const char *key = other_body(comparison, i, text);
        if (key && out->layers++ == 0)
            *out = (xr_body_weights){.layer = i, .layers = 1, .key = key};
    }
    return out->layers > 0;
}

/* "64 mean 0.01 rms 0.5" */
static const char *numbers_of(const char *text)
{
    static const char before[] = "; float32 ";
    const char *at = strstr(text, before);
    return at ? at + sizeof before - 1 : "";
}

void xr_body_weights_tell(const exray_comparison *comparison, exray_finding *finding)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        const char *text[2];
        const char *key = other_body(comparison, i, text);
        char name[40];
        if (!key)
            continue;
        exray_finding_detail(
            finding, "Layer %u (%s) %.*s, weights of its %.40s: %.80s on the edge, %.80s in the reference.",
            (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
            XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]), key, numbers_of(text[0]), numbers_of(text[1]));
        snprintf(name, sizeof name, "layer_%u", (unsigned)layer->node[EXRAY_SIDE_EDGE]);
        exray_finding_number(finding, name, layer->error);
    }
}
