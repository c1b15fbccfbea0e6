/* Rows of bytes. */
#include "media/text/byte_rows.h"

/* As Python's bytes.strip. */
static bool is_white(uint8_t byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static void fill(const uint8_t *bytes, size_t count, int64_t *ids)
{
    for (size_t i = 0; i < count; i++)
        ids[i] = bytes[i];
}

/* Magika's way: of the first and the last two rows' bytes, without white space outside, each half of the row
 * has as many as fit; the padding is between them. */
static void fill_both_ends(const uint8_t *bytes, size_t size, int64_t *ids, uint64_t length,
                           exray_token_row *row)
{
    size_t block = size < 2 * length ? size : (size_t)(2 * length);
    size_t first = (size_t)(length / 2), last = (size_t)length - first;
    size_t begin = 0, end = block;
    const uint8_t *tail = bytes + (size - block);
    while (begin < block && is_white(bytes[begin]))
        begin++;
    while (end > 0 && is_white(tail[end - 1]))
        end--;
    first = block - begin < first ? block - begin : first;
    last = end < last ? end : last;
    fill(bytes + begin, first, ids);
    fill(tail + (end - last), last, ids + (length - last));
    row->begin = first;
    row->end = length - last;
    row->split = true;
}

void xr_row_of_bytes(const exray_tokenizer *t, const uint8_t *bytes, size_t size, int64_t *ids,
                     uint64_t length, exray_token_row *row)
{
    size_t kept = size < length ? size : (size_t)length;
    exray_truncation truncation = t->config.truncation;
    row->count = length;
    row->tokens = size;
    for (uint64_t i = 0; i < length; i++)
        ids[i] = t->special.pad;
    if (truncation == EXRAY_TRUNCATION_DEFAULT || truncation == EXRAY_TRUNCATION_MIDDLE) {
        fill_both_ends(bytes, size, ids, length, row);
        return;
    }
    row->begin = t->config.pad_left ? length - kept : 0;
    row->end = row->begin + kept;
    fill(truncation == EXRAY_TRUNCATION_LEFT ? bytes + (size - kept) : bytes, kept, ids + row->begin);
}
