#define _POSIX_C_SOURCE 200809L
#include "replay/truth/truth.h"

#include "base/error.h"
#include "base/file.h"
#include "replay/labels.h"
#include "replay/truth/coco.h"
#include "replay/truth/mask_folder.h"
#include "replay/truth/text_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* One of them. */
struct xr_truth {
    xr_labels *lines;
    xr_coco *coco;
    xr_text_table *table;
    char *masks; /* the folder */
};

static bool ends_in(const char *path, const char *ending)
{
    const char *dot = strrchr(xr_base_name(path), '.');
    return dot && strcasecmp(dot, ending) == 0;
}

xr_truth *xr_truth_load(const char *path, exray_error *error)
{
    struct stat info;
    xr_truth *truth = calloc(1, sizeof *truth);
    if (!truth) {
        xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", path);
        return NULL;
    }
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        truth->masks = strdup(path);
        if (!truth->masks)
            xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", path);
    } else if (ends_in(path, ".json"))
        truth->coco = xr_coco_load(path, error);
    else if (ends_in(path, ".tsv"))
        truth->table = xr_text_table_load(path, error);
    else
        truth->lines = xr_labels_load(path, error);
    if (truth->masks || truth->coco || truth->table || truth->lines)
        return truth;
    free(truth);
    return NULL;
}

bool xr_truth_has(const xr_truth *truth, const char *file)
{
    int64_t label;
    return truth->masks   ? xr_mask_folder_has(truth->masks, file)
           : truth->coco  ? xr_coco_has(truth->coco, file)
           : truth->table ? xr_text_table_has(truth->table, file)
                          : xr_labels_find(truth->lines, file, &label);
}

bool xr_truth_label(const xr_truth *truth, const char *file, int64_t *label)
{
    return truth->table   ? xr_text_table_label(truth->table, file, label)
           : truth->lines ? xr_labels_find(truth->lines, file, label)
                          : false;
}

exray_status xr_truth_result(const xr_truth *truth, const char *file, exray_told *told, exray_result *out,
                             exray_error *error)
{
    *out = (exray_result){0};
    if (truth->masks)
        return xr_mask_folder_result(truth->masks, file, told, out, error);
    if (truth->coco)
        return xr_coco_result(truth->coco, file, told, out, error);
    if (truth->table)
        out->text = xr_text_table_text(truth->table, file);
    return out->text ? EXRAY_OK : EXRAY_E_STATE;
}

bool xr_truth_has_results(const xr_truth *truth)
{
    return !truth->lines;
}

void xr_truth_describe(const xr_truth *truth, char *text, size_t size)
{
    if (truth->masks)
        snprintf(text, size, "masks (NAME.png)");
    else
        snprintf(text, size, "%zu files",
                 truth->coco    ? xr_coco_count(truth->coco)
                 : truth->table ? xr_text_table_count(truth->table)
                                : xr_labels_count(truth->lines));
}

void xr_truth_free(xr_truth *truth)
{
    if (!truth)
        return;
    xr_labels_free(truth->lines);
    xr_coco_free(truth->coco);
    xr_text_table_free(truth->table);
    free(truth->masks);
    free(truth);
}
