/* Which settings of a tokenizer make each side's ids of the texts in the log: found by tokenizing again. */
#ifndef XR_TOKEN_SETTINGS_H
#define XR_TOKEN_SETTINGS_H

#include "checks/input/tokens/token_names.h"
#include "checks/input/tokens/token_prompts.h"

/* One way to tokenize. */
typedef struct xr_token_setting {
    exray_tokenizer_kind kind;
    bool keep_case;
    const char *pattern; /* WORDS; a constant */
    int vocabulary;      /* by exray_side: whose */
} xr_token_setting;

typedef struct xr_token_settings {
    bool found[2]; /* by exray_side: some setting makes all of its ids */
    xr_token_setting of[2];
    size_t differences; /* between both, where both are found; the pair of the fewest */
} xr_token_settings;

/* false: no text, no vocabulary, or no memory. */
bool xr_token_settings_find(const xr_token_texts *texts, const xr_token_prompt *prompts,
                            const xr_token_names names[2], xr_token_settings *out);

/* "words, lower_case: false, pattern: \s+". */
void xr_token_setting_show(const xr_token_setting *setting, char text[128]);

#endif
