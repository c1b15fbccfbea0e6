/* The findings about raw sound, in words that speak of sound. */
#ifndef XR_SOUND_REPORT_H
#define XR_SOUND_REPORT_H

#include "checks/input/sound/filters/sound_filter.h"
#include "checks/input/sound/filters/sound_resampler.h"
#include "checks/input/sound/filters/sound_response.h"
#include "checks/input/sound/filters/sound_tone.h"
#include "checks/input/sound/sound_across.h"
#include "checks/input/sound/sound_finding.h"
#include "checks/input/sound/sound_order.h"
#include "checks/input/sound/sound_pieces.h"
#include "checks/input/sound/sound_values.h"
#include "checks/input/sound/sound_wrap.h"

void xr_report_sound_order(const xr_sound_report *r, const xr_sound_order *order);
void xr_report_sound_across(const xr_sound_report *r, const xr_sound_across *across);
/* One side is one channel of the record, the other another or the mean of all. */
bool xr_report_sound_channel(const xr_sound_report *r);
/* Both are sums of the record's channels, by other factors. */
bool xr_report_sound_mix(const xr_sound_report *r);
/* The reading, the channels, the rate and the shift of a relation, each where it is there. */
void xr_report_sound_relation(const xr_sound_report *r, const xr_sound_relation *relation);
/* A filter that only one side has. */
void xr_report_sound_filter(const xr_sound_report *r, const xr_sound_filter *filter);
/* A long filter, or an echo. */
void xr_report_sound_response(const xr_sound_report *r, const xr_sound_response *response);
/* A tone that only one side has. */
void xr_report_sound_tone(const xr_sound_report *r, const xr_sound_tone *tone);
/* One side changed the rate without a low pass; false: none did, or both. */
bool xr_report_careless_resampler(const xr_sound_report *r);
/* One side resamples each window by itself: a warning, and an error where decisions differ. */
void xr_report_sound_alone(const xr_sound_report *r, const xr_sound_alone *alone);
/* Two usual resamplers: a warning, and an error where decisions differ. */
void xr_report_sound_resamplers(const xr_sound_report *r, const xr_sound_resamplers *resamplers);
/* One side has fewer bits. */
void xr_report_sound_steps(const xr_sound_report *r, const xr_sound_steps *steps);
/* false: the values are the same. */
bool xr_report_sound_values(const xr_sound_report *r, const xr_sound_relation *relation,
                            const xr_sound_values *values);
/* Frames of which a side's samples are all 0 and the other's are not; whether there are any. */
bool xr_report_silence(const xr_sound_report *r);
void xr_report_sound_pieces(const xr_sound_report *r, const xr_sound_pieces *pieces);

#endif
