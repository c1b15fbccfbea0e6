/* Whether pairs of frames are of one scene, whatever their names. */
#ifndef XR_SAME_FRAMES_H
#define XR_SAME_FRAMES_H

#include <exray/assertion.h>

/* Whether the data of a sensor or an input show that the comparison's pairs are the same frames: equal byte
 * for byte and other ones in each pair, or most like their own counterpart, not like that of another pair. */
bool xr_same_frames(const exray_comparison *comparison);

#endif
