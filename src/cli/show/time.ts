/** Times as a person reads them: local, to the minute. `time` is in unix milliseconds. */
export function instant(time: number): string {
  const date = new Date(time);
  return `${day(time)} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

export function day(time: number): string {
  const date = new Date(time);
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Times as scripts read them. */
export function iso(time: number): string {
  return new Date(time).toISOString();
}

/** How long a span of milliseconds is, in its largest whole unit: `3 days`. */
export function span(milliseconds: number): string {
  for (const [unit, length] of UNITS) {
    const count = Math.floor(milliseconds / length);
    if (count >= 1) return `${count} ${unit}${count === 1 ? '' : 's'}`;
  }
  return 'less than a minute';
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const;

/** A span of milliseconds as it is typed: `36h`. It is a whole number of minutes. */
export function timeSpanOf(milliseconds: number): string {
  const [unit, length] = UNITS.find(([, length]) => milliseconds % length === 0) ?? ['minute', 60_000];
  return `${milliseconds / length}${unit.charAt(0)}`;
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
