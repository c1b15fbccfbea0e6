/* exray recover: repairs a log. */
#include "cli/command_line.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/text_out.h"
#include "log/box/box_entries.h"
#include "log/box/box_log.h"

#include <exray/log.h>
#include <inttypes.h>
#include <string.h>

static void report_frames(FILE *out, const char *to)
{
    exray_log *log = strcmp(to, "-") != 0 ? exray_log_open(to, NULL) : NULL;
    if (!log)
        return;
    size_t frames = exray_log_frame_count(log), whole = 0;
    for (size_t i = 0; i < frames; i++)
        whole += exray_log_frame(log, i)->complete;
    fprintf(out, "frames  %zu whole", whole);
    if (frames > whole)
        fprintf(out, ", %zu without an end", frames - whole);
    fputc('\n', out);
    exray_log_close(log);
}

/* What came from a flight recorder's file. */
static void report_box(FILE *out, const char *box, const xr_box_saved *saved)
{
    fprintf(out, "%s has %" PRIu64 " whole frame%s%s: %" PRIu64 " messages of them were saved\n", box,
            saved->frames, saved->frames == 1 ? "" : "s",
            saved->open ? ", and the one that the process was in" : "", saved->messages);
    if (saved->closed)
        fputs("its recorder was closed in order: what triggers asked for is in the log\n", out);
    if (saved->no_model)
        fputs("it does not describe the model: none was logged, or it did not fit into a sixteenth of the "
              "file\n",
              out);
}

/* Printed where the log itself does not go. */
static void report(FILE *out, const char *from, const xr_recovery *r)
{
    char a[32], b[32];
    if (r->was_whole)
        fprintf(out, "%s was whole; the copy holds the same\n", from);
    else if (r->problem[0])
        fprintf(out, "%s %s\n", from, r->problem);
    fprintf(out, "saved   %" PRIu64 " messages, %" PRIu64 " attachments (%s of %s)\n", r->messages,
            r->attachments, xr_format_bytes(a, r->saved_bytes), xr_format_bytes(b, r->file_bytes));
    fprintf(out, "lost    %s", xr_format_bytes(a, r->lost_bytes));
    if (r->damaged)
        fprintf(out, ", %" PRIu64 " damaged place%s", r->damaged, r->damaged == 1 ? "" : "s");
    if (r->rebuilt_bytes)
        fprintf(out, "; %s of indexes are rebuilt", xr_format_bytes(a, r->rebuilt_bytes));
    fputc('\n', out);
}

typedef struct recover_options {
    const char *output, *flight;
} recover_options;

/* Writes the new log, of what is given. */
static bool write_log(const char *from, const recover_options *o, bool from_box, FILE *out,
                      xr_recovery *result, xr_box_saved *saved, exray_error *error)
{
    if (from_box)
        return xr_box_recover(from, out, saved, error);
    return o->flight ? xr_box_recover_with(from, o->flight, out, result, saved, error)
                     : xr_recover(from, out, result, error);
}

static int recover(const char *from, const recover_options *o)
{
    xr_recovery result;
    xr_box_saved saved;
    exray_error error;
    const char *to = o->output;
    const bool from_box = xr_box_is(from);
    if (xr_names_one_file(from, to) || (o->flight && xr_names_one_file(o->flight, to)))
        return xr_fail("%s cannot be recovered onto itself; give -o another name", to);
    if (from_box && o->flight)
        return xr_fail("%s is a flight recorder's file itself; give the log first, then --flight", from);
    /* Opened before the output is made, so that a file that is no log leaves no output behind. */
    if (!from_box && !xr_recover_check(from, &error))
        return xr_fail_error(&error);
    FILE *out = xr_open_log_output(to);
    if (!out)
        return XR_EXIT_FAILED;
    const bool good = write_log(from, o, from_box, out, &result, &saved, &error);
    if (!good)
        xr_fail_error(&error);
    if (!xr_end_output(out, to, good))
        return XR_EXIT_FAILED;
    FILE *told = strcmp(to, "-") == 0 ? stderr : stdout;
    if (!from_box)
        report(told, from, &result);
    if (from_box || o->flight)
        report_box(told, from_box ? from : o->flight, &saved);
    report_frames(told, to);
    return XR_EXIT_OK;
}

static const xr_option_group options = {
    .options = (const xr_option[]){
        {.name = "output",
         .letter = 'o',
         .value = "F",
         XR_INTO(text, recover_options, output),
         .text = "the new log; - is standard output"},
        {.name = "flight",
         .value = "F",
         XR_INTO(text, recover_options, flight),
         .text = "the file of the log's flight recorder: frames that it has "
                 "and the log has not are added"},
        {0},
    }};

static int run(const xr_call *call)
{
    recover_options o = {0};
    const char *from;
    int status = xr_parse_one_operand(call, &o, "log", &from);
    if (status != XR_EXIT_OK)
        return status;
    if (!o.output)
        return xr_usage_error(call->command, "say where to write: -o GOOD.mcap");
    return recover(from, &o);
}

const xr_command xr_command_recover = {
    .name = "recover",
    .summary = "write the missing end of a log, and leave out damaged parts",
    .synopsis = "BROKEN.mcap -o GOOD.mcap",
    .description =
        "Copies every complete record of BROKEN.mcap, rebuilds its indexes and its end, and says what was "
        "saved and what was lost. exray reads a log without an end directly; other MCAP tools need this "
        "first. Nothing is invented: an incomplete frame stays incomplete. BROKEN.mcap may also be the file "
        "of "
        "a flight recorder whose process died (config.flight.file): GOOD.mcap then has the frames that "
        "waited in it.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .example = "exray recover crashed.mcap -o edge.mcap",
    .run = run,
};
