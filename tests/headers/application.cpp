/* An application in C++17: records two logs, one with a bug, reads them back and validates them.
 *
 *     application FOLDER      FOLDER/edge.mcap, FOLDER/reference.mcap; exit status 0: all is as it should be
 */
#include <exray/codecs.h>
#include <exray/exray.h>
#include <exray/picture.h>
#include <exray/sound.h>
#include <exray/text.h>
#include <exray/validate.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace
{

constexpr uint32_t width = 64, height = 48;
constexpr int frames = 4;

[[noreturn]] void fail(std::string_view what, std::string_view why)
{
    std::fprintf(stderr, "application: %.*s: %.*s\n", static_cast<int>(what.size()), what.data(),
                 static_cast<int>(why.size()), why.data());
    std::exit(EXIT_FAILURE);
}

void expect(bool holds, std::string_view what)
{
    if (!holds)
        fail(what, "it is not so");
}

/* A recorder that closes itself, and can neither be copied nor moved: a log has one. */
class Recorder
{
  public:
    Recorder(const std::string &path, exray_role role)
    {
        exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
        config.capture = EXRAY_CAPTURE_FULL;
        config.role = role;
        config.compression = EXRAY_COMPRESSION_ZSTD;
        config.codec = exray_codec_default();
        exray_recorder_open_file(&state_, path.c_str(), &config);
    }
    Recorder(const Recorder &) = delete;
    Recorder &operator=(const Recorder &) = delete;
    ~Recorder()
    {
        if (exray_recorder_close(&state_) != EXRAY_OK)
            fail("recording", exray_recorder_error_message(&state_));
    }
    exray_recorder *operator*()
    {
        return &state_;
    }

  private:
    exray_recorder state_;
};

std::vector<uint8_t> picture_of(int frame)
{
    std::vector<uint8_t> pixels;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            const double wave = std::sin(x * 0.3 + frame) * std::cos(y * 0.2 - frame);
            pixels.push_back(static_cast<uint8_t>(140 + 100 * wave));
            pixels.push_back(static_cast<uint8_t>(4 * y + 10 * (x % 5)));
            pixels.push_back(
                static_cast<uint8_t>((x * x + y * 7u + 20u * static_cast<uint32_t>(frame)) % 90));
        }
    return pixels;
}

void log_floats(Recorder &recorder, exray_kind kind, const char *name, const std::vector<int64_t> &shape,
                const std::vector<float> &values)
{
    exray_tensor tensor{};
    tensor.kind = kind;
    tensor.info.name = name;
    tensor.info.dtype = EXRAY_DTYPE_FLOAT32;
    tensor.info.layout = shape.size() == 4 ? "NHWC" : nullptr;
    tensor.info.rank = static_cast<uint32_t>(shape.size());
    tensor.info.shape = shape.data();
    tensor.data = values.data();
    tensor.size = values.size() * sizeof(float);
    exray_recorder_log_tensor(*recorder, &tensor);
}

/* The model: the mean of each channel, and of each channel's square. */
std::vector<float> run(const std::vector<float> &input)
{
    std::vector<float> output(6, 0);
    for (size_t i = 0; i < input.size(); i++) {
        output[i % 3] += input[i] / (width * height);
        output[3 + i % 3] += input[i] * input[i] / (width * height);
    }
    return output;
}

void record(const std::string &path, exray_role role, bool swapped)
{
    Recorder recorder(path, role);
    for (int i = 0; i < frames; i++) {
        const std::string source = "picture " + std::to_string(i);
        const std::vector<uint8_t> pixels = picture_of(i);
        exray_media media{};
        media.format = "rgb8";
        media.width = width;
        media.height = height;
        exray_recorder_frame_begin(*recorder, source.c_str());
        exray_recorder_log_image(*recorder, "camera", &media, pixels.data(), pixels.size());
        std::vector<float> input(pixels.size());
        for (size_t k = 0; k < pixels.size(); k++)
            input[k] = (pixels[swapped ? k / 3 * 3 + 2 - k % 3 : k] - 127.5f) / 127.5f;
        log_floats(recorder, EXRAY_KIND_INPUT, "image", {1, height, width, 3}, input);
        log_floats(recorder, EXRAY_KIND_OUTPUT, "means", {1, 6}, run(input));
        exray_recorder_log_scalar(*recorder, "exposure_ms", 4.0 + i);
    }
}

using Log = std::unique_ptr<exray_log, decltype(&exray_log_close)>;

Log open_log(const std::string &path)
{
    exray_error error{};
    Log log(exray_log_open(path.c_str(), &error), exray_log_close);
    if (!log)
        fail(path, error.message);
    return log;
}

void read_back(const exray_log *log)
{
    exray_error error{};
    const std::unique_ptr<exray_slot, decltype(&exray_slot_free)> slot(exray_slot_new(), exray_slot_free);
    expect(exray_log_frame_count(log) == frames, "as many frames as were recorded");
    expect(std::string_view(exray_log_frame(log, 2)->source) == "picture 2", "the third frame's source");
    const exray_record *record = exray_log_find(log, 2, EXRAY_KIND_SENSOR, EXRAY_NO_INDEX, 0, "camera");
    exray_tensor_view view{};
    if (!record || exray_log_read_tensor(log, record, slot.get(), &view, &error) != EXRAY_OK)
        fail("reading the sensor's record", error.message);
    const std::unique_ptr<exray_picture, decltype(&exray_picture_free)> picture(
        exray_picture_decode(&view.media, view.data, view.size, &error), exray_picture_free);
    expect(picture && exray_picture_width(picture.get()) == width, "a picture of the width recorded");
    const std::vector<uint8_t> pixels = picture_of(2);
    expect(std::equal(pixels.begin(), pixels.end(), exray_picture_pixels(picture.get())),
           "the pixels recorded");
    const std::array<int16_t, 4> samples = {0, 16384, -16384, 0};
    exray_media media{};
    media.format = "s16";
    media.channels = 1;
    media.sample_rate = 16000;
    const std::unique_ptr<exray_sound, decltype(&exray_sound_free)> sound(
        exray_sound_decode(&media, samples.data(), sizeof samples, &error), exray_sound_free);
    expect(sound && exray_sound_samples(sound.get())[1] == 0.5f, "a sound decoded");
    exray_tokenizer_config config = EXRAY_TOKENIZER_CONFIG_INIT;
    config.kind = EXRAY_TOKENIZER_BYTES;
    const std::unique_ptr<exray_tokenizer, decltype(&exray_tokenizer_free)> tokenizer(
        exray_tokenizer_new(&config, &error), exray_tokenizer_free);
    exray_token_row row{};
    std::array<int64_t, 4> ids{};
    expect(tokenizer && !exray_tokenizer_run(tokenizer.get(), "abcd", 4, ids.data(), 4, &row, &error) &&
               ids[1] == 'b',
           "a text tokenized");
}

/* An assertion of the application's own, run in this process. */
EXRAY_ASSERTION(exposure, "user.exposure", "no exposure takes over 6 ms", "the scalar exposure_ms")
{
    const exray_log *edge = exray_comparison_log(comparison, EXRAY_SIDE_EDGE);
    for (size_t i = 0; i < exray_log_frame_count(edge); i++) {
        size_t count = 0;
        const exray_named_value *value = exray_log_frame_values(edge, i, &count);
        if (count > 0 && value->value > 6)
            exray_finding_summary(exray_findings_add(findings, "user.exposure", EXRAY_SEVERITY_WARNING, 1),
                                  "%g ms in frame %d.", value->value, static_cast<int>(i));
    }
    (void)error;
}

std::string validate(const exray_log *edge, const exray_log *reference, exray_verdict expected)
{
    exray_error error{};
    const exray_assertion *const own[] = {&exposure, nullptr};
    exray_validation_options options = EXRAY_VALIDATION_OPTIONS_INIT;
    options.own = own;
    const std::unique_ptr<exray_validation, decltype(&exray_validation_free)> validation(
        exray_validation_run(edge, reference, &options, &error), exray_validation_free);
    if (!validation)
        fail("validating", error.message);
    const char *json = exray_validation_json(validation.get(), &error);
    if (!json)
        fail("reporting", error.message);
    if (exray_validation_verdict(validation.get()) != expected)
        fail("another verdict than expected", json);
    return json;
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2)
        fail("usage", "application FOLDER");
    const std::string folder = argv[1];
    record(folder + "/edge.mcap", EXRAY_ROLE_EDGE, true);
    record(folder + "/reference.mcap", EXRAY_ROLE_REFERENCE, false);
    const Log edge = open_log(folder + "/edge.mcap");
    const Log reference = open_log(folder + "/reference.mcap");
    read_back(edge.get());
    const std::string report = validate(edge.get(), reference.get(), EXRAY_VERDICT_FAIL);
    expect(report.find("\"input.channel_order\"") != std::string::npos, "the swapped channels named");
    expect(report.find("7 ms in frame 3.") != std::string::npos, "the application's own finding");
    validate(reference.get(), reference.get(), EXRAY_VERDICT_PASS);
    std::puts("application: fine");
}
