/* The texts that the ids were made of, where a log has them. */
#ifndef XR_TOKEN_PROMPTS_H
#define XR_TOKEN_PROMPTS_H

#include "checks/input/tokens/token_texts.h"

typedef struct xr_token_prompt {
    char *text; /* NULL: none */
    size_t size;
} xr_token_prompt;

/* One for each of texts->text, and how many there are; rows beside others of one frame have none.  NULL: not
 * one text, or out of memory.  Free with xr_token_prompts_free. */
xr_token_prompt *xr_token_prompts_read(const exray_comparison *comparison, const xr_token_texts *texts);
void xr_token_prompts_free(xr_token_prompt *prompts, const xr_token_texts *texts);

#endif
