/* The contract "exray-diff", version 1. */
#include "report/diff/diff.h"
#include "report/json_out.h"

#include <math.h>

static void put_number(cJSON *object, const char *key, double value)
{
    if (isfinite(value))
        cJSON_AddNumberToObject(object, key, value);
    else
        cJSON_AddNullToObject(object, key);
}

static void add_side(const xr_diff *diff, cJSON *root, int side)
{
    cJSON *o = cJSON_AddObjectToObject(root, side ? "new" : "old");
    cJSON_AddStringToObject(o, "path", diff->path[side]);
    cJSON_AddStringToObject(o, "verdict", xr_diff_member(diff->root[side], "verdict"));
    put_number(o, "edge_ms", diff->latency[side]);
}

static void add_findings(const xr_diff *diff, cJSON *root)
{
    cJSON *all = cJSON_AddObjectToObject(root, "findings");
    for (int change = 0; change < XR_CHANGES; change++) {
        if (change == XR_SAME) {
            cJSON_AddNumberToObject(all, "same", (double)xr_diff_count(diff, XR_SAME));
            continue;
        }
        cJSON *list = cJSON_AddArrayToObject(all, xr_change_name((xr_change)change));
        for (size_t i = 0; i < diff->findings; i++) {
            const xr_diff_finding *f = &diff->finding[i];
            if ((int)f->change != change)
                continue;
            cJSON *item = cJSON_Duplicate(xr_diff_shown(f), true);
            if (f->side[0] && f->side[1])
                cJSON_AddStringToObject(item, "was", xr_diff_member(f->side[0], "severity"));
            cJSON_AddBoolToObject(item, "counts", f->counts);
            cJSON_AddItemToArray(list, item);
        }
    }
}

bool xr_diff_json(const xr_diff *diff, FILE *out)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", "exray-diff");
    cJSON_AddNumberToObject(root, "version", 1);
    cJSON_AddStringToObject(root, "change", xr_change_name(diff->change));
    cJSON_AddStringToObject(root, "verdict", xr_change_name(diff->verdict));
    add_side(diff, root, 0);
    add_side(diff, root, 1);
    add_findings(diff, root);
    cJSON *list = cJSON_AddArrayToObject(root, "measures");
    for (size_t i = 0; i < diff->measures; i++) {
        const xr_diff_measure *m = &diff->measure[i];
        cJSON *o = cJSON_CreateObject();
        cJSON_AddStringToObject(o, "name", m->name);
        put_number(o, "old", m->value[0]);
        put_number(o, "new", m->value[1]);
        cJSON_AddStringToObject(o, "change", xr_change_name(m->change));
        cJSON_AddBoolToObject(o, "counts", m->counts);
        cJSON_AddItemToArray(list, o);
    }
    return xr_json_put(root, out);
}
