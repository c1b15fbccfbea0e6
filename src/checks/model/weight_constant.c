#include "checks/model/weight_constant.h"

#include <string.h>

const char *xr_node_attribute(const exray_node *node, const char *key)
{
    for (uint32_t i = 0; node && i < node->attribute_count; i++)
        if (node->attributes[i].key && strcmp(node->attributes[i].key, key) == 0)
            return node->attributes[i].value;
    return NULL;
}
