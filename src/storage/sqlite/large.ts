import { concatAll } from '../../primitives/index.ts';
import type { Unit } from './unit.ts';

type Box = 'outbox' | 'inbox';

/** More than so many bytes are kept in more than one row: see `VERSION_4` of the schema. */
const ROW = 2 ** 20;

/** What goes into the first row. */
export function firstOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, ROW);
}

export function addRest(unit: Unit, box: Box, entry: number, bytes: Uint8Array): void {
  for (let at = ROW; at < bytes.length; at += ROW) {
    unit.run(`INSERT INTO ${box}_rest (entry, bytes) VALUES (@entry, @bytes)`, {
      entry,
      bytes: bytes.subarray(at, at + ROW),
    });
  }
}

/** The whole of what begins in the first row. */
export function wholeOf(unit: Unit, box: Box, entry: number, first: Uint8Array): Uint8Array {
  if (first.length < ROW) return first;
  const sql = `SELECT bytes FROM ${box}_rest WHERE entry = @entry ORDER BY id`;
  const rest = unit.all<{ readonly bytes: Uint8Array }>(sql, { entry });
  return concatAll([first, ...rest.map(({ bytes }) => bytes)]);
}
