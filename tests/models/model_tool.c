/* What src/models makes of a file, for the Python tests:
 *
 *     model_tool read MODEL               JSON on standard output
 *     model_tool cut MODEL FIRST COUNT OUT
 *     model_tool expose MODEL OUT */
#include "models/model_file.h"

#include <cjson/cJSON.h>
#include <exray/exray.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void die(const char *why)
{
    fprintf(stderr, "model_tool: %s\n", why);
    exit(2);
}

static void *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        die(path);
    *size = (size_t)ftell(file);
    rewind(file);
    void *data = malloc(*size ? *size : 1); /* exact, so that a sanitizer sees a byte too many */
    if (!data || fread(data, 1, *size, file) != *size)
        die(path);
    fclose(file);
    return data;
}

static void write_all(const char *path, const xr_model_bytes *bytes)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes->data, 1, bytes->size, file) != bytes->size || fclose(file) != 0)
        die(path);
    free(bytes->data);
}

static cJSON *positions(const uint32_t *from, uint32_t count)
{
    cJSON *list = cJSON_CreateArray();
    for (uint32_t i = 0; i < count; i++)
        cJSON_AddItemToArray(list, cJSON_CreateNumber(from[i] == EXRAY_NO_INDEX ? -1 : (double)from[i]));
    return list;
}

static cJSON *describe_tensor(const exray_tensor_info *info, const xr_constant *constant)
{
    cJSON *tensor = cJSON_CreateObject();
    cJSON_AddStringToObject(tensor, "name", info->name);
    cJSON_AddStringToObject(tensor, "dtype", exray_dtype_name(info->dtype));
    cJSON_AddBoolToObject(tensor, "constant", info->constant);
    cJSON *shape = cJSON_AddArrayToObject(tensor, "shape");
    for (uint32_t i = 0; i < info->rank; i++)
        cJSON_AddItemToArray(shape, cJSON_CreateNumber((double)info->shape[i]));
    cJSON *scale = cJSON_AddArrayToObject(tensor, "scale");
    cJSON *zero_point = cJSON_AddArrayToObject(tensor, "zero_point");
    for (uint32_t i = 0; i < info->quantization.count; i++) {
        cJSON_AddItemToArray(scale, cJSON_CreateNumber((double)info->quantization.scale[i]));
        cJSON_AddItemToArray(zero_point, cJSON_CreateNumber((double)info->quantization.zero_point[i]));
    }
    cJSON_AddNumberToObject(tensor, "axis", info->quantization.axis);
    if (constant->data) {
        uint8_t hash[32];
        char text[65];
        exray_sha256(constant->data, constant->size, hash);
        for (int i = 0; i < 32; i++)
            snprintf(text + 2 * i, 3, "%02x", hash[i]);
        cJSON_AddStringToObject(tensor, "sha256", text);
    }
    return tensor;
}

static cJSON *describe_node(const exray_node *from)
{
    cJSON *node = cJSON_CreateObject();
    cJSON_AddStringToObject(node, "op", from->op);
    cJSON_AddStringToObject(node, "name", from->name);
    cJSON_AddNumberToObject(node, "subgraph", from->subgraph);
    cJSON_AddItemToObject(node, "inputs", positions(from->inputs, from->input_count));
    cJSON_AddItemToObject(node, "outputs", positions(from->outputs, from->output_count));
    cJSON *attributes = cJSON_AddObjectToObject(node, "attributes");
    for (uint32_t i = 0; i < from->attribute_count; i++)
        cJSON_AddStringToObject(attributes, from->attributes[i].key, from->attributes[i].value);
    return node;
}

static void describe(const xr_model_file *file)
{
    cJSON *root = cJSON_CreateObject();
    cJSON_AddStringToObject(root, "format", file->format->name);
    cJSON *tensors = cJSON_AddArrayToObject(root, "tensors");
    for (uint32_t i = 0; i < file->model.tensor_count; i++)
        cJSON_AddItemToArray(tensors, describe_tensor(&file->model.tensors[i], &file->constant[i]));
    cJSON *nodes = cJSON_AddArrayToObject(root, "nodes");
    for (uint32_t i = 0; i < file->model.node_count; i++)
        cJSON_AddItemToArray(nodes, describe_node(&file->model.nodes[i]));
    cJSON_AddItemToObject(root, "inputs", positions(file->model.inputs, file->model.input_count));
    cJSON_AddItemToObject(root, "outputs", positions(file->model.outputs, file->model.output_count));
    char *text = cJSON_PrintUnformatted(root);
    puts(text);
    free(text);
    cJSON_Delete(root);
}

static exray_status cut(const xr_model_file *file, char **argv, xr_model_bytes *bytes, exray_error *error)
{
    uint32_t first = (uint32_t)strtoul(argv[3], NULL, 10), count = (uint32_t)strtoul(argv[4], NULL, 10);
    uint32_t *nodes = malloc(((size_t)count + 1) * sizeof *nodes);
    if (!nodes)
        die("out of memory");
    for (uint32_t i = 0; i < count; i++)
        nodes[i] = first + i;
    exray_status status = xr_model_cut(file, nodes, count, NULL, bytes, error);
    free(nodes);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage: read MODEL | cut MODEL FIRST COUNT OUT | expose MODEL OUT");
    size_t size;
    void *data = read_all(argv[2], &size);
    xr_model_file file;
    xr_model_bytes bytes = {0};
    exray_error error = {EXRAY_OK, ""};
    exray_status status = xr_model_read(data, size, &file, &error);
    if (status == EXRAY_OK && strcmp(argv[1], "read") == 0)
        describe(&file);
    else if (status == EXRAY_OK && strcmp(argv[1], "cut") == 0 && argc == 6)
        status = cut(&file, argv, &bytes, &error);
    else if (status == EXRAY_OK && strcmp(argv[1], "expose") == 0 && argc == 4)
        status = xr_model_expose(&file, &bytes, &error);
    if (status == EXRAY_OK && bytes.data)
        write_all(argv[argc - 1], &bytes);
    if (status != EXRAY_OK)
        fprintf(stderr, "%s\n", error.message);
    xr_model_release(&file);
    free(data);
    return status == EXRAY_OK ? 0 : 1;
}
