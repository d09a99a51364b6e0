#!/usr/bin/env node
'use strict';

// Node would open a debugger on SIGUSR1, which every user of the machine can connect to and read keys with.
process.on('SIGUSR1', () => undefined);

// The kernel keeps signals from the first process of a container, unless it handles them. Any other process has no
// handler here: it ends at once, whatever it is doing, and by the signal itself. Where there is another handler, that one
// ends the process.
if (process.pid === 1) {
  for (const [signal, number] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ]) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(128 + number);
    });
  }
}

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
