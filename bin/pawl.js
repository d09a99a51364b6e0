#!/usr/bin/env node
'use strict';

// Until the work has ended: a process that runs out of things to wait for has not done it.
process.exitCode = 1;
require('../dist/pawl.cjs')
  .run(process)
  .then((exit) => process.exit(exit));
