/* What the texts in the log say of ids that differ: which setting of the tokenizer differs, by tokenizing
 * them again; without a vocabulary, which words became unknown. */
#ifndef XR_TOKEN_ORIGIN_H
#define XR_TOKEN_ORIGIN_H

#include "checks/input/tokens/token_names.h"
#include "checks/input/tokens/token_story.h"

/* Adds details, evidence and a better fix to the finding of a story, where there are texts and they tell. */
void xr_say_token_origin(const exray_comparison *comparison, const xr_token_texts *texts,
                         const xr_token_story *story, const xr_token_names names[2], exray_finding *finding);

#endif
