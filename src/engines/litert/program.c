/* A compiled model and its tensor buffers. */
#define _POSIX_C_SOURCE 200809L
#include "engines/litert/litert.h"
#include "models/refuse.h"
#include "models/tflite_types.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(XR_LITERT_MAX_RANK <= EXRAY_MAX_RANK, "a port's shape has no room");

exray_status xr_litert_fail(exray_error *error, const char *what, LiteRtStatus status)
{
    return xr_refuse(error, EXRAY_E_ENGINE, "LiteRT: %.300s (status %d)", what, status);
}

exray_status xr_litert_no_memory(exray_error *error)
{
    return xr_refuse(error, EXRAY_E_MEMORY, "LiteRT: out of memory");
}

exray_status xr_litert_read_model(const void *data, size_t size, const char *path, const char *advice,
                                  xr_model_file *file, exray_error *error)
{
    exray_error why = {EXRAY_E_FORMAT, "it is empty"};
    if (data && size > 0) {
        if (!xr_model_format_tflite.recognize(data, size))
            snprintf(why.message, sizeof why.message, "it lacks the identifier TFL3");
        else if (xr_model_read(data, size, file, &why) == EXRAY_OK)
            return EXRAY_OK;
    }
    return xr_refuse(error, why.status, "%.200s is not a model that LiteRT runs: %.200s%s",
                     path ? path : "the model", why.message, advice);
}

exray_status xr_litert_make_environment(const xr_litert_api *api, LiteRtEnvironment *made, exray_error *error)
{
    /* The processor alone: LiteRT would look for drivers of GPUs and NPUs, and report each that it does not
     * find. */
    const LiteRtEnvOption options[] = {
        {XR_LITERT_ENV_ACCELERATORS, {XR_LITERT_ANY_INT, {.as_int = XR_LITERT_CPU}}},
        {XR_LITERT_ENV_LOGGER, {XR_LITERT_ANY_INT, {.as_int = XR_LITERT_SEVERITY_ERROR}}},
    };
    LiteRtStatus status = api->CreateEnvironment(sizeof options / sizeof options[0], options, made);
    return status == 0 ? EXRAY_OK : xr_litert_fail(error, "cannot create an environment", status);
}

exray_status xr_litert_kernels(const char *wanted, const char **mode, const char **kernels,
                               exray_error *error)
{
    *kernels = "xnnpack";
    *mode = NULL;
    if (!wanted || strcmp(wanted, "default") == 0)
        return EXRAY_OK;
    if (strcmp(wanted, "builtin") == 0)
        *mode = *kernels = "builtin";
    else if (strcmp(wanted, "xnnpack") == 0)
        *mode = "delegate";
    else {
        return xr_refuse(error, EXRAY_E_ARGUMENT,
                         "LiteRT has no kernels \"%.100s\": use default, xnnpack or builtin", wanted);
    }
    return EXRAY_OK;
}

/* ---- Options ------------------------------------------------------------------- */

/* LiteRT takes options of its parts as text, and frees it. */
LiteRtStatus xr_litert_add_text(const xr_litert_api *api, LiteRtOptions options, const char *identifier,
                                const char *text)
{
    char *copy = strdup(text);
    LiteRtOpaqueOptions opaque = NULL;
    LiteRtStatus status = copy ? api->CreateOpaqueOptions(identifier, copy, free, &opaque) : -1;
    if (status != 0) {
        free(copy);
        return status;
    }
    return api->AddOpaqueOptions(options, opaque);
}

static exray_status make_options(xr_litert_program *program, const xr_litert_config *config,
                                 exray_error *error)
{
    LiteRtStatus status = program->api->CreateOptions(&program->options);
    if (status == 0)
        status = program->api->SetOptionsHardwareAccelerators(program->options, XR_LITERT_CPU);
    char text[96];
    int length = snprintf(text, sizeof text, "num_threads = %u\n", config->threads);
    if (config->kernel_mode)
        snprintf(text + length, sizeof text - (size_t)length, "kernel_mode = \"%s\"\n", config->kernel_mode);
    if (status == 0)
        status = xr_litert_add_text(program->api, program->options, "xnnpack", text);
    if (status == 0 && config->profile)
        status = xr_litert_add_text(program->api, program->options, XR_LITERT_PROFILING);
    return status == 0 ? EXRAY_OK : xr_litert_fail(error, "cannot set options", status);
}

/* ---- Signature ------------------------------------------------------------------ */

/* Gives each of the main graph's inputs (or outputs) its place in the signature;
 * false: the signature has others. */
static bool place_ports(const xr_litert_program *program, LiteRtSignature signature, bool outputs,
                        const uint32_t *positions, xr_litert_port *ports, uint32_t count)
{
    const xr_litert_api *api = program->api;
    size_t found = 0;
    LiteRtStatus status = outputs ? api->GetNumSignatureOutputs(signature, &found)
                                  : api->GetNumSignatureInputs(signature, &found);
    if (status != 0 || found != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        ports[i].place = SIZE_MAX;
    for (size_t k = 0; k < found; k++) {
        LiteRtTensor tensor = NULL;
        uint32_t index = EXRAY_NO_INDEX;
        status = outputs ? api->GetSignatureOutputTensorByIndex(signature, k, &tensor)
                         : api->GetSignatureInputTensorByIndex(signature, k, &tensor);
        if (status != 0 || api->GetTensorIndex(tensor, &index) != 0)
            return false;
        uint32_t i = 0;
        while (i < count && (positions[i] != index || ports[i].place != SIZE_MAX))
            i++;
        if (i == count)
            return false;
        ports[i].place = k;
    }
    return true;
}

/* A program runs one signature; the one of the whole main graph is wanted. */
static exray_status choose_signature(xr_litert_program *program, const exray_model *model,
                                     LiteRtSignature *signature, exray_error *error)
{
    size_t count = 0;
    LiteRtStatus status = program->api->GetNumModelSignatures(program->model, &count);
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = program->api->GetModelSignature(program->model, i, signature);
        if (status == 0 &&
            place_ports(program, *signature, false, model->inputs, program->inputs, program->input_count) &&
            place_ports(program, *signature, true, model->outputs, program->outputs, program->output_count)) {
            program->signature = i;
            return EXRAY_OK;
        }
    }
    return xr_litert_fail(
        error, "no signature of the model has the inputs and outputs of its main graph; use --engine tflite",
        status);
}

/* ---- Buffers ---------------------------------------------------------------------- */

/* Type, shape and size of a port as the compiled model has them. */
static exray_status set_port(xr_litert_port *port, const LiteRtRankedTensorType *type, exray_error *error)
{
    bool pair;
    const char *name = port->info.name ? port->info.name : "";
    uint32_t rank = type->layout.rank_and_flags & 0x7F;
    port->info.dtype = xr_tflite_dtype(type->element_type, &pair);
    uint64_t bits = exray_dtype_bits(port->info.dtype);
    bool sound = rank + pair <= XR_LITERT_MAX_RANK && bits != 0;
    port->info.rank = sound ? rank + pair : 0;
    port->info.shape = port->shape;
    for (uint32_t i = 0; sound && i < port->info.rank; i++) {
        int32_t dim = i < rank ? type->layout.dims[i] : 2; /* complex numbers are pairs */
        port->shape[i] = dim;
        sound = dim >= 0 && (dim == 0 || bits <= UINT64_MAX / 16 / (uint64_t)dim);
        bits *= (uint64_t)(dim > 0 ? dim : 0);
    }
    port->size = (size_t)((bits + 7) / 8);
    if (sound)
        return EXRAY_OK;
    return xr_refuse(
        error, EXRAY_E_UNSUPPORTED,
        "LiteRT: the tensor %.200s is of a type or a shape (%s, rank %u) that has no fixed size; use "
        "--engine tflite",
        name, exray_dtype_name(port->info.dtype), (unsigned)rank);
}

static exray_status make_buffer(xr_litert_program *program, LiteRtEnvironment environment, bool output,
                                const LiteRtRankedTensorType *type, const xr_litert_port *port,
                                exray_error *error)
{
    const xr_litert_api *api = program->api;
    LiteRtTensorBufferRequirements requirements = NULL;
    LiteRtTensorBuffer *buffer = &(output ? program->output_buffers : program->input_buffers)[port->place];
    LiteRtStatus status = output ? api->GetCompiledModelOutputBufferRequirements(
                                       program->compiled, program->signature, port->place, &requirements)
                                 : api->GetCompiledModelInputBufferRequirements(
                                       program->compiled, program->signature, port->place, &requirements);
    if (status == 0)
        status = api->CreateManagedTensorBufferFromRequirements(environment, type, requirements, buffer);
    size_t size = 0;
    if (status == 0)
        status = api->GetTensorBufferSize(*buffer, &size);
    if (status != 0)
        return xr_litert_fail(error, "cannot make a tensor's buffer", status);
    if (size < port->size)
        return xr_litert_fail(error, "a tensor's buffer is smaller than the tensor", status);
    return EXRAY_OK;
}

static exray_status make_inputs(xr_litert_program *program, LiteRtEnvironment environment,
                                LiteRtSignature signature, exray_error *error)
{
    const xr_litert_api *api = program->api;
    for (uint32_t i = 0; i < program->input_count; i++) {
        xr_litert_port *port = &program->inputs[i];
        LiteRtTensor tensor = NULL;
        LiteRtRankedTensorType type = {0};
        LiteRtStatus status = api->GetSignatureInputTensorByIndex(signature, port->place, &tensor);
        if (status == 0)
            status = api->GetRankedTensorType(tensor, &type);
        if (status == 0)
            status = api->GetCompiledModelInputTensorLayout(program->compiled, program->signature,
                                                            port->place, &type.layout);
        if (status != 0)
            return xr_litert_fail(error, "cannot tell an input's shape", status);
        if (set_port(port, &type, error) != EXRAY_OK ||
            make_buffer(program, environment, false, &type, port, error) != EXRAY_OK)
            return error->status;
    }
    return EXRAY_OK;
}

static exray_status make_outputs(xr_litert_program *program, LiteRtEnvironment environment,
                                 LiteRtSignature signature, exray_error *error)
{
    const xr_litert_api *api = program->api;
    LiteRtLayout *layouts = calloc(program->output_count ? program->output_count : 1, sizeof *layouts);
    if (!layouts)
        return xr_litert_no_memory(error);
    /* Asked for after allocation: the file's shapes are not always filled in. */
    LiteRtStatus status = api->GetCompiledModelOutputTensorLayouts(program->compiled, program->signature,
                                                                   program->output_count, layouts, true);
    exray_status result = EXRAY_OK;
    for (uint32_t i = 0; status == 0 && result == EXRAY_OK && i < program->output_count; i++) {
        xr_litert_port *port = &program->outputs[i];
        LiteRtTensor tensor = NULL;
        LiteRtRankedTensorType type = {0};
        status = api->GetSignatureOutputTensorByIndex(signature, port->place, &tensor);
        if (status == 0)
            status = api->GetRankedTensorType(tensor, &type);
        type.layout = layouts[port->place];
        if (status == 0 && (result = set_port(port, &type, error)) == EXRAY_OK)
            result = make_buffer(program, environment, true, &type, port, error);
    }
    free(layouts);
    return status == 0 ? result : xr_litert_fail(error, "cannot tell the outputs' shapes", status);
}

/* ---- Open, close --------------------------------------------------------------------- */

static exray_status describe_ports(xr_litert_program *program, const exray_model *model, exray_error *error)
{
    program->input_count = model->input_count;
    program->output_count = model->output_count;
    program->inputs = calloc((size_t)model->input_count + 1, sizeof *program->inputs);
    program->outputs = calloc((size_t)model->output_count + 1, sizeof *program->outputs);
    if (!program->inputs || !program->outputs)
        return xr_litert_no_memory(error);
    for (uint32_t i = 0; i < model->input_count; i++)
        if (model->inputs[i] != EXRAY_NO_INDEX)
            program->inputs[i].info = model->tensors[model->inputs[i]];
    for (uint32_t i = 0; i < model->output_count; i++)
        if (model->outputs[i] != EXRAY_NO_INDEX)
            program->outputs[i].info = model->tensors[model->outputs[i]];
    return EXRAY_OK;
}

static exray_status load(xr_litert_program *program, const xr_litert_api *api, LiteRtEnvironment environment,
                         const xr_model_file *file, LiteRtSignature *signature, exray_error *error)
{
    program->api = api;
    if (describe_ports(program, &file->model, error) != EXRAY_OK)
        return error->status;
    LiteRtStatus status = api->CreateModelFromBuffer(environment, file->data, file->size, &program->model);
    if (status != 0) {
        xr_litert_fail(error, "cannot load the model (a damaged file?)", status);
        return error->status = EXRAY_E_FORMAT;
    }
    return choose_signature(program, &file->model, signature, error);
}

exray_status xr_litert_program_open(xr_litert_program *program, const xr_litert_config *config,
                                    const xr_model_file *file, exray_error *error)
{
    const xr_litert_api *api = config->api;
    LiteRtSignature signature = NULL;
    if (load(program, api, config->environment, file, &signature, error) != EXRAY_OK ||
        make_options(program, config, error) != EXRAY_OK)
        return error->status;
    program->input_buffers = calloc((size_t)program->input_count + 1, sizeof *program->input_buffers);
    program->output_buffers = calloc((size_t)program->output_count + 1, sizeof *program->output_buffers);
    if (!program->input_buffers || !program->output_buffers)
        return xr_litert_no_memory(error);
    LiteRtStatus status =
        api->CreateCompiledModel(config->environment, program->model, program->options, &program->compiled);
    if (status != 0)
        return xr_litert_fail(error, "cannot compile the model", status);
    if (config->profile &&
        (status = api->CompiledModelGetProfiler(program->compiled, &program->profiler)) != 0)
        return xr_litert_fail(error, "cannot get the profiler", status);
    if (make_inputs(program, config->environment, signature, error) != EXRAY_OK)
        return error->status;
    return make_outputs(program, config->environment, signature, error);
}

static void destroy_buffers(const xr_litert_program *program, LiteRtTensorBuffer *buffers, uint32_t count)
{
    for (uint32_t i = 0; buffers && i < count; i++)
        if (buffers[i])
            program->api->DestroyTensorBuffer(buffers[i]);
    free(buffers);
}

void xr_litert_program_close(xr_litert_program *program)
{
    if (!program->borrowed) {
        destroy_buffers(program, program->input_buffers, program->input_count);
        destroy_buffers(program, program->output_buffers, program->output_count);
    }
    if (program->compiled && !program->borrowed)
        program->api->DestroyCompiledModel(program->compiled);
    if (program->options)
        program->api->DestroyOptions(program->options);
    if (program->model)
        program->api->DestroyModel(program->model);
    free(program->inputs);
    free(program->outputs);
    memset(program, 0, sizeof *program);
}

/* ---- The application's ------------------------------------------------------------------ */

exray_status xr_litert_program_borrow(xr_litert_program *program, const xr_litert_api *api,
                                      LiteRtEnvironment environment, const xr_model_file *file,
                                      exray_error *error)
{
    LiteRtSignature signature = NULL;
    program->borrowed = true;
    exray_status status = load(program, api, environment, file, &signature, error);
    if (program->model)
        api->DestroyModel(program->model); /* it was for the signature alone */
    program->model = NULL;
    return status;
}

static exray_status take_types(const xr_litert_program *program, xr_litert_port *ports, uint32_t count,
                               const LiteRtTensorBuffer *buffers, exray_error *error)
{
    for (uint32_t i = 0; i < count; i++) {
        LiteRtRankedTensorType type = {0};
        size_t size = 0;
        LiteRtTensorBuffer buffer = buffers[ports[i].place];
        LiteRtStatus status = program->api->GetTensorBufferTensorType(buffer, &type);
        if (status == 0)
            status = program->api->GetTensorBufferSize(buffer, &size);
        if (status != 0)
            return xr_litert_fail(error, "cannot tell what a tensor buffer holds", status);
        if (set_port(&ports[i], &type, error) != EXRAY_OK)
            return error->status;
        if (size < ports[i].size)
            return xr_litert_fail(error, "a tensor's buffer is smaller than the tensor", status);
    }
    return EXRAY_OK;
}

exray_status xr_litert_program_lend(xr_litert_program *program, LiteRtCompiledModel compiled,
                                    LiteRtTensorBuffer *inputs, LiteRtTensorBuffer *outputs,
                                    exray_error *error)
{
    if (compiled != program->compiled) {
        program->profiler = NULL;
        if (program->api->CompiledModelGetProfiler(compiled, &program->profiler) != 0)
            program->profiler = NULL; /* it was compiled without */
    }
    program->compiled = compiled;
    program->input_buffers = inputs;
    program->output_buffers = outputs;
    exray_status status = take_types(program, program->inputs, program->input_count, inputs, error);
    return status ? status : take_types(program, program->outputs, program->output_count, outputs, error);
}

/* ---- Run -------------------------------------------------------------------------------- */

LiteRtStatus xr_litert_program_run(xr_litert_program *program)
{
    return program->api->RunCompiledModel(program->compiled, program->signature, program->input_count,
                                          program->input_buffers, program->output_count,
                                          program->output_buffers);
}

static exray_status copy_in(const xr_litert_program *program, LiteRtTensorBuffer buffer, const void *data,
                            size_t size, const char *what, exray_error *error)
{
    void *memory = NULL;
    LiteRtStatus status = program->api->LockTensorBuffer(buffer, &memory, XR_LITERT_LOCK_WRITE);
    if (status != 0)
        return xr_litert_fail(error, what, status);
    memcpy(memory, data, size);
    program->api->UnlockTensorBuffer(buffer);
    return EXRAY_OK;
}

exray_status xr_litert_write(xr_litert_program *program, uint32_t input, const void *data, exray_error *error)
{
    const xr_litert_port *port = &program->inputs[input];
    return copy_in(program, program->input_buffers[port->place], data, port->size, "cannot set an input",
                   error);
}

exray_status xr_litert_write_output(xr_litert_program *program, uint32_t output, const void *data,
                                    exray_error *error)
{
    const xr_litert_port *port = &program->outputs[output];
    return copy_in(program, program->output_buffers[port->place], data, port->size, "cannot set an output",
                   error);
}

static const void *look(const xr_litert_program *program, LiteRtTensorBuffer buffer)
{
    void *memory = NULL;
    return program->api->LockTensorBuffer(buffer, &memory, XR_LITERT_LOCK_READ) == 0 ? memory : NULL;
}

const void *xr_litert_look(xr_litert_program *program, uint32_t output)
{
    return look(program, program->output_buffers[program->outputs[output].place]);
}

void xr_litert_look_end(xr_litert_program *program, uint32_t output)
{
    program->api->UnlockTensorBuffer(program->output_buffers[program->outputs[output].place]);
}

const void *xr_litert_look_input(xr_litert_program *program, uint32_t input)
{
    return look(program, program->input_buffers[program->inputs[input].place]);
}

void xr_litert_look_input_end(xr_litert_program *program, uint32_t input)
{
    program->api->UnlockTensorBuffer(program->input_buffers[program->inputs[input].place]);
}
