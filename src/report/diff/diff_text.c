#include "report/diff/diff.h"

#include <cjson/cJSON.h>
#include <math.h>

/* Texts of a file are shown without what could steer a terminal. */
static void put_plain(FILE *out, const char *text)
{
    for (; *text; text++) {
        bool late = (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] >= 0x80 &&
                    (unsigned char)text[1] < 0xA0; /* a C1 control in UTF-8 */
        fputc((unsigned char)*text < 0x20 || *text == 0x7F || late ? '?' : *text, out);
        text += late;
    }
}

static const char *tint(xr_change change, bool color)
{
    static const char *const codes[XR_CHANGES] = {"", "\033[31m", "\033[32m", "\033[31m", "\033[32m"};
    return color ? codes[change] : "";
}

static void put_value(FILE *out, double value)
{
    if (isnan(value))
        fputs("not told", out);
    else
        fprintf(out, "%.4g", value);
}

static void put_measure(const xr_diff_measure *m, FILE *out, bool color)
{
    put_plain(out, m->words);
    fprintf(out, "%*s", m->words[0] ? 1 : 0, "");
    put_value(out, m->value[0]);
    fputs(", then ", out);
    put_value(out, m->value[1]);
    fprintf(out, "   %s%s%s\n", tint(m->change, color), xr_change_name(m->change), color ? "\033[0m" : "");
}

static void put_finding(const xr_diff_finding *f, FILE *out, bool color)
{
    const cJSON *shown = xr_diff_shown(f);
    if (!shown)
        return;
    const char *place = xr_diff_place(shown);
    fprintf(out, "\n%s%s%s  ", tint(f->change, color), xr_change_name(f->change), color ? "\033[0m" : "");
    put_plain(out, xr_diff_member(shown, "severity"));
    fputs(" ", out);
    put_plain(out, xr_diff_member(shown, "cause"));
    if (*place) {
        fputs(" at ", out);
        put_plain(out, place);
    }
    if (f->change == XR_WORSE || f->change == XR_BETTER) {
        fputs(", was ", out);
        put_plain(out, xr_diff_member(f->side[0], "severity"));
        if (xr_diff_is_known(f->side[0]))
            fputs(" and known", out);
    }
    if (xr_diff_is_known(shown))
        fputs(f->side[0] && f->side[1] ? ", is known now" : ", known", out);
    fputs("\n  ", out);
    put_plain(out, xr_diff_member(shown, "summary"));
    fputc('\n', out);
    if (f->side[1] && *xr_diff_member(shown, "fix")) {
        fputs("  fix: ", out);
        put_plain(out, xr_diff_member(shown, "fix"));
        fputc('\n', out);
    }
}

void xr_diff_text(const xr_diff *diff, FILE *out, bool color)
{
    static const xr_change order[] = {XR_NEW, XR_WORSE, XR_GONE, XR_BETTER};
    fputs("verdict ", out);
    put_plain(out, xr_diff_member(diff->root[0], "verdict"));
    fputs(", then ", out);
    put_plain(out, xr_diff_member(diff->root[1], "verdict"));
    fprintf(out, "   %s%s%s\n", tint(diff->verdict, color), xr_change_name(diff->verdict),
            color ? "\033[0m" : "");
    for (size_t i = 0; i < diff->measures; i++)
        if (xr_diff_tells(&diff->measure[i]))
            put_measure(&diff->measure[i], out, color);
    if (!isnan(diff->latency[0]) && !isnan(diff->latency[1]))
        fprintf(out, "latency %.4g ms, then %.4g ms (median inference of the edge)\n", diff->latency[0],
                diff->latency[1]);
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (size_t i = 0; i < diff->findings; i++)
            if (diff->finding[i].change == order[k])
                put_finding(&diff->finding[i], out, color);
    static const char *const words[XR_CHANGES] = {"SAME", "", "", "WORSE", "BETTER"};
    fprintf(out, "\n%s%s%s  %zu new, %zu worse, %zu gone, %zu better, %zu as they were\n",
            tint(diff->change, color), words[diff->change], color ? "\033[0m" : "",
            xr_diff_count(diff, XR_NEW), xr_diff_count(diff, XR_WORSE), xr_diff_count(diff, XR_GONE),
            xr_diff_count(diff, XR_BETTER), xr_diff_count(diff, XR_SAME));
}
