#include "checks/op_name.h"

#include <ctype.h>
#include <string.h>

bool xr_is_op(const char *op, const char *name)
{
    static const char quantized[] = "QLinear";
    if (op && strncmp(op, quantized, sizeof quantized - 1) == 0)
        op += sizeof quantized - 1;
    while (op && *op && *name) {
        if (*op == '_') {
            op++;
            continue;
        }
        if (tolower((unsigned char)*op++) != *name++)
            return false;
    }
    return op && !*op && !*name;
}

bool xr_has_word(const char *name, const char *word)
{
    for (; *name; name++) {
        size_t i = 0;
        while (word[i] && tolower((unsigned char)name[i]) == word[i])
            i++;
        if (!word[i])
            return true;
    }
    return false;
}
