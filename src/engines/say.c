#include "engines/say.h"

void xr_say(exray_recorder *recorder, const char *kind, const char *text)
{
    const exray_key_value pair = {kind, text};
    exray_recorder_log_metadata(recorder, "exray.event", &pair, 1);
}
