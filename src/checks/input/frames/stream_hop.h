/* Frames of a stream: those of one recording, each a little later than the one before. */
#ifndef XR_STREAM_HOP_H
#define XR_STREAM_HOP_H

#include <exray/assertion.h>

/* Samples of the recording from a frame to the next one (sources FILE@SAMPLE of the edge); 0: the next is of
 * another recording, or no later, or their sources do not say it. */
long xr_hop_to_next(const exray_comparison *comparison, size_t frame);

#endif
