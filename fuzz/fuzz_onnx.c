/* Any bytes as an .onnx file. */
#include "model_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        return 0;
    memcpy(exact, data, size);
    if (size >= 2) { /* what such files begin with: ir_version */
        exact[0] = 0x08;
        exact[1] = 0x08;
    }
    fuzz_model(exact, size);
    free(exact);
    return 0;
}
