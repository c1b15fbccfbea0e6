/* exray scrub: a copy of a log without what may not leave the building. */
#include "cli/command_line.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "log/scrub/scrub.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

typedef struct scrub_options {
    const char *output, *drop, *stats;
} scrub_options;

/* Cuts a list at its commas, in place; false: printed why not. */
static bool split(const char *option, char *list, xr_scrub_rule *rules, size_t *count)
{
    for (char *at = list; at;) {
        char *comma = strchr(at, ',');
        if (comma)
            *comma = '\0';
        if (*at != '/' && *at != '*')
            return xr_fail("--%s: \"%s\" is no topic: they begin with /, as /sensor/camera or /input/*",
                           option, at),
                   false;
        if (*count == XR_SCRUB_MOST_RULES)
            return xr_fail("--%s: more than %d topics; use * for several at once", option,
                           XR_SCRUB_MOST_RULES),
                   false;
        rules[(*count)++].pattern = at;
        at = comma ? comma + 1 : NULL;
    }
    return true;
}

static void report(FILE *out, const char *to, const xr_scrubbed *s)
{
    fprintf(out, "%s: %" PRIu64 " messages kept, of them %" PRIu64 " as statistics; %" PRIu64 " left out", to,
            s->copy.messages, s->to_stats, s->dropped);
    if (s->dropped_attachments)
        fprintf(out, ", with %" PRIu64 " attachment%s", s->dropped_attachments,
                s->dropped_attachments == 1 ? "" : "s");
    fputc('\n', out);
    if (s->copy.damaged)
        fprintf(out, "%" PRIu64 " damaged place%s of the log left out, too\n", s->copy.damaged,
                s->copy.damaged == 1 ? "" : "s");
}

/* Prints why not on false. */
static bool write_copy(const char *from, const char *to, xr_scrub_rules *rules, xr_scrubbed *result)
{
    exray_error error;
    FILE *out = xr_open_log_output(to);
    if (!out)
        return false;
    const bool good = xr_scrub(from, out, rules, result, &error);
    if (!good)
        xr_fail_error(&error);
    return xr_end_output(out, to, good);
}

static int scrub(const char *from, const char *to, xr_scrub_rules *rules)
{
    xr_scrubbed result;
    exray_error error;
    if (xr_names_one_file(from, to))
        return xr_fail("%s cannot be scrubbed onto itself; give -o another name", from);
    /* Opened before the output is made, so that a file that is no log leaves no output behind. */
    if (!xr_recover_check(from, &error))
        return xr_fail_error(&error);
    if (!write_copy(from, to, rules, &result))
        return XR_EXIT_FAILED;
    report(strcmp(to, "-") == 0 ? stderr : stdout, to, &result);
    return XR_EXIT_OK;
}

static const xr_option_group options = {
    .options = (const xr_option[]){
        {.name = "drop",
         .value = "TOPIC,...",
         .kind = XR_VALUE_TEXT,
         XR_INTO(text, scrub_options, drop),
         .text = "topics that are left out: /sensor/camera, /reading/*, /frame/source, /attachment/*, ..."},
        {.name = "stats",
         .value = "TOPIC,...",
         .kind = XR_VALUE_TEXT,
         XR_INTO(text, scrub_options, stats),
         .text = "topics of tensors whose data become statistics: /input/*, /output/*, ..."},
        {.name = "output",
         .letter = 'o',
         .value = "F",
         XR_INTO(text, scrub_options, output),
         .text = "the new log; - is standard output"},
        {0},
    }};

/* Reads a list into rules; *copy holds their text and is the caller's to free.  Prints why not on false. */
static bool read_list(const char *option, const char *list, char **copy, xr_scrub_rule *rules, size_t *count)
{
    if (!list)
        return true;
    const size_t size = strlen(list) + 1;
    *copy = malloc(size);
    if (!*copy)
        return xr_fail("out of memory"), false;
    memcpy(*copy, list, size);
    return split(option, *copy, rules, count);
}

static int run(const xr_call *call)
{
    xr_scrub_rules rules = {.drop_count = 0};
    scrub_options o = {0};
    const char *from;
    int status = xr_parse_one_operand(call, &o, "log", &from);
    if (status != XR_EXIT_OK)
        return status;
    if (!o.output)
        return xr_usage_error(call->command, "say where to write: -o OUT.mcap");
    if (!o.drop && !o.stats)
        return xr_usage_error(call->command,
                              "say what may not be kept: --drop TOPIC,... or --stats TOPIC,...");
    char *drop = NULL, *stats = NULL;
    const bool good = read_list("drop", o.drop, &drop, rules.drop, &rules.drop_count) &&
                      read_list("stats", o.stats, &stats, rules.stats, &rules.stats_count);
    status = good ? scrub(from, o.output, &rules) : XR_EXIT_FAILED;
    free(drop);
    free(stats);
    return status;
}

const xr_command xr_command_scrub = {
    .name = "scrub",
    .summary = "a copy of a log without what may not leave the building",
    .synopsis = "IN.mcap -o OUT.mcap [--drop TOPIC,...] [--stats TOPIC,...]",
    .description =
        "Copies IN.mcap; the data of the topics of --stats become statistics (minimum, maximum, mean, ...), "
        "the "
        "topics of --drop are left out. The rest stays as it is, and the copy says what was done (metadata "
        "record "
        "exray.scrub). In a TOPIC, * stands for any characters. Beside topics there are /frame/source, "
        "/frame/label, /frame/values and /frame/spans (fields of every frame), /metadata/KEY (device, app, "
        "...) and "
        "/attachment/NAME. A topic that the log has not is an error: nothing is left in by a slip of the "
        "pen.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .notes =
        "Statistics of a tensor of few elements say much of them: --drop it where that matters. Names of "
        "files stay in /frame/source, in attachments and in the model's description.",
    .example = "exray scrub edge.mcap -o share.mcap --stats '/input/*' --drop '/sensor/*,/frame/source'",
    .run = run,
};
