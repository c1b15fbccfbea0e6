/* exray recover: mends a log. */
#include "cli/cli.h"
#include "cli/text_out.h"

#include "cli/usage.h"
#include "log/recover.h"
#include <exray/log.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

/* To where the log itself does not go. */
static void report(FILE *out, const char *from, const char *to, const xr_recovery *r)
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
        fprintf(out, "; %s of indexes are made anew", xr_format_bytes(a, r->rebuilt_bytes));
    fputc('\n', out);
    exray_log *log = strcmp(to, "-") != 0 ? exray_log_open(to, NULL) : NULL;
    if (log) {
        size_t frames = exray_log_frame_count(log), whole = 0;
        for (size_t i = 0; i < frames; i++)
            whole += exray_log_frame(log, i)->complete;
        fprintf(out, "frames  %zu whole", whole);
        if (frames > whole)
            fprintf(out, ", %zu without an end", frames - whole);
        fputc('\n', out);
    }
    exray_log_close(log);
}

static int recover(const char *from, const char *to)
{
    xr_recovery result;
    exray_error error;
    if (xr_names_one_file(from, to))
        return xr_fail("%s cannot be recovered onto itself; give -o another name", from);
    /* Before the output is made: a file that is no log leaves none behind. */
    if (!xr_recover_check(from, &error))
        return xr_fail_error(&error);
    FILE *out = xr_open_log_output(to);
    if (!out)
        return XR_EXIT_FAILED;
    bool good = xr_recover(from, out, &result, &error);
    if (good) {
        good = xr_close_output(out, to);
    } else {
        xr_fail_error(&error);
        if (out != stdout)
            fclose(out);
    }
    if (!good) {
        xr_remove_output(to);
        return XR_EXIT_FAILED;
    }
    report(strcmp(to, "-") == 0 ? stderr : stdout, from, to, &result);
    return XR_EXIT_OK;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"output", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    const char *output = NULL;
    opterr = 0;
    for (int option; (option = getopt_long(argc, argv, ":o:", options, NULL)) != -1;) {
        if (option == 'o')
            output = optarg;
        else if (option == ':')
            return xr_usage_error(&xr_command_recover, "%s needs a value", argv[optind - 1]);
        else
            return xr_no_option(&xr_command_recover, argv[optind - 1]);
    }
    if (argc - optind != 1)
        return xr_usage_error(&xr_command_recover, "name one log");
    if (!output)
        return xr_usage_error(&xr_command_recover, "say where to write: -o GOOD.mcap");
    return recover(argv[optind], output);
}

const xr_command xr_command_recover = {
    .name = "recover",
    .summary = "write the missing end of a log, and leave out what is damaged",
    .usage = "usage: exray recover BROKEN.mcap -o GOOD.mcap\n"
             "\n"
             "Copies every whole record of BROKEN.mcap, makes its indexes and its end anew, and\n"
             "says what was saved and what was lost. exray reads a log without an end as it is;\n"
             "other MCAP tools need this first. Nothing is invented: a frame that was cut short\n"
             "stays so.\n"
             "\n"
             "  -o, --output F   the new log; - is standard output\n"
             "\n"
             "example: exray recover crashed.mcap -o edge.mcap\n",
    .run = run,
};
