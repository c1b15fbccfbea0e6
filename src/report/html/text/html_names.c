#include "report/html/text/html_names.h"

#include <string.h>

/* A finding says that one side's names, or numbers, of classes are wrong. */
static bool labels_are_doubted(const xr_page *p)
{
    const xr_outcome *o = p->report->outcome;
    for (size_t i = 0; i < o->shown_count; i++)
        if (strncmp(o->shown[i]->cause, "output.label", 12) == 0)
            return true;
    return false;
}

static void read_names(xr_page *p)
{
    exray_error error;
    p->names.read = true;
    for (int s = 0; s < 2; s++)
        if (xr_class_names_told(p->comparison, (exray_side)s, &p->names.told[s], &error) != EXRAY_OK ||
            xr_class_names_attached(p->comparison, (exray_side)s, &p->names.attached[s], &error) != EXRAY_OK)
            p->out_of_memory = true;
    p->names.doubted = labels_are_doubted(p);
}

static const char *find(const xr_page *p, exray_side side, int64_t id)
{
    const xr_class_name *name = xr_class_names_find(&p->names.told[side], id);
    if (!name)
        name = xr_class_names_find(&p->names.attached[side], id);
    return name ? name->text : NULL;
}

const char *xr_class_name_of(xr_page *p, exray_side side, int64_t id)
{
    if (!p->names.read)
        read_names(p);
    exray_side other = side == EXRAY_SIDE_EDGE ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE;
    bool none = p->names.told[side].count == 0 && p->names.attached[side].count == 0;
    return none && !p->names.doubted ? find(p, other, id) : find(p, side, id);
}

void xr_put_class(xr_page *p, exray_side side, int64_t id, const char *told)
{
    const char *name = told && *told ? told : xr_class_name_of(p, side, id);
    if (name)
        xr_put(p->out, "%s <span class=\"id\">class %lld</span>", name, (long long)id);
    else
        xr_put(p->out, "class %lld", (long long)id);
}

const char *xr_class_in_words(xr_page *p, exray_side side, int64_t id, xr_class_words buffer)
{
    const char *name = xr_class_name_of(p, side, id);
    if (name)
        snprintf(buffer, sizeof(xr_class_words), "%s (class %lld)", name, (long long)id);
    else
        snprintf(buffer, sizeof(xr_class_words), "class %lld", (long long)id);
    return buffer;
}

void xr_html_names_free(xr_page *p)
{
    for (int s = 0; s < 2; s++) {
        xr_class_names_free(&p->names.told[s]);
        xr_class_names_free(&p->names.attached[s]);
    }
}
