/* Every layer with its figures: what the charts show, as a table. */
#include "report/html/html_layers.h"
#include "report/layer_cause.h"

#include <math.h>

static const char *sign_of(exray_layer_role role)
{
    static const char *const signs[] = {"\xE2\x97\x8B", "\xE2\x97\x86", "\xE2\x96\xB3", "\xC3\x97"};
    return signs[role <= EXRAY_LAYER_ROLE_UNJUDGED ? role : EXRAY_LAYER_ROLE_UNJUDGED];
}

static void put_head(xr_page *p)
{
    static const struct {
        const char *name, *title;
    } columns[] = {{"#", "node of the edge's model, in execution order"},
                   {"Layer", "name and operator"},
                   {"Role", "the verdict on the layer"},
                   {"Error", "rmse over the reference's standard deviation; lower is better"},
                   {"Noise", "the error that data types and healthy inputs explain"},
                   {"nRMSE", "rmse over the range of the reference's values; lower is better"},
                   {"Cosine", "higher is better; 1 is equal up to scale"},
                   {"Max", "largest absolute difference, in the tensor's unit; lower is better"},
                   {"Edge ms", "median time on the edge"},
                   {"Ref. ms", "median time of the reference"}};
    fputs("<thead><tr>", p->out);
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
        xr_put(p->out, "<th scope=\"col\" title=\"%s\">%s</th>", columns[i].title, columns[i].name);
    fputs("</tr></thead>\n", p->out);
}

static void put_number(xr_page *p, double value)
{
    xr_number_text n;
    xr_put(p->out, "<td class=\"n\">%s</td>", xr_number(n, value));
}

static void put_time(xr_page *p, exray_side side, const exray_layer_pair *l)
{
    const exray_node_latency *node =
        l->output ? NULL
                  : exray_latency_table_node(exray_comparison_latency(p->comparison, side), l->node[side]);
    if (node)
        xr_put(p->out, "<td class=\"n\">%.3f</td>", node->time.median / 1e6);
    else
        put_number(p, NAN);
}

static void put_row(xr_page *p, size_t i)
{
    const exray_layer_pair *l = exray_comparison_layer(p->comparison, i);
    xr_name_text name;
    const char *cause = xr_layer_cause(p->report, i);
    xr_put(p->out,
           "<tr id=\"row-%zu\" class=\"%s\"><td class=\"n\">%u</td><th scope=\"row\"><button type=\"button\" "
           "class=\"name\" data-layer=\"%zu\" title=\"%s\">%s</button> <span class=\"op\">%s</span></th><td "
           "class=\"role\">"
           "<span aria-hidden=\"true\">%s</span> %s%s%s</td>",
           i, xr_role_class(l->role), (unsigned)l->node[EXRAY_SIDE_EDGE], i, l->name[EXRAY_SIDE_EDGE],
           xr_short_name(name, l->name[EXRAY_SIDE_EDGE]), l->op[EXRAY_SIDE_EDGE], sign_of(l->role),
           xr_role_words(l->role), cause ? "; " : "", cause ? cause : "");
    put_number(p, l->error);
    put_number(p, l->noise);
    put_number(p, l->metrics.nrmse);
    put_number(p, l->metrics.cosine);
    put_number(p, l->metrics.max_abs);
    put_time(p, EXRAY_SIDE_EDGE, l);
    put_time(p, EXRAY_SIDE_REFERENCE, l);
    fputs("</tr>\n", p->out);
}

void xr_html_table(xr_page *p)
{
    size_t count = exray_comparison_layer_count(p->comparison);
    if (count == 0)
        return;
    fputs("<section id=\"table\" aria-label=\"All layers\">\n<div class=\"tools\" hidden><label "
          "for=\"find\">Find</label>"
          "<input id=\"find\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\"><label "
          "for=\"show\">Show</label><select id=\"show\"><option "
          "value=\"\">all layers</option><option value=\"wrong\">those beyond noise</option><option "
          "value=\"origin\">those wrong by themselves</option><option value=\"unjudged\">those not "
          "judged</option></select><span id=\"shown\" role=\"status\"></span></div>\n"
          "<div class=\"scroll tall\" tabindex=\"0\" role=\"region\" aria-label=\"Table of layers\"><table "
          "id=\"rows\">\n<caption>Layers in "
          "execution order of the edge</caption>\n",
          p->out);
    put_head(p);
    fputs("<tbody>\n", p->out);
    for (size_t i = 0; i < count; i++)
        put_row(p, i);
    fputs("</tbody></table></div>\n</section>\n", p->out);
}
