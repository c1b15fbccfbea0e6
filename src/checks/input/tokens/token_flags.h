/* Zeros and ones beside ids: the attention mask, the types of tokens. */
#ifndef XR_TOKEN_FLAGS_H
#define XR_TOKEN_FLAGS_H

#include "checks/input/tokens/token_story.h"

/* Whether an input's difference follows from that of the ids beside it: each flag is the one that the
 * reference has for that id, or padding. */
bool xr_token_flags_follow(const xr_token_texts *flags, const xr_token_texts *ids,
                           const xr_token_story *story);

/* Reports an input of zeros and ones that differs by itself.  `ids`: those beside it, or NULL. */
void xr_report_token_flags(const exray_comparison *comparison, const char *tensor,
                           const xr_token_texts *flags, const xr_token_texts *ids, exray_findings *findings);

#endif
