#include "checks/input/tokens/token_names.h"

#include <stdio.h>
#include <stdlib.h>

const char *xr_token_name(const xr_token_names *names, int64_t id, char text[80])
{
    const char *token = id >= 0 && (uint64_t)id < names->count ? names->token[id] : NULL;
    text[0] = 0;
    if (token)
        snprintf(text, 80, " (\"%.70s\")", token);
    return text;
}

void xr_token_names_read(const exray_comparison *comparison, exray_side side, xr_token_names *out)
{
    (void)comparison;
    (void)side;
    *out = (xr_token_names){.count = 0};
}

void xr_token_names_free(xr_token_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->token[i]);
    free(names->token);
    *names = (xr_token_names){.count = 0};
}
