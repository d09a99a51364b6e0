/** What must be there: an id comes from the store itself, so one that it does not know is a bug in pawl. */
export function found<Value>(value: Value | undefined, what: string): Value {
  if (value === undefined) throw new Error(`the store has no such ${what}`);
  return value;
}
