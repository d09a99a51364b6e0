/**
 * How fast a long transfer goes, and how long it will take, in words.
 * Draws nothing.
 */
import { bytesInWords } from './format.ts';
import type { Io } from './io.ts';

export class Pace {
  readonly #now: Io['now'];
  readonly #since: number;
  readonly #size: number | undefined;
  /** Bytes that were there when it began. */
  #before: number | undefined;

  /** @param size in bytes; `undefined` where it is not known. */
  constructor({ now }: Pick<Io, 'now'>, size: number | undefined) {
    this.#now = now;
    this.#since = now();
    this.#size = size;
  }

  /** `1.2 GB of 5.0 GB, 80.0 MB/s, 0:48 left`. @param bytes that are done. */
  words(bytes: number): string {
    this.#before ??= bytes;
    const seconds = (this.#now() - this.#since) / 1_000;
    const rate = seconds > 0 ? (bytes - this.#before) / seconds : 0;
    const size = this.#size;
    return [
      size === undefined ? bytesInWords(bytes) : `${bytesInWords(bytes)} of ${bytesInWords(size)}`,
      ...(rate >= 1 ? [`${bytesInWords(Math.round(rate))}/s`] : []),
      ...(rate >= 1 && size !== undefined ? [`${clock((size - bytes) / rate)} left`] : []),
    ].join(', ');
  }
}

/** A number of seconds as on a clock: `0:48`, `1:02:03`. */
function clock(seconds: number): string {
  const whole = Math.ceil(Math.max(seconds, 0));
  const two = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
