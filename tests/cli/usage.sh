# What a mistyped command line is answered.
try() { echo "\$ exray $*"; exray "$@"; echo "status $?"; }
try frobnicate
try record
try record --model m.tflite --pipeline p.yaml --data . 
try record --model m.tflite --pipeline p.yaml --data . -o
try record --model m.tflite --pipeline p.yaml --data . -o out.mcap --capture most
try record --model m.tflite --pipeline p.yaml --data . -o out.mcap --kernels fast
try record --model m.tflite --pipeline p.yaml --data . -o out.mcap --threads 0
try record --model m.bin --pipeline p.yaml --data . -o out.mcap
try record --model m.tflite --pipeline p.yaml --data nowhere -o out.mcap
try record --frobnicate
try record --from input
try replay --data x
try replay a.mcap b.mcap
try replay missing.mcap --model m.tflite --pipeline p.yaml -o out.mcap
try info
try info missing.mcap
try info .
try validate
try validate one.mcap
try validate missing.mcap missing.mcap
try recover missing.mcap
try export missing.mcap
try version extra
echo "$ exray version > /dev/full"
exray version > /dev/full
echo "status $?"
for help in "--help" "validate --help" "help info"; do
    echo "$ exray $help > /dev/full"
    exray $help > /dev/full
    echo "status $?"
done
try record --model m.tflite --pipeline p.yaml --data . -o -
