/* Operators that an older version of the operator set defines otherwise: before 13, Softmax and LogSoftmax
 * take their axis and all behind it together, and the axis that a file leaves out is 1, not the last. */
#include "models/onnx/onnx.h"

#include <stdio.h>
#include <string.h>

enum { MODEL_OPSET = 8, OPSET_DOMAIN = 1, OPSET_VERSION = 2, EACH_AXIS = 13 };

/* The version of ONNX's own operators that the file imports; 0: it does not say. */
static uint64_t version_of(const void *data, size_t size)
{
    uint64_t version = 0;
    xr_pb pb = xr_pb_begin(data, size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);) {
        if (!xr_pb_is(&f, MODEL_OPSET, XR_PB_BYTES))
            continue;
        bool own = true;
        uint64_t number = 0;
        xr_pb import = xr_pb_begin(f.data, f.size);
        for (xr_pb_field g; xr_pb_next(&import, &g);) {
            if (xr_pb_is(&g, OPSET_DOMAIN, XR_PB_BYTES))
                own = g.size == 0 || xr_onnx_is((xr_span){g.data, g.size}, "ai.onnx");
            else if (xr_pb_is(&g, OPSET_VERSION, XR_PB_VARINT))
                number = g.value;
        }
        version = own ? number : version;
    }
    return version;
}

static bool add_attribute(xr_onnx *onnx, xr_onnx_list *list, const char *key, const char *value)
{
    exray_key_value *pair = xr_onnx_add(onnx, list, sizeof *pair);
    if (!pair)
        return false;
    *pair = (exray_key_value){.key = key, .value = value};
    return true;
}

/* The node's attributes, the version, and the axis where it is left out. */
static bool note_version(xr_onnx *onnx, exray_node *node, const char *version)
{
    xr_onnx_list list = {0};
    bool axis = false;
    for (uint32_t i = 0; i < node->attribute_count; i++) {
        if (!add_attribute(onnx, &list, node->attributes[i].key, node->attributes[i].value))
            return false;
        axis = axis || strcmp(node->attributes[i].key, "axis") == 0;
    }
    if (!add_attribute(onnx, &list, "opset", version) || (!axis && !add_attribute(onnx, &list, "axis", "1")))
        return false;
    node->attributes = list.items;
    node->attribute_count = (uint32_t)list.count;
    return true;
}

bool xr_onnx_note_opset(xr_onnx *onnx, const void *data, size_t size)
{
    const uint64_t version = version_of(data, size);
    if (version == 0 || version >= EACH_AXIS)
        return true;
    char digits[8];
    const int length = snprintf(digits, sizeof digits, "%u", (unsigned)version);
    const char *text = xr_onnx_text(onnx, (xr_span){(const uint8_t *)digits, (size_t)length});
    if (!text)
        return false;
    for (size_t i = 0; i < onnx->nodes.count; i++) {
        exray_node *node = xr_onnx_node_at(onnx, i);
        const bool meant = strcmp(node->op, "Softmax") == 0 || strcmp(node->op, "LogSoftmax") == 0;
        if (meant && !xr_onnx_extra(onnx, i)->domain.size && !note_version(onnx, node, text))
            return false;
    }
    return true;
}
