import { PassThrough, Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Terminal } from '../../../src/cli/terminal/io.ts';
import { LineEditor } from '../../../src/cli/terminal/line-editor.ts';
import { bytesTyped } from '../../../src/cli/terminal/typed-keys.ts';
import { VirtualScreen } from '../virtual-screen.ts';

const NOTHING_DROPPED = { isBlank: true, isMidLine: false };

const ENTER = '\r';
const CTRL_A = '\x01';
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_K = '\x0b';
const CTRL_Z = '\x1a';
const LEFT = '\x1b[D';
const UP = '\x1b[A';
const paste = (text: string) => `\x1b[200~${text}\x1b[201~`;

/** A line editor on a terminal that keeps what is written. */
class Desk {
  columns: number;
  written = '';
  readonly lines: string[] = [];
  stops = 0;
  resize: () => void = () => undefined;
  goOn: () => void = () => undefined;
  readonly editor: LineEditor;
  readonly #input = new PassThrough();

  constructor(columns = 80) {
    this.columns = columns;
    const terminal: Terminal = {
      input: this.#input,
      output: new Writable({
        decodeStrings: false,
        write: (text, _, done) => {
          // As the driver of a terminal does.
          this.written += String(text).replaceAll('\n', '\r\n');
          done();
        },
      }),
      hideKeys: (options) => {
        expect(options).toEqual({ marksPastes: true });
        return NOTHING_DROPPED;
      },
      dropTyped: () => NOTHING_DROPPED,
      stop: () => {
        this.stops += 1;
      },
      onContinue: (redraw) => {
        this.goOn = redraw;
      },
      onResize: (redraw) => {
        this.resize = redraw;
      },
      close: () => undefined,
    };
    this.editor = new LineEditor(terminal, {
      prompt: 'to bob: ',
      columns: () => this.columns,
      onLine: (line) => this.lines.push(line),
    });
    onTestFinished(() => this.editor.close());
  }

  type(...keys: readonly (string | Uint8Array)[]): void {
    for (const key of keys) this.#input.emit('data', Buffer.from(key));
  }

  hangUp(): void {
    this.#input.emit('close');
  }

  get screen(): VirtualScreen {
    return new VirtualScreen(this.written, this.columns);
  }
}

describe('a line', () => {
  it('is given as it was typed, and can be corrected', () => {
    const desk = new Desk();
    desk.type(
      'hiX',
      '\x7f',
      LEFT,
      LEFT,
      '\u{1f41a} ',
      ENTER,
      'nonsense',
      CTRL_A,
      CTRL_K,
      'öä',
      ENTER,
      UP,
      UP,
      '!',
      ENTER,
    );
    expect(desk.lines).toEqual(['\u{1f41a} hi', 'öä', '\u{1f41a} hi!']);
    expect(desk.screen.text).toBe('to bob: \u{1f41a} hi\nto bob: öä\nto bob: \u{1f41a} hi!\nto bob:');
  });

  it('stays below what is shown meanwhile, with the cursor where it was', () => {
    const desk = new Desk();
    desk.type('see you', LEFT, LEFT, LEFT);
    desk.editor.show('bob, now:\n  hi\n');
    expect(desk.screen.text).toBe('bob, now:\n  hi\nto bob: see you');
    expect(desk.screen.cursor).toEqual([2, 12]);
    desk.type('X', ENTER);
    expect(desk.lines).toEqual(['see Xyou']);
  });

  it.each(['a'.repeat(90), `${'a'.repeat(72)}`, '漢'.repeat(50), `${'\u{1f41a}'.repeat(36)}`])(
    'that is wider than the terminal stays below, too: %s',
    (text) => {
      const desk = new Desk(40);
      desk.editor.show('before\n');
      desk.type(text);
      const before = desk.screen.text;
      desk.editor.show('one\n');
      desk.editor.show('two\nthree\n');
      expect(desk.screen.text).toBe(before.replace('before\n', 'before\none\ntwo\nthree\n'));
      desk.type(CTRL_A);
      desk.editor.show('four\n');
      expect(desk.screen.text).toBe(before.replace('before\n', 'before\none\ntwo\nthree\nfour\n'));
      expect(desk.screen.cursor).toEqual([5, 8]);
      desk.type(ENTER);
      expect(desk.lines).toEqual([text]);
    },
  );

  it('is drawn anew in another width, and nothing above it is erased', () => {
    for (const columns of [20, 200]) {
      const desk = new Desk(60);
      desk.editor.show('above\n');
      desk.type('a'.repeat(100));
      desk.columns = columns;
      // Two rows, which the terminal has left as they were.
      desk.written = 'above\r\nrow\r\nrow';
      desk.resize();
      expect(desk.screen.text).toMatch(/^above\n/);
      desk.editor.show('new\n');
      expect(desk.screen.text.replaceAll('\n', '')).toContain(`newto bob: ${'a'.repeat(100)}`);
      desk.type(ENTER);
      expect(desk.lines).toEqual(['a'.repeat(100)]);
    }
  });

  it('takes keys whose sequences come in pieces, or several at once', () => {
    const desk = new Desk();
    desk.type('ac', '\x1b', '[', 'D', 'b', `\x1b[C${LEFT}${LEFT}`, '\u{1f41a}', ENTER);
    expect(desk.lines).toEqual(['a\u{1f41a}bc']);
  });

  it('is there again when the process goes on', () => {
    const desk = new Desk();
    desk.type('half a line', CTRL_Z);
    expect(desk.stops).toBe(1);
    desk.written += 'a shell\n';
    desk.goOn();
    expect(desk.screen.text).toMatch(/a shell\nto bob: half a line$/);
    desk.type(ENTER);
    expect(desk.lines).toEqual(['half a line']);
  });

  it('has the bytes that were typed, also those that are no text', () => {
    const desk = new Desk();
    desk.type(Uint8Array.of(0x68, 0xff, 0xc3), Uint8Array.of(0xa4), ENTER);
    expect(Buffer.from(bytesTyped(desk.lines[0] ?? ''))).toEqual(Buffer.of(0x68, 0xff, 0xc3, 0xa4));
  });
});

describe('what is pasted', () => {
  it('is one line, whatever its newlines are, and is not sent before Return', () => {
    const desk = new Desk();
    desk.type('say: ', paste('one\r\ntwo\rthree\n\nfour\n'));
    expect(desk.lines).toEqual([]);
    expect(desk.screen.text).toBe('to bob: say: one\u2424two\u2424three\u2424\u2424four');
    desk.type('!', ENTER);
    expect(desk.lines).toEqual(['say: one\ntwo\nthree\n\nfour!']);
  });

  it('is not obeyed', () => {
    const desk = new Desk();
    const text = `a${CTRL_C}${CTRL_D}${CTRL_Z}${CTRL_A}\t\x1b]0;title\x07\x1b[2J\x7f\x9b\u2028\u202e\u2424\ufeff\u{1f600}b`;
    desk.type(paste(text));
    const shown = desk.written.slice(desk.written.indexOf('a'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
    expect(shown).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1a\x7f\x9b\u2028\u202e\ufeff]|\x1b\]|\x1b\[2J/);
    desk.type(ENTER);
    expect([desk.lines, desk.stops]).toEqual([[text], 0]);
  });

  it('is given as it is, however it comes', () => {
    const text = fc
      .string({ unit: 'binary', maxLength: 40 })
      .map((one) => Buffer.from(one.replaceAll('\x1b', '')).toString());
    fc.assert(
      fc.property(text, fc.array(fc.nat(60), { maxLength: 8 }), (pasted, cuts) => {
        const desk = new Desk(1_000);
        const bytes = Buffer.from(`>${paste(pasted)}<${ENTER}`);
        let from = 0;
        for (const cut of [...cuts, bytes.length].sort((a, b) => a - b)) {
          if (cut > from) desk.type(bytes.subarray(from, cut));
          from = Math.max(from, cut);
        }
        desk.editor.close();
        expect(desk.lines).toEqual([`>${pasted.replace(/\r\n?/g, '\n').replace(/\n$/, '')}<`]);
      }),
      { numRuns: 60 },
    );
  });

  it('may be large', () => {
    const desk = new Desk();
    const text = 'all work and no play\n'.repeat(5_000);
    desk.type(paste(text), ENTER);
    expect(desk.lines).toEqual([text.slice(0, -1)]);
  });
});

describe('it ends', () => {
  it('by Ctrl-D on an empty line, and not on another one', async () => {
    const desk = new Desk();
    desk.type('ab', CTRL_A, CTRL_D, ENTER, CTRL_D, 'more', ENTER);
    expect(await desk.editor.ended).toBe('done');
    expect(desk.lines).toEqual(['b']);
  });

  it('by Ctrl-C at any time', async () => {
    const desk = new Desk();
    desk.type(`one${ENTER}two${CTRL_C}${ENTER}`);
    expect(await desk.editor.ended).toBe('interrupted');
    expect(desk.lines).toEqual(['one']);
  });

  it('when the terminal is closed', async () => {
    const desk = new Desk();
    desk.hangUp();
    expect(await desk.editor.ended).toBe('interrupted');
  });

  it('and shows nothing more, nor takes keys', () => {
    const desk = new Desk();
    desk.type('half');
    desk.editor.close();
    const { written } = desk;
    desk.editor.show('late\n');
    desk.resize();
    desk.goOn();
    desk.type('more', ENTER);
    desk.editor.close();
    expect([desk.written, desk.lines, desk.editor.isOpen]).toEqual([written, [], false]);
  });
});
