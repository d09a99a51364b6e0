/**
 * Runs every measurement and prints the tables of docs/measurements.md. All in one process, so that the figures can be
 * compared: the machine's speed changes from minute to minute.
 */
import { growth } from './growth.ts';
import { handshakes } from './handshakes.ts';
import { inMemory } from './in-memory.ts';
import { largeContent } from './large-content.ts';
import { largeInMemory } from './large-in-memory.ts';
import { many } from './many.ts';
import { print } from './measure.ts';
import { onTheWire, rootSteps } from './rekeying.ts';
import { reports } from './reports.ts';
import { throughStore } from './through-store.ts';
import { wholeProcesses } from './whole-processes.ts';

async function bench(): Promise<void> {
  process.stdout.write(`Node ${process.versions.node}\n`);
  print('in memory, 100 bytes (µs a message: encoding, padding, sealed header, body)', await inMemory());
  print('in memory, 16 MiB in one message (ms, the fastest)', largeInMemory());
  print('root steps, 100 bytes (µs the message that begins a chain; × one without a KEM field)', rootSteps());
  print('on the wire, 100 bytes (bytes a message)', onTheWire());
  print('through the SQLite store, 100 bytes (µs a message, each in a commit of its own)', await throughStore());
  print('whole processes, 100 bytes (ms, and as a ratio to node -e 0)', wholeProcesses());
  print('with a handshake or an ML-KEM field (ms of processor time, and as a ratio to node -e 0)', handshakes());
  const { rates, peaks } = many();
  print('10,000 messages in one call, 100 bytes (messages a second; × libchat)', rates);
  print('peak memory of that (MB, and as a ratio to that of 1,000 messages)', peaks);
  print('one message, whole processes, with this behind it (ms, and as a ratio to nothing)', await growth());
  print('reports on large identities (ms of processor time, and as a ratio to node -e 0)', reports());
  const large = largeContent();
  print('16 MiB in one message, whole processes (ms)', large.times);
  print('peak memory of that above an empty node (MB, and as a ratio to the content)', large.peaks);
}

void bench();
