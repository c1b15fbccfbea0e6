/* The model file that a side ran and an engine for it, where they are found without being named. */
#ifndef XR_AT_HAND_H
#define XR_AT_HAND_H

#include "engines/engine.h"
#include "validate/models.h"

typedef struct xr_at_hand {
    const xr_engine *engine; /* NULL: there is none, or no file; `why` says so */
    const char *library;     /* for the engine; NULL: it finds its own */
    const void *model;
    size_t size;
    bool is_file;   /* the model is the very file that was run */
    void *own;      /* the model's bytes, where they were read here */
    char path[512]; /* of the file; "": none */
    char why[320];
} xr_at_hand;

/* `side`: for words; `named`: the file that was named and read into `model`, or NULL: the one in the folder
 * of the log, which must be the very file that was run.  `library`: the engine's that was named, or NULL. */
void xr_at_hand_find(const exray_log *log, const char *side, const char *named, const xr_side_model *model,
                     const char *library, xr_at_hand *out);
void xr_at_hand_free(xr_at_hand *at_hand);

#endif
