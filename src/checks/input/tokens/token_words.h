/* What a finding says of ids that differ. */
#ifndef XR_TOKEN_WORDS_H
#define XR_TOKEN_WORDS_H

#include "checks/input/tokens/token_names.h"
#include "checks/input/tokens/token_story.h"

/* Adds summary, details, fix and evidence.  `names`: the tokens of ids; by exray_side; none where count is 0.
 */
void xr_say_token_story(const exray_comparison *comparison, const char *tensor, const xr_token_texts *texts,
                        const xr_token_story *story, const xr_token_names names[2], exray_finding *finding);

/* The finding's cause: ids of another frame, ids stored in fewer bits, else "input.tokens". */
const char *xr_token_story_cause(const xr_token_story *story);

/* In one word: "unknown", "offset", "vocabulary", ...: the evidence `kind`. */
const char *xr_token_story_kind(const xr_token_story *story);

#endif
