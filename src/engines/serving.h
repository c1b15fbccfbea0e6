/* When the exposed model takes the place of the deployed one, so that a frame costs one run.
 *
 * The application's outputs are the deployed model's until the exposed one returned the same, bit by bit, in
 * XR_SERVING_PROOF frames.  From then on the exposed one's run is the only one, but for every
 * XR_SERVING_EVERY-th frame, where both run and are compared.  Where they differ once, both run from then
 * on. */
#ifndef XR_SERVING_H
#define XR_SERVING_H

#include <exray/exray.h>

enum { XR_SERVING_PROOF = 3, XR_SERVING_EVERY = 16 };

/* Zero it before use. */
typedef struct xr_serving {
    bool allowed;    /* by the application, and by the model: nothing but its inputs decides on its outputs */
    bool given_up;   /* the two differed, or a run failed */
    uint32_t proven; /* frames in which they were equal */
    uint64_t frames; /* with layers, so far */
    uint64_t served;
    char text[24]; /* private: of the pair */
} xr_serving;

/* A frame with layers begins: whether the exposed model may make the application's outputs. */
bool xr_serving_begin(xr_serving *serving);

/* Both ran; `equal`: bit by bit, as in all frames before. */
void xr_serving_compared(xr_serving *serving, exray_recorder *recorder, bool equal);

/* The exposed model cannot serve any more: both run from now on.  `why` ends the sentence that is recorded.
 */
void xr_serving_give_up(xr_serving *serving, exray_recorder *recorder, const char *why);

/* Whether an operator gives the same for the same inputs, in whatever session: it draws no random numbers. */
bool xr_serving_trusts(const char *op);

/* What "exray.observation" says of it. */
exray_key_value xr_serving_pair(xr_serving *serving);

#endif
