/* Runs the ONNX reader for test_onnx_file.py.
 *   onnx_tool dump MODEL            one line a tensor: position, name, type, rank, bytes and hash of a
 * constant onnx_tool expose MODEL OUT onnx_tool cut MODEL OUT NODE... */
#include "models/model_file.h"

#include <exray/exray.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *read_all(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    fseek(file, 0, SEEK_END);
    *size = (size_t)ftell(file);
    rewind(file);
    void *data = malloc(*size + 1);
    if (data && fread(data, 1, *size, file) != *size)
        *size = 0;
    fclose(file);
    return data;
}

static void dump(const xr_model_file *file)
{
    for (uint32_t i = 0; i < file->model.tensor_count; i++) {
        const exray_tensor_info *info = &file->model.tensors[i];
        uint8_t hash[32];
        exray_sha256(file->constant[i].data ? file->constant[i].data : "", file->constant[i].size, hash);
        printf("T\t%s\t%s\t%u\t%zu\t%u\t%s\t", info->name, exray_dtype_name(info->dtype),
               (unsigned)info->rank, file->constant[i].size, (unsigned)info->quantization.count,
               info->layout ? info->layout : "");
        for (int k = 0; k < 32; k++)
            printf("%02x", hash[k]);
        putchar('\n');
    }
    for (uint32_t i = 0; i < file->model.node_count; i++) {
        const exray_node *node = &file->model.nodes[i];
        printf("N\t%s\t%s", node->op, node->name);
        for (uint32_t k = 0; k < node->attribute_count; k++)
            printf("\t%s=%s", node->attributes[k].key, node->attributes[k].value);
        putchar('\n');
    }
}

static int change(const xr_model_file *file, int argc, char **argv, exray_error *error)
{
    xr_model_bytes out;
    uint32_t nodes[64], count = 0;
    for (int i = 4; i < argc && count < 64; i++)
        nodes[count++] = (uint32_t)strtoul(argv[i], NULL, 10);
    exray_status status = strcmp(argv[1], "expose") == 0
                              ? xr_model_expose(file, &out, error)
                              : xr_model_cut(file, nodes, count, NULL, &out, error);
    FILE *target = status || argc < 4 ? NULL : fopen(argv[3], "wb");
    if (target) {
        fwrite(out.data, 1, out.size, target);
        fclose(target);
    }
    free(out.data);
    return target ? 0 : 1;
}

int main(int argc, char **argv)
{
    size_t size = 0;
    xr_model_file file;
    exray_error error = {EXRAY_OK, ""};
    void *data = argc > 2 ? read_all(argv[2], &size) : NULL;
    int result = 1;
    if (data && xr_model_read(data, size, &file, &error) == EXRAY_OK) {
        result = 0;
        if (strcmp(argv[1], "dump") == 0)
            dump(&file);
        else
            result = change(&file, argc, argv, &error);
        xr_model_release(&file);
    }
    if (result)
        fprintf(stderr, "%s\n", error.message);
    free(data);
    return result;
}
