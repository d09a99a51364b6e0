/**
 * Runs every measurement and prints the tables of docs/measurements.md. All in one process, so that the figures can be
 * compared: the machine's speed changes from minute to minute.
 */
import { bounds } from './bounds.ts';
import { farDatabase, inDatabase, manyInDatabase } from './database.ts';
import { growth } from './growth.ts';
import { handshakes } from './handshakes.ts';
import { inMemory } from './in-memory.ts';
import { largeContent } from './large-content.ts';
import { largeInMemory } from './large-in-memory.ts';
import { largeParts } from './large-parts.ts';
import { many } from './many.ts';
import { type Figure, print } from './measure.ts';
import { onTheWire, rootSteps } from './rekeying.ts';
import { reports } from './reports.ts';
import { followed, routes } from './routes.ts';
import { throughStore } from './through-store.ts';
import { wholeProcesses } from './whole-processes.ts';

const MEASUREMENTS: readonly [title: string, measure: () => readonly Figure[] | Promise<readonly Figure[]>][] = [
  ['in memory, 100 bytes (µs a message: encoding, padding, sealed header, body)', inMemory],
  ['in memory, 16 MiB in one message (ms, the fastest)', largeInMemory],
  ['root steps, 100 bytes (µs the message that begins a chain; × one without a KEM field)', rootSteps],
  ['on the wire, 100 bytes (bytes a message)', onTheWire],
  ['through the SQLite store, 100 bytes (µs a message, each in a commit of its own)', throughStore],
  ['whole processes, 100 bytes (ms, and as a ratio to node -e 0)', wholeProcesses],
  ['with a handshake or an ML-KEM field (ms of processor time, and as a ratio to node -e 0)', handshakes],
  ['10,000 messages in one call, 100 bytes', many],
  ['one message, whole processes, with this behind it (ms, and as a ratio to nothing)', growth],
  ['reports on large identities (ms of processor time, and as a ratio to node -e 0)', reports],
  ['16 MiB in one message, whole processes', largeContent],
  ['256 MiB in parts, whole processes (processor time; × node:crypto on the same bytes)', largeParts],
  ['along routes, 100 bytes (whole processes; × recv of a file)', routes],
  ['a follower, 100 bytes (resident memory; × after the tenth part)', followed],
  ['in a database, 100 bytes (whole processes, ms; × node -e 0, or the same in a file)', inDatabase],
  ['in a database, 100 bytes (messages a second, whole processes; × the same in a file)', manyInDatabase],
  ['in a database that is far away, 100 bytes (round trips; ms; × on the same machine)', farDatabase],
  ['bounds: strangers, lying gaps, many large files', bounds],
];

/** @param part measures only what has this in its title. */
async function bench(part = ''): Promise<void> {
  process.stdout.write(`Node ${process.versions.node}\n`);
  for (const [title, measure] of MEASUREMENTS) {
    if (title.includes(part)) print(title, await measure());
  }
}

void bench(process.argv[2]);
