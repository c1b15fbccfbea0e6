/* How well both sides do their task, as a list: what reports show and `--require` judges. */
#ifndef XR_MEASURES_H
#define XR_MEASURES_H

#include <exray/assertion.h>

typedef struct xr_measure {
    const char *name;   /* "top1" */
    const char *unit;   /* "share" */
    bool higher;        /* is better */
    const char *output; /* which output it is of; NULL: there is one */
    const char *group;  /* of which part, such as a class; NULL: of all */
    size_t frames;
    double edge, reference; /* against the truth; NAN: there is none */
    double agreement;       /* of the edge with the reference */
} xr_measure;

enum { XR_MEASURES_MOST = 130 };

/* Fills out[XR_MEASURES_MOST]; returns how many there are. */
size_t xr_measures(const exray_comparison *comparison, xr_measure *out);

#endif
