# `expose` says what it cannot do, and never writes over its input.
printf 'no model at all' > some.bin
exray expose some.bin -o out.tflite; echo "status $?"
printf '\034\0\0\0TFL3\0\0\0\0' > cut.tflite
exray expose cut.tflite -o out.tflite; echo "status $?"
exray expose cut.tflite -o ./cut.tflite; echo "status $?"
exray expose missing.tflite -o out.tflite; echo "status $?"
exray expose cut.tflite; echo "status $?"
exray expose -o out.tflite; echo "status $?"
test -e out.tflite || echo "nothing was written"
