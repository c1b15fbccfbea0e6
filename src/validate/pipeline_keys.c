#include "validate/pipeline_keys.h"

#include "base/buffer.h"
#include "checks/input/pipeline_of.h"
#include "pipeline/parse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BYTES = 256 * 1024, MAX_VALUE = 400, MAX_KEYS = 10 };

/* The keys that a cause is about, "SECTION.KEY", the likeliest first. */
static const struct {
    const char *cause;
    const char *keys[MAX_KEYS];
} about[] = {
    {"input.channel_order", {"image.channels"}},
    {"input.normalization", {"image.normalize", "audio.scale", "audio.features"}},
    {"input.quantization", {"image.normalize", "audio.scale"}},
    {"input.rotation", {"image.rotate", "image.orient", "image.region"}},
    {"input.flip", {"image.flip", "image.orient"}},
    {"input.crop", {"image.crop", "image.region", "image.pad"}},
    {"input.resize", {"image.resize"}},
    {"input.layout", {"image.layout", "audio.channels"}},
    {"input.sample_rate", {"audio.rate", "audio.features"}},
    {"input.gain", {"audio.scale", "audio.features"}},
    {"input.delay", {"audio.window", "audio.features"}},
    {"input.features", {"audio.features", "audio.rate", "audio.window"}},
    {"input.shape", {"audio.window", "text.length", "audio.features", "image.resize"}},
    {"input.order", {".inputs"}},
    {"input.unknown",
     {"image.crop", "image.resize", "image.normalize", "audio.rate", "audio.scale", "audio.window",
      "audio.features", "text.tokenizer"}},
    {"input.tokens",
     {"text.tokenizer", "text.vocabulary", "text.lower_case", "text.pattern", "text.special", "text.length",
      "text.pad", "text.truncate", ".inputs"}},
    {"model.state", {".state"}},
    {"output.label_offset", {"output.label_offset"}},
};

static xr_yaml *read_attachment(const exray_log *log, size_t i, exray_slot *slot)
{
    const void *data;
    size_t size;
    exray_error error;
    if (exray_log_read_attachment(log, i, slot, &data, &size, &error) != EXRAY_OK)
        return NULL;
    return xr_pipeline_tree(data, size, "pipeline", &error);
}

/* The pipeline file of a log, as a tree that the caller frees; NULL: it has none that can be read. */
static xr_yaml *pipeline_of(const exray_comparison *comparison, exray_side side)
{
    const exray_log *log = exray_comparison_log(comparison, side);
    exray_slot *slot = exray_slot_new();
    xr_yaml *found = NULL;
    for (size_t i = 0; slot && !found && i < exray_log_attachment_count(log); i++) {
        const exray_attachment *a = exray_log_attachment(log, i);
        if (xr_is_pipeline_file(a) && a->size <= MAX_BYTES)
            found = read_attachment(log, i, slot);
    }
    exray_slot_free(slot);
    return found;
}

static const xr_yaml *child(const xr_yaml *map, const char *key, size_t length)
{
    if (!map || map->kind != XR_YAML_MAP)
        return NULL;
    for (const xr_yaml *node = map->first; node; node = node->next)
        if (strlen(node->key) == length && memcmp(node->key, key, length) == 0)
            return node;
    return NULL;
}

/* The value at "SECTION.KEY"; *section: whether the file has that section, with keys that are not steps. */
static const xr_yaml *value_at(const xr_yaml *root, const char *path, bool *section)
{
    const char *dot = strchr(path, '.');
    const xr_yaml *map = dot == path ? root : child(root, path, (size_t)(dot - path));
    *section = map && map->kind == XR_YAML_MAP && !child(map, "steps", 5);
    return *section ? child(map, dot + 1, strlen(dot + 1)) : NULL;
}

static void add_text(xr_buffer *out, const char *text)
{
    xr_buffer_add(out, text, strlen(text));
}

static void add_value(xr_buffer *out, const xr_yaml *node)
{
    if (node->kind == XR_YAML_SCALAR) {
        const char *quote = node->plain ? "" : "'";
        add_text(out, quote);
        for (const char *c = node->text; *c; c++)
            xr_buffer_add(out, *c == '\'' && *quote ? "''" : c, *c == '\'' && *quote ? 2 : 1);
        add_text(out, quote);
        return;
    }
    bool map = node->kind == XR_YAML_MAP;
    add_text(out, map ? "{" : "[");
    for (const xr_yaml *item = node->first; item; item = item->next) {
        if (item != node->first)
            add_text(out, ", ");
        if (map) {
            add_text(out, item->key);
            add_text(out, ": ");
        }
        add_value(out, item);
    }
    add_text(out, map ? "}" : "]");
}

/* The value as one line of YAML, as far as it can be shown; false: it cannot, or there is no memory. */
static bool write_value(const xr_yaml *node, char text[MAX_VALUE])
{
    xr_buffer out = {0};
    text[0] = 0;
    if (node)
        add_value(&out, node);
    bool shown = !out.failed && out.size < MAX_VALUE;
    for (size_t i = 0; shown && i < out.size; i++)
        shown = out.data[i] >= 0x20 && out.data[i] != '`' && out.data[i] != 0x7f;
    if (shown && out.size) {
        memcpy(text, out.data, out.size);
        text[out.size] = 0;
    }
    xr_buffer_free(&out);
    return shown;
}

/* Whether the fix names a value of the key already: `KEY: VALUE`, and not `KEY: ...`. */
static bool names_value(const char *fix, const char *key)
{
    char start[40];
    size_t length = (size_t)snprintf(start, sizeof start, "`%s: ", key);
    for (const char *at = fix; (at = strstr(at, start)); at += length) {
        const char *end = strchr(at + 1, '`');
        const char *open = strstr(at, "...");
        if (!open || !end || open > end)
            return true;
    }
    return false;
}

/* What the fix has to say of one key: "`KEY: VALUE`", "leave `KEY` out"; false: the files do not differ
 * there. */
static bool say_key(const xr_yaml *const root[2], const char *path, char text[MAX_VALUE + 64])
{
    char value[2][MAX_VALUE];
    const xr_yaml *node[2];
    for (int s = 0; s < 2; s++) {
        bool section;
        node[s] = value_at(root[s], path, &section);
        if (!section || !write_value(node[s], value[s]))
            return false;
    }
    if ((!node[0] && !node[1]) || (node[0] && node[1] && strcmp(value[0], value[1]) == 0))
        return false;
    const char *key = strchr(path, '.') + 1;
    if (node[EXRAY_SIDE_REFERENCE])
        snprintf(text, MAX_VALUE + 64, "`%s: %s`", key, value[EXRAY_SIDE_REFERENCE]);
    else
        snprintf(text, MAX_VALUE + 64, "leave `%s` out", key);
    return true;
}

/* A number, or a list of three; false: anything else. */
static bool three_numbers(const xr_yaml *value, double out[3])
{
    const bool list = value && value->kind == XR_YAML_LIST;
    const xr_yaml *item = list ? value->first : value;
    for (int c = 0; c < 3; c++) {
        char *end = NULL;
        if (!item || item->kind != XR_YAML_SCALAR || !*item->text)
            return false;
        out[c] = strtod(item->text, &end);
        if (*end || !isfinite(out[c]))
            return false;
        item = list ? item->next : item;
    }
    return true;
}

/* Constants are measured, and of values that an integer input clipped only nearly: where the reference's file
 * has others than the fix, they are told, too. */
static void say_constants(const xr_yaml *const root[2], exray_finding *finding)
{
    char difference[MAX_VALUE + 64];
    bool section;
    const xr_yaml *normalize = value_at(root[EXRAY_SIDE_REFERENCE], "image.normalize", &section);
    if (!normalize || normalize->kind != XR_YAML_MAP || !say_key(root, "image.normalize", difference))
        return;
    double mean[3], std[3];
    char said[160];
    if (!three_numbers(child(normalize, "mean", 4), mean) || !three_numbers(child(normalize, "std", 3), std))
        return;
    snprintf(said, sizeof said, "`normalize: {mean: [%g, %g, %g], std: [%g, %g, %g]}`", mean[0], mean[1],
             mean[2], std[0], std[1], std[2]);
    if (!strstr(finding->fix, said))
        exray_finding_fix(finding, "%s The reference's pipeline file has %s.", finding->fix, said);
}

static void say_keys(const xr_yaml *const root[2], const char *const keys[MAX_KEYS], exray_finding *finding)
{
    char all[MAX_KEYS * (MAX_VALUE + 64)] = "", one[MAX_VALUE + 64];
    size_t used = 0;
    for (size_t k = 0; k < MAX_KEYS && keys[k]; k++) {
        if (finding->fix && names_value(finding->fix, strchr(keys[k], '.') + 1)) {
            if (strcmp(keys[k], "image.normalize") == 0)
                say_constants(root, finding);
            return;
        }
        if (say_key(root, keys[k], one))
            used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", used ? ", " : "", one);
    }
    if (used)
        exray_finding_fix(finding, "%s%sThe pipeline files differ; as the reference's: %s.",
                          finding->fix ? finding->fix : "", finding->fix ? " " : "", all);
}

static const char *const *keys_of(const char *cause)
{
    for (size_t i = 0; i < sizeof about / sizeof *about; i++)
        if (strcmp(about[i].cause, cause) == 0)
            return about[i].keys;
    return NULL;
}

void xr_say_pipeline_keys(const exray_comparison *comparison, exray_findings *findings)
{
    xr_yaml *root[2] = {NULL, NULL};
    bool read = false;
    for (exray_finding *f = findings->first; f; f = f->next) {
        const char *const *keys = f->severity == EXRAY_SEVERITY_ERROR ? keys_of(f->cause) : NULL;
        if (!keys)
            continue;
        for (int s = 0; s < 2 && !read; s++)
            root[s] = pipeline_of(comparison, s ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE);
        read = true;
        if (root[0] && root[1])
            say_keys((const xr_yaml *const *)root, keys, f);
    }
    for (int s = 0; s < 2; s++)
        xr_yaml_free(root[s]);
}
