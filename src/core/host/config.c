/* Configs that are all defaults but for the capture level.  A file of its own: a program that does not ask
 * for them does not carry them. */
#include <exray/recorder.h>

#define CONFIG(level)                                                                                        \
    {                                                                                                        \
        .size = sizeof(exray_recorder_config), .capture = (level)                                            \
    }

const exray_recorder_config *exray_recorder_config_of(exray_capture capture)
{
    static const exray_recorder_config configs[] = {
        CONFIG(EXRAY_CAPTURE_DEFAULT),
#define CONFIG_OF(upper, lower) CONFIG(EXRAY_CAPTURE_##upper),
        EXRAY_CAPTURES(CONFIG_OF)
#undef CONFIG_OF
            CONFIG((exray_capture)INT32_MAX), /* no level: open refuses it */
    };
    enum { LAST = sizeof configs / sizeof *configs - 1 };
    return &configs[(unsigned)capture < LAST ? (unsigned)capture : LAST];
}
