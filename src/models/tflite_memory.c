/* Memory of the description of one .tflite file. */
#include "models/tflite.h"

#include <stdlib.h>
#include <string.h>

struct xr_tflite_block {
    xr_tflite_block *next;
    max_align_t data[];
};

void xr_tflite_free(xr_tflite_file *file)
{
    while (file->blocks) {
        xr_tflite_block *block = file->blocks;
        file->blocks = block->next;
        free(block);
    }
    free(file);
}

void *xr_tflite_take(xr_tflite_file *file, uint64_t count, size_t size)
{
    if (count > file->room / size) {
        if (!file->problem)
            file->problem = "it describes more than a file of its size can hold";
        return NULL;
    }
    xr_tflite_block *block = calloc(1, sizeof *block + (size_t)count * size);
    if (!block) {
        file->no_memory = true;
        return NULL;
    }
    file->room -= count * size;
    block->next = file->blocks;
    file->blocks = block;
    return block->data;
}

const char *xr_tflite_text(xr_tflite_file *file, const char *text, uint32_t length)
{
    enum { MOST = 1000 }; /* the log's limit for names */
    if (!text || length <= MOST)
        return text ? text : "";
    length = MOST;
    while (length && ((unsigned char)text[length] & 0xC0) == 0x80) /* within a UTF-8 character */
        length--;
    char *copy = xr_tflite_take(file, length + 1, 1);
    return copy ? memcpy(copy, text, length) : "";
}
