#!/usr/bin/env node
'use strict';

const { node, napi } = process.versions;
// Node 20 has version 12 of the database, compiled for it. Version 13 needs version 10 of the interface for addons, and
// crashes where there is an older one.
if (Number(napi) < 10 && !/^20\.(19|[2-9]\d)\./.test(node)) {
  process.stderr.write(
    `error: this is Node ${node}, which pawl does not run on\nhint: install Node 24, or 22.14 or newer of 22\n`,
  );
  process.exit(78);
}

// Until the work has ended: a process that runs out of things to wait for has not done it.
process.exitCode = 1;
require('../dist/pawl.cjs')
  .run(process)
  .then((exit) => process.exit(exit));
