/* A vocabulary, a pattern and a text, parted by zero bytes; the first byte chooses the tokenizer. */
#include <exray/text.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const exray_error *error)
{
    if (error->status == EXRAY_OK || !*error->message || strchr(error->message, '\n'))
        abort();
}

/* What the row promises is there, and no id is of no token. */
static void run(const exray_tokenizer *tokenizer, const char *text, size_t size)
{
    exray_error error = {EXRAY_OK, ""};
    exray_token_row row;
    if (exray_tokenizer_run(tokenizer, text, size, NULL, 0, &row, &error)) {
        check(&error);
        return;
    }
    int64_t *ids = malloc(row.count * sizeof *ids + 1);
    if (!ids || exray_tokenizer_run(tokenizer, text, size, ids, row.count, &row, &error))
        abort();
    volatile int64_t sum = 0;
    for (uint64_t i = 0; i < row.count; i++)
        sum = sum + ids[i];
    if (row.begin > row.end || row.end > row.count)
        abort();
    for (uint64_t i = 0; i < row.count && i < 4; i++) {
        size_t length;
        const char *token = exray_tokenizer_token(tokenizer, ids[i], &length);
        if (token && exray_tokenizer_id(tokenizer, token, length) < 0)
            abort();
    }
    free(ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const uint8_t choice = data[0], length = data[1];
    char *all = malloc(size); /* ends in a zero byte of its own */
    if (!all)
        return 0;
    memcpy(all, data + 2, size - 2);
    all[size - 2] = 0;
    const size_t vocabulary = strlen(all), left = size - 2 - vocabulary;
    const char *pattern = left ? all + vocabulary + 1 : "", *text = pattern + strlen(pattern);
    const size_t rest = (size_t)(all + size - 2 - text);
    exray_tokenizer_config config = EXRAY_TOKENIZER_CONFIG_INIT;
    config.kind = choice % 3;
    config.keep_case = choice & 4;
    config.pad_left = choice & 8;
    config.truncation = choice >> 4 & 3;
    config.length = length;
    config.vocabulary = choice & 64 ? NULL : all;
    config.vocabulary_size = vocabulary;
    config.pattern = *pattern ? pattern : NULL;
    exray_error error = {EXRAY_OK, ""};
    exray_tokenizer *tokenizer = exray_tokenizer_new(&config, &error);
    if (tokenizer)
        run(tokenizer, rest ? text + 1 : "", rest ? rest - 1 : 0);
    else
        check(&error);
    exray_tokenizer_free(tokenizer);
    free(all);
    return 0;
}
