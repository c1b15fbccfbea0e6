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
    xr_model_bytes whole; /* its external data would lie in the current folder */
    exray_error error = {EXRAY_OK, ""};
    if (xr_model_whole("model.onnx", exact, size, &whole, &error) == EXRAY_OK && whole.data)
        fuzz_model(whole.data, whole.size);
    if (error.status == EXRAY_OK)
        free(whole.data);
    free(exact);
    return 0;
}
