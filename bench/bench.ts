import { inMemory } from './in-memory.ts';
import { print } from './measure.ts';
import { onTheWire, rootSteps } from './rekeying.ts';
import { throughStore } from './through-store.ts';
import { wholeProcesses } from './whole-processes.ts';

/** Everything in one run, so that the figures compare: this machine's speed changes from minute to minute. */
async function bench(): Promise<void> {
  print('in memory, 100 bytes (µs a message: encoding, padding, sealed header, body)', inMemory());
  print('root steps, 100 bytes (µs the message that begins a chain; × one without a KEM field)', rootSteps());
  print('on the wire, 100 bytes (bytes a message)', onTheWire());
  print('through the SQLite store, 100 bytes (µs a message, each in a commit of its own)', await throughStore());
  print('whole processes, 100 bytes (ms, and as a ratio to node -e 0)', wholeProcesses());
}

void bench();
