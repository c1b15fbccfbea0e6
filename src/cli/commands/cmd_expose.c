/* exray expose: a model file whose inner tensors are outputs. */
#include "base/file.h"
#include "cli/command_line.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "models/model_file.h"

#include <stdlib.h>
#include <string.h>

static int write_model(const xr_model_bytes *bytes, const char *path)
{
    FILE *out = xr_open_output(path);
    if (!out)
        return XR_EXIT_FAILED;
    fwrite(bytes->data, 1, bytes->size, out);
    if (xr_close_output(out, path))
        return XR_EXIT_OK;
    xr_remove_output(path); /* half a model is of no use */
    return XR_EXIT_FAILED;
}

/* Whether `path` is a model, empty, a device, or does not exist: a typing error overwrites no other file. */
static bool may_be_written(const char *path)
{
    uint8_t begin[64];
    size_t size = xr_file_begin(path, begin, sizeof begin);
    bool model = size == 0;
    for (size_t i = 0; xr_model_formats[i] && !model; i++)
        model = xr_model_formats[i]->recognize(begin, size);
    return model;
}

static int expose_bytes(const void *data, size_t size, const char *from, const char *to)
{
    xr_model_file file, again;
    xr_model_bytes bytes;
    exray_error error = {EXRAY_OK, ""};
    if (xr_model_read(data, size, &file, &error) != EXRAY_OK)
        return xr_fail("cannot read %s: %s", from, error.message);
    uint32_t before = file.model.output_count;
    exray_status status = xr_model_expose(&file, &bytes, &error);
    xr_model_release(&file);
    if (status != EXRAY_OK)
        return xr_fail("cannot expose the tensors of %s: %s", from, error.message);
    int result = write_model(&bytes, to);
    if (result == XR_EXIT_OK && xr_model_read(bytes.data, bytes.size, &again, &error) == EXRAY_OK) {
        FILE *out = strcmp(to, "-") == 0 ? stderr : stdout;
        fprintf(out, "%s: %u outputs, %u of them added\n", to, (unsigned)again.model.output_count,
                (unsigned)(again.model.output_count - before));
        xr_model_release(&again);
    }
    free(bytes.data);
    return result;
}

static int expose(const char *from, const char *to)
{
    if (xr_names_one_file(from, to))
        return xr_fail("%s cannot be written onto itself; give -o another name", from);
    if (!may_be_written(to))
        return xr_fail("%s is there and is no model: it is not overwritten; give -o another name", to);
    size_t size;
    exray_error error = {EXRAY_OK, ""};
    void *data = xr_file_read(from, XR_LIMIT_MODEL, &size, &error);
    if (!data)
        return xr_fail_error(&error);
    exray_error why = {EXRAY_OK, ""};
    int result = xr_model_complete(from, &data, &size, &why) == EXRAY_OK
                     ? expose_bytes(data, size, from, to)
                     : xr_fail("cannot read %s: %s", from, why.message);
    free(data);
    return result;
}

typedef struct expose_options {
    const char *output;
} expose_options;

static const xr_option_group options = {.options = (const xr_option[]){
                                            {.name = "output",
                                             .letter = 'o',
                                             .value = "F",
                                             XR_INTO(text, expose_options, output),
                                             .text = "the new model; - is standard output"},
                                            {0},
                                        }};

static int run(const xr_call *call)
{
    expose_options o = {0};
    const char *from;
    int status = xr_parse_one_operand(call, &o, "model", &from);
    if (status != XR_EXIT_OK)
        return status;
    if (!o.output)
        return xr_usage_error(call->command, "say where to write: -o MODEL2");
    return expose(from, o.output);
}

const xr_command xr_command_expose = {
    .name = "expose",
    .summary = "make a model's inner tensors outputs, for engines that show only outputs",
    .synopsis = "MODEL -o MODEL2",
    .description =
        "Writes the same model with every intermediate tensor of its main graph among its outputs: first its "
        "own outputs in their order, then all others in the order of execution. `record` does this by "
        "itself, "
        "in memory, where an engine needs it.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .example = "exray expose model.tflite -o model_exposed.tflite",
    .run = run,
};
