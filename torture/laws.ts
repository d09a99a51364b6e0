/** What must hold after a command, however it ended. Violations are collected, not thrown. */
import { type Box, type Document, documents } from './box.ts';
import type { Ran } from './start.ts';

export class Laws {
  readonly broken: string[] = [];

  hold(is: boolean, otherwise: string): void {
    if (!is) this.broken.push(otherwise);
  }

  /** Runs a command that has to succeed. */
  async works(box: Box, who: string, parameters: readonly string[], input?: Uint8Array): Promise<Ran> {
    const ran = await box.run(who, parameters, input);
    this.hold(ran.code === 0, `then pawl ${parameters.join(' ')} of ${who}: exit ${ran.code}: ${ran.stderr.trim()}`);
    return ran;
  }

  /** The identity file opens and is intact. */
  async whole(box: Box, who: string, ...key: string[]): Promise<void> {
    await this.works(box, who, ['inspect', '--check', ...key]);
  }

  /**
   * Receives `input`, where no fork may be reported.
   * @returns the documents of the messages.
   */
  async receives(box: Box, who: string, input: Uint8Array, ...more: string[]): Promise<readonly Document[]> {
    const ran = await box.run(who, ['recv', '--json', ...more], input);
    const all = documents(ran.stdout);
    for (const { code } of all) {
      // Only a message that was cut off may be refused.
      this.hold(code === undefined || code === 'corrupt' || code === 'truncated', `${who} is told of ${code}`);
    }
    const told = documents(ran.stderr);
    for (const { message } of told) this.hold(!/contradict/.test(String(message)), `${who} is told: ${message}`);
    return all.filter(({ type }) => type === 'message');
  }

  /** One message from `from` to `to` arrives. */
  async arrives(box: Box, from: string, to: string): Promise<void> {
    const text = `and on it goes, ${from}`;
    const { stdout } = await this.works(box, from, ['send', to, '-m', text]);
    const got = await this.receives(box, to, stdout);
    const texts = got.map((one) => one.text);
    this.hold(
      texts.length === 1 && texts[0] === text,
      `${to} receives ${JSON.stringify(texts)} where the next of ${from} should come`,
    );
  }

  /** The conversation continues, in the present chain and in new ones, and no earlier message is missing. */
  async talk(box: Box, one: string, other: string): Promise<void> {
    await this.arrives(box, one, other);
    await this.arrives(box, other, one);
    await this.arrives(box, one, other);
    await this.nothingMissing(box, one, other);
    await this.nothingMissing(box, other, one);
  }

  /** With history on both sides: what `from` has as sent, `to` has as received, each message once. */
  async keptByBoth(box: Box, from: string, to: string): Promise<void> {
    const logged = async (who: string, direction: 'sent' | 'received') => {
      const all = documents((await this.works(box, who, ['log', '--json'])).stdout);
      return all.filter((one) => one.direction === direction).map(({ id, text }) => `${id}: ${text}`);
    };
    const [sent, received] = [await logged(from, 'sent'), await logged(to, 'received')];
    for (const message of new Set([...sent, ...received])) {
      const times = [sent, received].map((all) => all.filter((one) => one === message).length);
      this.hold(
        times.join() === '1,1',
        `${from} keeps ${times[0]} times what ${to} keeps ${times[1]} times: ${message}`,
      );
    }
  }

  async nothingMissing(box: Box, who: string, of: string): Promise<void> {
    const ran = await this.works(box, who, ['inspect', of, '--all', '--json']);
    for (const session of documents(ran.stdout)) {
      this.hold(session.fork === false, `${who} keeps a fork of ${of}`);
      this.hold(
        (session.skipped as unknown[]).length === 0,
        `${who} misses messages of ${of}: ${JSON.stringify(session.skipped)}`,
      );
    }
  }
}

/** Whether pawl warned that a finished delivery could not be recorded, and may be repeated. */
export function maySayItAgain({ stderr }: Ran): boolean {
  return /may come once more/.test(stderr);
}

/** The number of occurrences of `text` in an output. */
export function countOf(output: Uint8Array | undefined, text: string): number {
  return (output ?? '').toString().split(text).length - 1;
}
