#define _POSIX_C_SOURCE 200809L
#include "validate/known_file.h"

#include "base/error.h"
#include "base/file.h"
#include "pipeline/yaml_tree.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Reading ------------------------------------------------------------------------ */

/* Today as YYYY-MM-DD, of UTC: dates of this form are in order as texts. */
static void today(char out[16])
{
    time_t now = time(NULL);
    struct tm parts;
    if (!gmtime_r(&now, &parts) || !strftime(out, 16, "%Y-%m-%d", &parts))
        snprintf(out, 16, "0000-00-00");
}

/* "YYYY-MM-DD", of a day that there is. */
static bool is_date(const char *text)
{
    static const char form[] = "dddd-dd-dd";
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (strlen(text) != sizeof form - 1)
        return false;
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    const int year = atoi(text), month = atoi(text + 5), day = atoi(text + 8);
    if (month < 1 || month > 12)
        return false;
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return day >= 1 && day <= days[month - 1] + (leap && month == 2);
}

static exray_status refuse(exray_error *error, const char *path, unsigned line, const char *what)
{
    return xr_error_set(error, EXRAY_E_FORMAT, "%.200s:%u: %.200s", path, line, what);
}

static exray_status take_key(const char *path, xr_yaml *value, xr_known_finding *out, exray_error *error)
{
    const struct {
        const char *key;
        char **into;
    } keys[] = {
        {"cause", &out->cause}, {"where", &out->where}, {"reason", &out->reason}, {"expires", &out->expires}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(value->key, keys[i].key) != 0)
            continue;
        if (value->kind != XR_YAML_SCALAR)
            return refuse(error, path, value->line, "the values of an entry are texts");
        if (xr_yaml_is_null(value))
            return EXRAY_OK;
        *keys[i].into = value->text; /* moved: the tree is freed */
        value->text = NULL;
        return EXRAY_OK;
    }
    char shown[XR_SHOWN], what[160];
    snprintf(what, sizeof what, "an entry has cause, where, reason and expires, not '%s'",
             xr_show(value->key, shown));
    return refuse(error, path, value->key_line, what);
}

static exray_status take_entry(const char *path, xr_yaml *entry, const char *now, xr_known_finding *out,
                               exray_error *error)
{
    out->line = entry->line;
    if (entry->kind != XR_YAML_MAP)
        return refuse(error, path, entry->line, "an entry is a map: {cause, where, reason, expires}");
    for (xr_yaml *value = entry->first; value; value = value->next) {
        exray_status status = take_key(path, value, out, error);
        if (status)
            return status;
    }
    if (!out->cause || !*out->cause)
        return refuse(error, path, entry->line, "an entry without a cause");
    if (out->expires && !is_date(out->expires))
        return refuse(error, path, entry->line, "expires is a day that there is, YYYY-MM-DD");
    out->expired = out->expires && strcmp(out->expires, now) < 0;
    return EXRAY_OK;
}

static exray_status take_list(const char *path, const xr_yaml *root, xr_known_list *out, exray_error *error)
{
    char now[16];
    size_t count = 0;
    /* An empty document is an empty map. */
    if (root->kind != XR_YAML_LIST && !(root->kind == XR_YAML_MAP && !root->first))
        return refuse(error, path, root->line,
                      "known findings are a list of {cause, where, reason, expires}");
    for (const xr_yaml *entry = root->first; entry; entry = entry->next)
        count++;
    out->item = calloc(count + 1, sizeof *out->item);
    if (!out->item)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory");
    today(now);
    for (xr_yaml *entry = root->first; entry; entry = entry->next) {
        exray_status status = take_entry(path, entry, now, &out->item[out->count++], error);
        if (status)
            return status;
    }
    return EXRAY_OK;
}

exray_status xr_known_read(const char *path, xr_known_list *out, exray_error *error)
{
    *out = (xr_known_list){0};
    if (!path)
        return EXRAY_OK;
    size_t size;
    char *text = xr_file_read(path, XR_LIMIT_TEXT, &size, error);
    if (!text)
        return error->status;
    char *begin = xr_text_begin(text);
    xr_yaml *root = xr_yaml_read(begin, size - (size_t)(begin - text), path, error);
    exray_status status = root ? take_list(path, root, out, error) : error->status;
    xr_yaml_free(root);
    free(text);
    if (status)
        xr_known_free(out);
    return status;
}

void xr_known_free(xr_known_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->item[i].cause);
        free(list->item[i].where);
        free(list->item[i].reason);
        free(list->item[i].expires);
    }
    free(list->item);
    *list = (xr_known_list){0};
}

void xr_known_remark(const char *path, const xr_known_finding *known, char *out, size_t size)
{
    char cause[XR_SHOWN], where[XR_SHOWN];
    *out = '\0';
    if (known->used && !known->expired)
        return;
    int used = snprintf(out, size, "%.200s:%u: %s%s%s: ", path, known->line, xr_show(known->cause, cause),
                        known->where ? " at " : "", known->where ? xr_show(known->where, where) : "");
    if (used < 0 || (size_t)used >= size)
        return;
    if (known->used)
        snprintf(out + used, size - (size_t)used,
                 "it has expired on %s, so that what it accepted counts again", known->expires);
    else
        snprintf(out + used, size - (size_t)used, "nothing like it was found: remove the entry");
}

/* ---- Writing ------------------------------------------------------------------------- */

/* A text in double quotes: any text can be written so. */
static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *at = (const unsigned char *)text; *at; at++) {
        if (*at == '"' || *at == '\\')
            fprintf(out, "\\%c", *at);
        else if (*at < 0x20 || *at == 0x7F)
            fprintf(out, "\\x%02X", *at);
        else
            fputc(*at, out);
    }
    fputc('"', out);
}

static void put_entry(FILE *out, const char *cause, const char *where, const char *reason,
                      const char *expires)
{
    fputs("- cause: ", out);
    put_text(out, cause);
    if (where && *where) {
        fputs("\n  where: ", out);
        put_text(out, where);
    }
    fputs("\n  reason: ", out);
    put_text(out, reason ? reason : "");
    if (expires) {
        fputs("\n  expires: ", out);
        put_text(out, expires);
    }
    fputc('\n', out);
}

static bool is_written(exray_finding *const *shown, size_t before, const exray_finding *f)
{
    for (size_t i = 0; i < before; i++)
        if (shown[i]->severity == EXRAY_SEVERITY_ERROR && strcmp(shown[i]->cause, f->cause) == 0 &&
            strcmp(xr_known_place(shown[i]), xr_known_place(f)) == 0)
            return true;
    return false;
}

static void put_list(FILE *out, const xr_known_list *read, const xr_outcome *outcome)
{
    size_t written = 0;
    fputs("# Findings that are accepted: they are shown as known, and do not fail.\n"
          "# Say why (reason) and, if you can, the last day on which it holds (expires: YYYY-MM-DD).\n",
          out);
    for (size_t i = 0; i < read->count; i++) {
        const xr_known_finding *k = &read->item[i];
        if (!k->used || k->expired)
            continue;
        put_entry(out, k->cause, k->where, k->reason, k->expires);
        written++;
    }
    for (size_t i = 0; i < outcome->shown_count; i++) {
        const exray_finding *f = outcome->shown[i];
        if (f->severity != EXRAY_SEVERITY_ERROR || f->known || is_written(outcome->shown, i, f))
            continue;
        put_entry(out, f->cause, xr_known_place(f), NULL, NULL);
        written++;
    }
    if (written == 0)
        fputs("[]\n", out);
}

exray_status xr_known_write(const char *path, const xr_known_list *read, const xr_outcome *outcome,
                            exray_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *out = standard ? stdout : fopen(path, "w");
    if (out)
        put_list(out, read, outcome);
    bool written = out && !ferror(out);
    if (out && (standard ? fflush(out) : fclose(out)) != 0)
        written = false;
    return written ? EXRAY_OK
                   : xr_error_set(error, EXRAY_E_IO, "cannot write the known findings to '%.300s': %s", path,
                                  strerror(errno));
}
