#include "report/json_out.h"

bool xr_json_put(cJSON *root, FILE *out)
{
    char *printed = cJSON_Print(root);
    cJSON_Delete(root);
    if (!printed)
        return false;
    fputs(printed, out);
    fputc('\n', out);
    cJSON_free(printed);
    return true;
}
