# A slip of the hand costs no file: logs take the place of logs only, and what is no log not the place of one.
try() { echo "\$ exray $*"; exray "$@"; echo "status $?"; }
printf 'pixels' > picture.jpg
"$TESTS/write_everything" log.mcap chunked > /dev/null
cp log.mcap copy.mcap
try record --model m.tflite --pipeline p.yaml --data picture.jpg -o picture.jpg
try recover log.mcap -o picture.jpg
try export log.mcap --csv log.mcap
try export log.mcap --trace copy.mcap
echo "$ exray info log.mcap --json log.mcap > /dev/null"
exray info log.mcap --json log.mcap > /dev/null
echo "status $?"
cat picture.jpg; echo
cmp log.mcap copy.mcap && echo "both logs are as they were"
try expose "$SOURCE/fuzz/corpus/onnx/small.onnx" -o picture.jpg
try expose "$SOURCE/fuzz/corpus/onnx/small.onnx" -o /dev/full
[ -c /dev/full ] && echo "the device is still one"
echo "Nor does one output take the place of another, or of frames that are there:"
try validate log.mcap copy.mcap --json out.json --html ./out.json
try validate log.mcap copy.mcap --json ""
mkdir sub
touch model.tflite
try validate log.mcap copy.mcap --reference-model model.tflite --html model.tflite
try export log.mcap --trace out.json --csv sub/../out.json
try export log.mcap --csv out.csv --dequantize
try export log.mcap --npz frames
try export log.mcap --npz frames
touch frames/frame-000099.npz
try export log.mcap --npz frames
ls
