/* Sound with its named fault undone. */
#ifndef XR_SOUND_UNDONE_H
#define XR_SOUND_UNDONE_H

#include "report/html/signals/signal_read.h"

/* Where a finding explains how one side's samples follow from the other's (read as another type, at another
 * rate, later, times a factor): the samples of that side in a matched frame, brought to the other's, as a
 * waveform and a spectrogram, and what is left of the difference.  `rate` is that of the charts; number makes
 * their ids. */
void xr_put_sound_undone(xr_page *page, size_t pair, size_t frame, double rate, size_t number);

void xr_sound_undone_free(xr_page *page);

#endif
