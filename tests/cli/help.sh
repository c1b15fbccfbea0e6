# Every command has help with an example, on standard output.
for command in record replay validate diff info export recover scrub receive expose engines assertions version; do
    exray $command --help > help.txt 2> errors.txt
    echo "$command: status $?, $(grep -c '^usage: exray '$command help.txt) usage, $(grep -c '^example: exray '$command help.txt) example, $(wc -l < errors.txt) errors"
done
exray --help
