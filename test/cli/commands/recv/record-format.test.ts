import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  FIELD_NAMES,
  recordFormat,
  recordForTerminal,
  recordOf,
} from '../../../../src/cli/commands/recv/record-format.ts';
import type { Content } from '../../../../src/envelope/index.ts';
import type { Delivery, InboxId } from '../../../../src/session/index.ts';

const SENT = Date.UTC(2026, 10, 26, 22, 31);

function delivery(text: string | Uint8Array, given: Partial<Delivery> & { readonly file?: string } = {}): Delivery {
  const { file, ...others } = given;
  const bytes = new Uint8Array(Buffer.from(text));
  const content: Content =
    file === undefined ? { type: 'text', sentAt: SENT, bytes } : { type: 'file', name: file, sentAt: SENT, bytes };
  return {
    type: 'message',
    inboxId: 1 as InboxId,
    claimedAt: 0,
    from: 'alice',
    verified: false,
    id: new Uint8Array(16).fill(0xab),
    n: 0,
    late: false,
    again: false,
    content,
    notices: [],
    ...others,
  };
}

const written = (format: string, one: Delivery) => Buffer.from(recordOf(recordFormat(format), one)).toString('latin1');
const shown = (format: string, one: Delivery, columns = 80) => recordForTerminal(recordFormat(format), one, columns);

describe('a format', () => {
  it('has a field for who, when and what', () => {
    expect(written('%from|%verified|%time|%id|%file|%text', delivery('hi'))).toBe(
      `alice|unverified|2026-11-26T22:31:00.000Z|${'ab'.repeat(16)}||hi`,
    );
    expect(written('%verified|%file|%text', delivery('hi', { verified: true, file: 'a b.txt' }))).toBe(
      'verified|a b.txt|hi',
    );
  });

  it('takes a name in braces where a letter follows', () => {
    expect(written('%{from}s %{text}s', delivery('hi'))).toBe('alices his');
    expect(written('%from-%text.', delivery('hi'))).toBe('alice-hi.');
  });

  it('has the escapes of printf', () => {
    expect(written('\\a\\b\\e\\f\\n\\r\\t\\v\\\\%%%text', delivery(''))).toBe('\x07\b\x1b\f\n\r\t\v\\%');
    expect(written('\\0|\\x1e|\\xfFf|\\101|\\377|\\1012|\\08%text', delivery(''))).toBe(
      '\0|\x1e|\xfff|A|\xff|A2|\0' + '8',
    );
    expect(written('%text\\n', delivery('a'))).toBe('a\n');
  });

  it.each([
    ['%fro %text', '%fro'],
    ['%text%From', '%From'],
    ['%text%constructor', '%constructor'],
    ['%{toString}%text', '%toString'],
  ])('%s names a field that there is not, and is told which there are', (format, wrong) => {
    const attempt = () => recordFormat(format);
    expect(attempt).toThrow(InvalidArgumentError);
    expect(attempt).toThrow(`no field ${wrong}:`);
    for (const name of FIELD_NAMES) expect(attempt).toThrow(`%${name}`);
  });

  it.each(['%text\\q', '%text\\', '%text%', '% %text', '%5%text', '%text\\x', '%text\\xg', '%{from %text', '%text\\é'])(
    '%s is refused',
    (format) => {
      expect(() => recordFormat(format)).toThrow(InvalidArgumentError);
      expect(() => recordFormat(format)).toThrow('there is no "');
    },
  );

  it.each(['', '%from\\n', '%%text', 'text', '\\x25text'])('%j would lose the text, and is refused', (format) => {
    expect(() => recordFormat(format)).toThrow('it has no %text');
  });

  it('is refused or taken whole: every character of it is in the record', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (literal) => {
        const quoted = literal.replaceAll('\\', '\\\\').replaceAll('%', '%%');
        const bytes = recordOf(recordFormat(`${quoted}%text`), delivery('!'));
        expect(Buffer.from(bytes).toString()).toBe(`${literal}!`);
      }),
    );
  });

  it('gives the exact bytes of a text to a pipe, whatever they are', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    expect(written('%text', delivery(bytes))).toBe(Buffer.from(bytes).toString('latin1'));
  });
});

describe('a record on a terminal', () => {
  it('begins in a line of its own', () => {
    expect(shown('%from: %text', delivery('hi'))).toBe('alice: hi\n');
    expect(shown('%from: %text\\n', delivery('hi\n'))).toBe('alice: hi\n');
  });

  it('has nothing in it that the terminal would act on, but what the format says itself', () => {
    expect(shown('%text|%file\\n', delivery('a\x1b[2Jb', { file: 'x\u202egnp\n' }))).toBe(
      'a\\u{1b}[2Jb|x\\u{202e}gnp\\u{a}\n',
    );
    expect(shown('\\e[1m%text\\n', delivery('a'))).toBe('\x1b[1ma\n');
  });

  it('sets off every further line of the text, so that none poses as a record', () => {
    const forged = 'hi\nbob: pay carol\n\nbob: now';
    expect(shown('%from: %text\\n', delivery(forged))).toBe('alice: hi\n  bob: pay carol\n  \n  bob: now\n');
  });

  it('is broken where the terminal would break it, and set off there', () => {
    const forged = `${'.'.repeat(20 - 'alice: '.length)}bob: pay carol`;
    for (const line of shown('%from: %text\\n', delivery(forged), 20).trimEnd().split('\n').slice(1)) {
      expect(line).toMatch(/^ {2}/);
      expect(line.length).toBeLessThanOrEqual(20);
    }
  });
});
