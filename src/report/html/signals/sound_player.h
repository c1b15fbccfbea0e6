/* A player for sound, with the sound in the page. */
#ifndef XR_SOUND_PLAYER_H
#define XR_SOUND_PLAYER_H

#include "report/html/signals/signal_read.h"

/* Plays a signal of a known rate, as 16 bits of one channel: as much of it as there is room for, of a bounded
 * number of bytes for all sounds of a page; nothing where its rate is unknown or none that is played.
 * `label` says whose it is. */
void xr_put_player(xr_page *page, const xr_signal *signal, const char *label);

#endif
