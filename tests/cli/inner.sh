# `info` counts what runs inside of nodes; its JSON lists all of it.
"$TESTS/write_everything" log.mcap chunked > /dev/null
exray info log.mcap | sed -n '/^engine/,/^inputs/p'
exray info log.mcap --json info.json > /dev/null
python3 -c 'import json; print(json.dumps(json.load(open("info.json"))["model"]["inner"], indent=1))'
