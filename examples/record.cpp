/* The recorder in C++17: runs a TensorFlow Lite model on test patterns and records every layer.
 *
 *     record MODEL.tflite edge.mcap [FRAMES]
 *
 * `Recorder` is all that an application needs around exray's C interface.  It opens in its constructor,
 * closes in its destructor, and never throws, since observing must not stop the application, which reads the
 * error once, at the end.
 *
 *     c++ -std=c++17 -Iinclude examples/record.cpp -o record \
 *         $(pkg-config --cflags --libs exray) -ltensorflowlite_c */
#include "tflite_c_api.h"

#include <exray/tflite.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace
{

class Recorder
{
  public:
    /* Call it before creating the interpreter from `options`. */
    Recorder(const std::string &path, exray_capture capture, TfLiteInterpreterOptions *options,
             const std::string &model)
    {
        exray_tflite_open(&state_, path.c_str(), exray_recorder_config_of(capture), options, model.c_str());
    }
    ~Recorder()
    {
        close();
    }
    /* The tap holds the address of state_: no copies, no moves. */
    Recorder(const Recorder &) = delete;
    Recorder &operator=(const Recorder &) = delete;

    void begin_frame(const std::string &source)
    {
        exray_recorder_frame_begin(&state_, source.c_str());
    }
    void scalar(const char *name, double value)
    {
        exray_recorder_log_scalar(&state_, name, value);
    }
    /* "" if all went well. */
    std::string close()
    {
        return exray_recorder_close(&state_) == EXRAY_OK ? "" : exray_recorder_error_message(&state_);
    }

  private:
    exray_recorder state_;
};

template <typename T, void (*destroy)(T *)> struct Deleter {
    void operator()(T *object) const
    {
        destroy(object);
    }
};
using Model = std::unique_ptr<TfLiteModel, Deleter<TfLiteModel, TfLiteModelDelete>>;
using Options = std::unique_ptr<TfLiteInterpreterOptions,
                                Deleter<TfLiteInterpreterOptions, TfLiteInterpreterOptionsDelete>>;
using Interpreter = std::unique_ptr<TfLiteInterpreter, Deleter<TfLiteInterpreter, TfLiteInterpreterDelete>>;

int fail(const std::string &what)
{
    std::fprintf(stderr, "record: %s\n", what.c_str());
    return EXIT_FAILURE;
}

/* A wave with another length in every frame, whatever the input's type. */
void fill(TfLiteTensor *input, int frame)
{
    std::vector<float> wave(TfLiteTensorByteSize(input) / sizeof(float));
    for (size_t i = 0; i < wave.size(); i++)
        wave[i] = static_cast<float>(std::sin(static_cast<double>(i) / (3.0 + frame)));
    std::memcpy(TfLiteTensorData(input), wave.data(), wave.size() * sizeof(float));
}

} // namespace

int main(int argc, char **argv)
{
    if (argc < 3)
        return fail("usage: record MODEL.tflite edge.mcap [FRAMES]");
    const std::string file = argv[1], log = argv[2];
    const int frames = argc > 3 ? std::atoi(argv[3]) : 3;
    const Model model(TfLiteModelCreateFromFile(file.c_str()));
    if (!model)
        return fail("cannot load " + file);
    const Options options(TfLiteInterpreterOptionsCreate());
    Recorder recorder(log, EXRAY_CAPTURE_FULL, options.get(), file);
    const Interpreter interpreter(TfLiteInterpreterCreate(model.get(), options.get()));
    if (!interpreter || TfLiteInterpreterAllocateTensors(interpreter.get()) != kTfLiteOk)
        return fail("cannot prepare " + file);
    for (int i = 0; i < frames; i++) {
        recorder.begin_frame("pattern " + std::to_string(i));
        recorder.scalar("wavelength", 3.0 + i);
        fill(TfLiteInterpreterGetInputTensor(interpreter.get(), 0), i);
        if (TfLiteInterpreterInvoke(interpreter.get()) != kTfLiteOk)
            return fail("the model did not run");
    }
    const std::string problem = recorder.close();
    return problem.empty() ? EXIT_SUCCESS : fail(problem);
}
