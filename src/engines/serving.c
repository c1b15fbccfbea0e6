#include "engines/serving.h"

#include "core/host/taps.h"

#include <stdio.h>
#include <string.h>

bool xr_serving_begin(xr_serving *s)
{
    uint64_t frame = s->frames++;
    return s->allowed && !s->given_up && s->proven >= XR_SERVING_PROOF && frame % XR_SERVING_EVERY != 0;
}

void xr_serving_compared(xr_serving *s, exray_recorder *recorder, bool equal)
{
    if (equal)
        s->proven++;
    else
        xr_serving_give_up(s, recorder, "its outputs differ from the deployed model's");
}

void xr_serving_give_up(xr_serving *s, exray_recorder *recorder, const char *why)
{
    char text[320];
    if (!s->allowed || s->given_up)
        return;
    s->given_up = true;
    snprintf(
        text, sizeof text,
        "the model with its layers exposed cannot take the deployed one's place: %.160s; both run in each "
        "frame from now on",
        why);
    xr_say_event(recorder, EXRAY_EVENT_LEVEL, text);
}

bool xr_serving_trusts(const char *op)
{
    static const char *const generators[] = {"RANDOM",      "MULTINOMIAL", "Random",
                                             "Multinomial", "Bernoulli",   "Dropout"};
    for (size_t i = 0; op && i < sizeof generators / sizeof *generators; i++)
        if (strstr(op, generators[i]))
            return false;
    return op != NULL;
}

exray_key_value xr_serving_pair(xr_serving *s)
{
    snprintf(s->text, sizeof s->text, "%llu", (unsigned long long)s->served);
    return (exray_key_value){"frames_served", s->text};
}
