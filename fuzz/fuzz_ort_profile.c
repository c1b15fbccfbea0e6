/* Any bytes as the text of a profile of ONNX Runtime. */
#define _GNU_SOURCE /* memfd_create */
#include "engines/onnxruntime/profile_text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void seen(void *user, const xr_ort_event *event)
{
    size_t *sum = user;
    *sum += strlen(event->name); /* a name without an end would be read beyond */
    if (event->duration_ns > UINT64_C(1000000000000000) || event->start_ns > UINT64_C(1000000000000000))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t sum = 0;
    int file = memfd_create("profile", 0);
    if (file < 0)
        return 0;
    if (write(file, data, size) == (ssize_t)size && lseek(file, 0, SEEK_SET) == 0)
        xr_ort_read_profile(file, seen, &sum);
    close(file);
    return 0;
}
