/* Any bytes as a .tflite file. */
#include "model_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        return 0;
    memcpy(exact, data, size);
    if (size >= 8)
        memcpy(exact + 4, "TFL3", 4);
    fuzz_model(exact, size);
    free(exact);
    return 0;
}
