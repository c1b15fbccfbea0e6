/* Any bytes as COCO's annotations. */
#include "replay/truth/coco.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    exray_error error = {0};
    char *text = malloc(size + 1); /* followed by a zero byte, as a file's text is */
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    xr_coco *coco = xr_coco_read("boxes.json", text, size, &error);
    free(text);
    if (!coco && !*error.message)
        abort(); /* each failure has a line */
    exray_told *told = exray_told_new();
    exray_result result;
    if (coco && told && xr_coco_result(coco, "a.png", told, &result, &error) == EXRAY_OK)
        for (uint32_t i = 0; i < result.box_count; i++)
            if (result.boxes[i].x_max < result.boxes[i].x_min)
                abort();
    exray_told_free(told);
    xr_coco_free(coco);
    return 0;
}
