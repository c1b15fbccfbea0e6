/* An application with the recorder and nothing else: scripts/core_alone.sh builds and runs it.
 *   usage: alone OUT.mcap */
#include <exray/exray.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    static const int64_t shape[] = {1, 4};
    exray_recorder recorder;
    if (argc != 2) {
        fprintf(stderr, "usage: alone OUT.mcap\n");
        return 2;
    }
    exray_recorder_open_file(&recorder, argv[1], exray_recorder_config_of(EXRAY_CAPTURE_FULL));
    for (int frame = 0; frame < 3; frame++) {
        const float values[] = {0, 0.25f, -1, (float)frame};
        exray_recorder_frame_begin(&recorder, "a sensor");
        exray_recorder_log_tensor(
            &recorder, &(exray_tensor){
                           .kind = EXRAY_KIND_INPUT,
                           .info = {.name = "input", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = shape},
                           .data = values,
                           .size = sizeof values});
        exray_recorder_frame_end(&recorder);
    }
    if (exray_recorder_close(&recorder) == EXRAY_OK)
        return 0;
    fprintf(stderr, "%s\n", exray_recorder_error_message(&recorder));
    return 1;
}
