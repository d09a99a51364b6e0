#!/usr/bin/env node
'use strict';

const { readFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const filename = join(__dirname, '..', 'dist', 'pawl.cjs');
const source = readFileSync(filename);
// All of it is ASCII.
const script = new Script(source.latin1Slice(), { filename, cachedData: code() });
const program = { exports: {} };
script.runInThisContext()(program.exports, require, program);

// Until the work has ended: a process that runs out of things to wait for has not done it.
process.exitCode = 1;
program.exports.run(process).then((exit) => process.exit(exit));

/**
 * What V8 made of the program when it was built, so that not every start compiles it. `undefined` where another Node made
 * it, or of another program: V8 itself would take any that is of the same length.
 */
function code() {
  let file;
  try {
    file = readFileSync(`${filename}.code`);
  } catch {
    return undefined;
  }
  const madeBy = Buffer.from(`${process.version} ${process.platform} ${process.arch}`);
  // In front, because V8 copies what is not aligned.
  const end = file.length - source.length - madeBy.length;
  const fits = source.equals(file.subarray(end, -madeBy.length)) && madeBy.equals(file.subarray(-madeBy.length));
  return fits ? file.subarray(0, end) : undefined;
}
