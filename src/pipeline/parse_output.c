#include "pipeline/parse_output.h"

#include <stdio.h>
#include <string.h>

bool xr_parse_output(xr_parser *p, const xr_yaml *node)
{
    enum { LABELS, LABEL_OFFSET, TOP_K };
    static const xr_choice keys[] = {{"labels", LABELS}, {"label_offset", LABEL_OFFSET}, {"top_k", TOP_K}};
    if (xr_yaml_is_null(node))
        return true;
    if (node->kind != XR_YAML_MAP)
        return xr_parse_fail(p, node->line, "output", "needs keys below it, such as 'label_offset: 1'");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        int key;
        int64_t number;
        char where[64];
        if (!xr_parse_find(child->key, keys, XR_COUNT(keys), &key))
            return xr_parse_fail_unknown(p, child->key_line, "output", "key", child->key, keys,
                                         XR_COUNT(keys));
        snprintf(where, sizeof where, "output.%s", child->key);
        if (!xr_parse_need_scalar(p, child, where))
            return false;
        if (key == LABELS) {
            if (!*child->text)
                return xr_parse_fail(p, child->line, where, "needs the path of a file");
            p->pipeline->labels = xr_parse_resolve(p->pipeline->name, child->text);
            if (!p->pipeline->labels)
                return xr_parse_fail(p, child->line, where, "out of memory");
        } else if (key == LABEL_OFFSET) {
            if (!xr_parse_integer(child->text, -1000000000, 1000000000, &p->pipeline->label_offset))
                return xr_parse_fail_value(p, child->line, where, child->text, "a whole number");
        } else {
            if (!xr_parse_integer(child->text, 1, 100000, &number))
                return xr_parse_fail_value(p, child->line, where, child->text, "a whole number 1 to 100000");
            p->pipeline->top_k = (unsigned)number;
        }
    }
    return true;
}
