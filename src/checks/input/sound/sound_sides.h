/* Which side's samples are what the microphone's record gives. */
#ifndef XR_SOUND_SIDES_H
#define XR_SOUND_SIDES_H

#include "checks/input/sound/sound_frames.h"

#define XR_RATE_OF_SPEECH 16000

enum { XR_MIXED_CHANNELS = 8 };

typedef struct xr_sound_sides {
    bool known;        /* there are sounds in the log */
    uint32_t rate;     /* of the sensor's, Hz; 0: it does not say, and XR_RATE_OF_SPEECH is taken */
    uint32_t channels; /* of it */
    double stated;     /* the model's rate, as the logs say it (xr_pipeline_rate); 0: they do not */
    /* By exray_side. */
    bool proper[2];              /* the side's samples are the record's, at some usual rate, to the end */
    double at_rate[2];           /* that rate; 0: none */
    bool raw[2];                 /* the record's samples one by one, at whatever rate they are taken */
    exray_resampler careless[2]; /* other than SINC: it is the record at another rate without a low pass */
    double careless_rate[2];     /* that rate */
    bool mixed[2];               /* it is a sum of the record's channels, each by a factor of its own */
    double mix[2][XR_MIXED_CHANNELS]; /* these factors */
    int channel_of[2]; /* it is that channel of the record, from 1 on; 0: their mean, or none alone */
} xr_sound_sides;

/* Looks at a few frames that differ. */
void xr_find_sound_sides(const xr_sound_frames *frames, xr_sound_sides *out);

/* Which exray_side is wrong; -1: the logs do not say. */
int xr_wrong_sound_side(const xr_sound_sides *sides);

#endif
