/* Writes what is true of an item into the log. */
#ifndef XR_TRUTH_RECORD_H
#define XR_TRUTH_RECORD_H

#include "replay/items.h"
#include "replay/labels.h"

#include <exray/recorder.h>

/* What is told of a whole run.  Zeroed but for `truth`, which is borrowed; NULL: there is none. */
typedef struct xr_truth_notes {
    const xr_truth *truth;
    size_t frames, without; /* with no truth */
    char example[200];      /* of those */
    bool fault_told, category_told;
} xr_truth_notes;

typedef void xr_truth_warning(void *user, const char *text);

/* The open frame's truth, where there is one.  Boxes whose class is named in `labels`, the model's, get its
 * number there; where there are labels others are left out.  What cannot be used is told in a line. */
void xr_truth_record(xr_truth_notes *notes, const xr_item *item, const xr_names *labels,
                     exray_recorder *recorder, xr_truth_warning *warning, void *user);
/* Tells how many frames had none. */
void xr_truth_end(const xr_truth_notes *notes, xr_truth_warning *warning, void *user);

#endif
