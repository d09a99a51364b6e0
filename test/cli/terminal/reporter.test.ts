import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonLine, Reporter } from '../../../src/cli/terminal/reporter.ts';
import { PawlError } from '../../../src/errors.ts';
import { CollectedOutput } from '../fake-io.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
const ACTING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

function tell({ json = false, quiet = false, terminal = false } = {}) {
  const io = { output: new CollectedOutput(terminal), errors: new CollectedOutput(terminal), now: () => 0 };
  return { io, tell: new Reporter(io, { json, quiet }) };
}

describe('jsonLine', () => {
  it('is one line that begins with version and type', () => {
    expect(jsonLine({ type: 'message', text: 'a\nb' })).toBe('{"v":1,"type":"message","text":"a\\nb"}\n');
  });

  it('escapes what would act on a terminal, in the way of JSON', () => {
    const text = '\x1b[31m \x7f \x9b31m \u202e \u2066 \u200f \u061c';
    const line = jsonLine({ type: 'message', text });
    expect(line).toBe(
      '{"v":1,"type":"message","text":"\\u001b[31m \\u007f \\u009b31m \\u202e \\u2066 \\u200f \\u061c"}\n',
    );
    expect(JSON.parse(line)).toEqual({ v: 1, type: 'message', text });
  });

  it('gives the same text back where that looks like an escape of ours', () => {
    for (const text of ['\\u{1b}', 'in Rust: "\\u{202e}"', '\\\\u{9}']) {
      expect(JSON.parse(jsonLine({ type: 'message', text }))).toEqual({ v: 1, type: 'message', text });
    }
  });

  /** Also texts made of what the escaping is made of. */
  const texts = (...parts: string[]) =>
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('\\', '"', 'u', '{', '}', '1b', '\x1b', '\x9b', '\u202e', '\n', '👩', ...parts),
      }),
    );
  const holds = (text: string) => {
    const line = jsonLine({ type: 'message', text });
    expect(JSON.parse(line)).toEqual({ v: 1, type: 'message', text });
    expect(line.slice(0, -1)).not.toMatch(ACTING);
    expect(line.indexOf('\n')).toBe(line.length - 1);
  };

  it('gives every text back, on one line, with nothing in it that acts on a terminal', () => {
    fc.assert(fc.property(texts('\\u{1b}'), holds), { seed: 1, numRuns: 500 });
  });
});

describe('Reporter', () => {
  const document = { type: 'contact', name: 'bob' };
  const error = new PawlError('unknown-contact', { name: 'b\x1b[31mob' });

  it('gives results on standard output, and all else on standard error', async () => {
    const { io, tell: speaker } = tell();
    await speaker.result('bob', document);
    await speaker.documentOnStderr(document);
    await speaker.notice('by the way');
    await speaker.warn('look out');
    expect(await speaker.error(new PawlError('interrupted', {}))).toBe(130);
    expect(io.output.text).toBe('bob\n');
    expect(io.errors.text).toBe('pawl: by the way\npawl: look out\nerror: interrupted\n');
  });

  it('gives one JSON document a line where it was asked for', async () => {
    const { io, tell: speaker } = tell({ json: true });
    await speaker.result('bob', document);
    await speaker.documentOnStderr({ type: 'sent', to: 'bob' });
    await speaker.notice('by the way');
    await speaker.error(error);
    expect(io.output.text).toBe('{"v":1,"type":"contact","name":"bob"}\n');
    const [sent, notice, told] = io.errors.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(sent).toEqual({ v: 1, type: 'sent', to: 'bob' });
    expect(notice).toEqual({ v: 1, type: 'notice', message: 'by the way' });
    expect(told).toEqual({
      v: 1,
      type: 'error',
      code: 'unknown-contact',
      exit: 67,
      message: 'there is no contact b\x1b[31mob',
      hint: expect.stringContaining('pawl contacts'),
    });
  });

  it('keeps notices to itself where silence was asked for, but neither warnings nor errors', async () => {
    for (const json of [false, true]) {
      const { io, tell: speaker } = tell({ json, quiet: true });
      await speaker.notice('by the way');
      expect(io.errors.text).toBe('');
      await speaker.warn('look out');
      await speaker.error(error);
      expect(io.errors.text).toContain('look out');
      expect(io.errors.text).toContain('there is no contact');
    }
  });

  it('gives a pipe the exact text, and a terminal one that does not act on it', async () => {
    const lines = 'a \x1b[31mred\n\tname';
    const pipe = tell();
    await pipe.tell.result(lines, document);
    expect(pipe.io.output.text).toBe(`${lines}\n`);
    const terminal = tell({ terminal: true });
    await terminal.tell.result(lines, document);
    expect(terminal.io.output.text).toBe('a \\u{1b}[31mred\n\tname\n');
  });

  it('makes visible what stands in errors and notices', async () => {
    const { io, tell: speaker } = tell({ terminal: true });
    await speaker.error(error, 'message\x07 1');
    await speaker.warn('a \x9b name');
    expect(io.errors.text).toBe(
      'error: message\\u{7} 1: there is no contact b\\u{1b}[31mob\n' +
        'hint: pawl contacts lists whom you know\n' +
        'pawl: a \\u{9b} name\n',
    );
  });

  it('lets nothing that it quotes begin a line, in a pipe or on a terminal', async () => {
    const words = `${'x'.repeat(70)}\nerror: \t${'y'.repeat(90)}`;
    const { io, tell: speaker } = tell();
    await speaker.warn(words);
    expect(io.errors.text).toBe(`pawl: ${'x'.repeat(70)}\\u{a}error: \\u{9}${'y'.repeat(90)}\n`);
    const terminal = tell({ terminal: true });
    await terminal.tell.warn(words);
    await terminal.tell.error(error, words);
    await terminal.tell.lines(words.replace('\n', ''));
    const lines = `${terminal.io.errors.text}${terminal.io.output.text}`.split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    // Its own labels, and the first of the lines of a result.
    expect(lines.filter((line) => !line.startsWith('      ')).map((line) => line.slice(0, 6))).toEqual([
      'pawl:',
      'error:',
      'hint: ',
      'xxxxxx',
      '',
    ]);
  });

  it('gives no hint where there is none', async () => {
    const { io, tell: speaker } = tell({ json: true });
    await speaker.error(new PawlError('interrupted', {}));
    expect(JSON.parse(io.errors.text)).not.toHaveProperty('hint');
  });
});
