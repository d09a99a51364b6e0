#!/usr/bin/env node
'use strict';

require('../dist/pawl.cjs')
  .run(process)
  .then((code) => {
    process.exitCode = code;
  });
