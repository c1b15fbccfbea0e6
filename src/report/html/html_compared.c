/* What was compared and what was not. */
#include "report/html/page.h"
#include "report/html/text/html_words.h"

#include <math.h>
#include <string.h>

enum { UNMATCHED_LISTED = 200 };

/* ---- Both sides ------------------------------------------------------------------------------ */

/* Metadata that differs in any two logs. */
static bool differs_always(const char *name)
{
    static const char *const names[] = {"log", "log_id", "replay_of", "role", "created"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static void put_fact(xr_page *p, const char *name, const char *edge, const char *reference)
{
    const char *values[2] = {edge ? edge : "", reference ? reference : ""};
    if (!*values[0] && !*values[1])
        return;
    bool differ = strcmp(values[0], values[1]) != 0 && !differs_always(name);
    fputs(differ ? "<tr><th scope=\"row\">" : "<tr class=\"same\"><th scope=\"row\">", p->out);
    xr_put_key(p->out, name);
    xr_put(p->out, "</th><td>%s</td><td>%s</td>", *values[0] ? values[0] : "\xE2\x80\x93",
           *values[1] ? values[1] : "\xE2\x80\x93");
    fputs(differ ? "<td class=\"differs\">differs</td></tr>\n" : "<td></td></tr>\n", p->out);
}

static void put_metadata(xr_page *p)
{
    static const char *const keys[] = {"log_id",  "replay_of", "session",       "role",     "task",
                                       "device",  "os",        "arch",          "cpu",      "app",
                                       "capture", "created",   "exray_version", "observer", "label_offset"};
    const exray_log *edge = exray_comparison_log(p->comparison, EXRAY_SIDE_EDGE);
    const exray_log *reference = exray_comparison_log(p->comparison, EXRAY_SIDE_REFERENCE);
    put_fact(p, "log", exray_log_path(edge), exray_log_path(reference));
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        put_fact(p, keys[i], exray_log_metadata(edge, keys[i]), exray_log_metadata(reference, keys[i]));
    put_fact(p, "cut short", exray_log_truncated(edge), exray_log_truncated(reference));
}

static void hash_text(const exray_model *m, char text[72])
{
    text[0] = '\0';
    for (size_t i = 0; m && m->sha256 && i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", m->sha256[i]);
}

/* Prints nothing where a log does not describe the model. */
static void count_text(const exray_model *m, uint32_t count, char text[24])
{
    text[0] = '\0';
    if (m)
        snprintf(text, 24, "%u", (unsigned)count);
}

static void put_models(xr_page *p)
{
    const exray_model *m[2];
    char hash[2][72], threads[2][24], nodes[2][24], damaged[2][24];
    for (int s = 0; s < 2; s++) {
        m[s] = exray_log_model(exray_comparison_log(p->comparison, (exray_side)s));
        hash_text(m[s], hash[s]);
        count_text(m[s], m[s] ? m[s]->threads : 0, threads[s]);
        count_text(m[s], m[s] ? m[s]->node_count : 0, nodes[s]);
        snprintf(damaged[s], sizeof damaged[s], "%llu",
                 (unsigned long long)exray_log_damaged(exray_comparison_log(p->comparison, (exray_side)s)));
    }
    static const exray_model none = {0};
    const exray_model *a = m[0] ? m[0] : &none, *b = m[1] ? m[1] : &none;
    put_fact(p, "model", a->name, b->name);
    put_fact(p, "sha256", hash[0], hash[1]);
    put_fact(p, "engine", a->engine, b->engine);
    put_fact(p, "engine version", a->engine_version, b->engine_version);
    put_fact(p, "kernels", a->kernels, b->kernels);
    put_fact(p, "threads", threads[0], threads[1]);
    put_fact(p, "nodes", nodes[0], nodes[1]);
    if (strcmp(damaged[0], "0") != 0 || strcmp(damaged[1], "0") != 0)
        put_fact(p, "damaged records", damaged[0], damaged[1]);
}

static void describe(const exray_tensor_info *t, char *text, size_t size)
{
    int used = snprintf(text, size, "%s [", exray_dtype_name(t->dtype));
    for (uint32_t i = 0; i < t->rank && i < EXRAY_MAX_RANK && used > 0 && (size_t)used < size; i++)
        used += snprintf(text + used, size - (size_t)used, i ? ", %lld" : "%lld", (long long)t->shape[i]);
    if (used > 0 && (size_t)used < size)
        used += snprintf(text + used, size - (size_t)used, "]");
    if (t->quantization.count == 1 && used > 0 && (size_t)used < size)
        snprintf(text + used, size - (size_t)used, ", scale %.4g, zero point %lld",
                 (double)t->quantization.scale[0],
                 t->quantization.zero_point ? (long long)t->quantization.zero_point[0] : 0);
}

/* The model's own inputs and outputs, by position. */
static void put_tensors(xr_page *p, const char *what, bool outputs)
{
    const exray_model *m[2];
    uint32_t most = 0;
    for (int s = 0; s < 2; s++) {
        m[s] = exray_log_model(exray_comparison_log(p->comparison, (exray_side)s));
        uint32_t count = !m[s] ? 0 : outputs ? m[s]->output_count : m[s]->input_count;
        most = count > most ? count : most;
    }
    for (uint32_t i = 0; i < most && i < 16; i++) {
        char text[2][160] = {"", ""}, name[48];
        for (int s = 0; s < 2; s++) {
            uint32_t count = !m[s] ? 0 : outputs ? m[s]->output_count : m[s]->input_count;
            uint32_t tensor = i < count ? (outputs ? m[s]->outputs : m[s]->inputs)[i] : EXRAY_NO_INDEX;
            if (m[s] && tensor < m[s]->tensor_count)
                describe(&m[s]->tensors[tensor], text[s], sizeof text[s]);
        }
        snprintf(name, sizeof name, most > 1 ? "%s %u" : "%s", what, (unsigned)i);
        put_fact(p, name, text[0], text[1]);
    }
}

static void put_sides(xr_page *p)
{
    fputs(
        "<div class=\"scroll\"><table class=\"facts\"><caption>The two logs</caption><thead><tr><td></td><th "
        "scope=\"col\">Edge</th><th scope=\"col\">Reference</th><td></td></tr></thead><tbody>\n",
        p->out);
    put_metadata(p);
    put_models(p);
    put_tensors(p, "input", false);
    put_tensors(p, "output", true);
    fputs("</tbody></table></div>\n", p->out);
}

/* ---- Inputs and outputs --------------------------------------------------------------------------- */

static void put_io(xr_page *p, const char *what, const exray_io_pair *io)
{
    xr_number_text a, b, c;
    xr_put(p->out, "<tr><th scope=\"row\">%s <code>%s</code></th><td>%s</td>", what,
           io->name[EXRAY_SIDE_EDGE],
           io->problem      ? io->problem
           : io->comparable ? "compared"
                            : "not compared");
    xr_put(p->out, "<td class=\"n\">%s</td><td class=\"n\">%s</td><td class=\"n\">%s</td></tr>\n",
           xr_number(a, io->error), xr_number(b, io->metrics.nrmse), xr_number(c, io->metrics.cosine));
}

static void put_ios(xr_page *p)
{
    fputs("<div class=\"scroll\"><table class=\"small\"><caption>The model's inputs and "
          "outputs</caption><thead><tr><th "
          "scope=\"col\">Tensor</th><th scope=\"col\">State</th><th scope=\"col\">Error</th><th "
          "scope=\"col\">nRMSE</th><th "
          "scope=\"col\">Cosine</th></tr></thead><tbody>\n",
          p->out);
    for (size_t i = 0; i < exray_comparison_input_count(p->comparison); i++)
        put_io(p, "input", exray_comparison_input(p->comparison, i));
    for (size_t i = 0; i < exray_comparison_output_count(p->comparison); i++)
        put_io(p, "output", exray_comparison_output(p->comparison, i));
    fputs("</tbody></table></div>\n", p->out);
}

/* ---- What is missing -------------------------------------------------------------------------------- */

static bool is_matched(const exray_comparison *c, exray_side side, uint32_t node)
{
    for (size_t i = 0; i < exray_comparison_layer_count(c); i++)
        if (exray_comparison_layer(c, i)->node[side] == node)
            return true;
    return false;
}

static void put_unmatched(xr_page *p, exray_side side)
{
    const exray_model *m = exray_log_model(exray_comparison_log(p->comparison, side));
    size_t count = 0, layers = exray_comparison_layer_count(p->comparison);
    if (!m || layers == 0)
        return;
    for (uint32_t n = 0; n < m->node_count; n++) {
        if (m->nodes[n].subgraph != 0 || is_matched(p->comparison, side, n))
            continue;
        if (count == 0)
            xr_put(p->out,
                   "<details><summary>Nodes of the %s without a counterpart</summary><ul class=\"plain\">\n",
                   xr_side_name(side));
        if (count++ < UNMATCHED_LISTED)
            xr_put(p->out, "<li>%u %s <code>%s</code></li>\n", (unsigned)n, m->nodes[n].op,
                   exray_node_name(m, n));
    }
    if (count > UNMATCHED_LISTED)
        xr_put(p->out, "<li>and %zu more</li>\n", count - UNMATCHED_LISTED);
    if (count)
        xr_put(p->out,
               "</ul><p>%zu in all. Those that only change type or shape do not count as "
               "layers.</p></details>\n",
               count);
}

static void put_frames(xr_page *p)
{
    size_t edge = exray_comparison_unmatched_frames(p->comparison, EXRAY_SIDE_EDGE);
    size_t reference = exray_comparison_unmatched_frames(p->comparison, EXRAY_SIDE_REFERENCE);
    if (edge || reference)
        xr_put(p->out, "<p>%zu frames are only in the edge's log, %zu only in the reference's.</p>\n", edge,
               reference);
}

static void put_assertions(xr_page *p)
{
    const xr_outcome *o = p->report->outcome;
    size_t unjudged = 0, judged = 0;
    for (size_t i = 0; i < o->run_count; i++)
        o->run[i].status == EXRAY_OK ? judged++ : unjudged++;
    xr_put(p->out, "<h3>Assertions</h3><p>%zu were judged", judged);
    xr_put(p->out, unjudged ? ", %zu were not:</p>\n<dl class=\"assertions\">\n" : ".</p>\n", unjudged);
    for (size_t i = 0; i < o->run_count; i++)
        if (o->run[i].status != EXRAY_OK)
            xr_put(p->out, "<div><dt><code>%s</code> <span>%s</span></dt><dd>%s</dd></div>\n",
                   o->run[i].assertion->name, o->run[i].status == EXRAY_E_STATE ? "unjudged" : "failed",
                   o->run[i].message);
    if (unjudged)
        fputs("</dl>\n", p->out);
    for (const char *const *remark = p->report->not_used; remark && *remark; remark++)
        xr_put(p->out, "<p>Note: %s.</p>\n", *remark);
}

void xr_html_compared(xr_page *p)
{
    fputs("<section id=\"compared\"><h2>What was compared, and what was not</h2>\n", p->out);
    put_sides(p);
    put_ios(p);
    put_frames(p);
    put_unmatched(p, EXRAY_SIDE_EDGE);
    put_unmatched(p, EXRAY_SIDE_REFERENCE);
    put_assertions(p);
    fputs("</section>\n", p->out);
}
