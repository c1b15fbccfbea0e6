#include "checks/model/graph/node_facts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

void xr_plain_op(const char *op, char out[XR_PLAIN_NAME])
{
    static const char *const prefixes[] = {"qlinear", "fused", "nhwc", "nchwc"};
    size_t n = 0;
    for (; op && *op && n + 1 < XR_PLAIN_NAME; op++)
        if (isalnum((unsigned char)*op))
            out[n++] = (char)tolower((unsigned char)*op);
    out[n] = '\0';
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]);
        if (n > length && memcmp(out, prefixes[i], length) == 0) {
            memmove(out, out + length, n - length + 1);
            n -= length;
            i = (size_t)-1; /* QLinearFused...: from the first again */
        }
    }
}

const char *xr_attribute_text(const exray_node *node, const char *key)
{
    for (uint32_t i = 0; i < node->attribute_count; i++)
        if (node->attributes[i].key && strcmp(node->attributes[i].key, key) == 0)
            return node->attributes[i].value;
    return NULL;
}

double xr_attribute_number(const exray_node *node, const char *key, double otherwise)
{
    double value;
    return xr_attribute_numbers(node, key, &value, 1) == 1 ? value : otherwise;
}

bool xr_attribute_flag(const exray_node *node, const char *key, bool otherwise)
{
    const char *text = xr_attribute_text(node, key);
    if (!text || !*text)
        return otherwise;
    return *text == 't' || *text == 'T' || (isdigit((unsigned char)*text) && strtod(text, NULL) != 0);
}

size_t xr_attribute_numbers(const exray_node *node, const char *key, double *out, size_t room)
{
    const char *text = xr_attribute_text(node, key);
    size_t count = 0;
    while (text && *text) {
        if (strchr(" ,()[]", *text)) {
            text++;
            continue;
        }
        char *end;
        double value = strtod(text, &end);
        if (end == text)
            return 0;
        if (count < room)
            out[count] = value;
        count++;
        text = end;
    }
    return count;
}
