import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeRoute, nameOfEnvelope, nameOfPart, openPlace } from '../../src/places/index.ts';
import { keepsTheContract } from './contract.ts';
import { boxWith, contentOf, contextWith, envelopeWith, listed, newFolder, PAWL_BOX, put } from './places.ts';

keepsTheContract('exec, by pawl-box', async () => {
  const command = `${PAWL_BOX} '${newFolder()}'`;
  return () => openPlace({ kind: 'exec', command }, contextWith());
});

const [A, B] = [boxWith(1), boxWith(2)];
const ENVELOPE = envelopeWith(1);
const NAME = nameOfEnvelope(ENVELOPE);

/** Runs it: with a verb, or with what ssh was asked to run. */
function pawlBox(
  folder: string,
  { verb, asked, input = '' }: { verb?: string; asked?: string; input?: string | Buffer },
) {
  const words = [folder, ...(verb === undefined ? [] : [verb])];
  const env = { PATH: process.env.PATH, ...(asked !== undefined && { SSH_ORIGINAL_COMMAND: asked }) };
  const { status, stdout, stderr } = spawnSync(PAWL_BOX, words, { input, env, encoding: 'latin1' });
  return { exit: status, stdout, stderr };
}

function putInput(envelope: Uint8Array, head = `${A} ${nameOfEnvelope(envelope)} ${envelope.length}\n`): Buffer {
  return Buffer.concat([Buffer.from(head), envelope]);
}

describe('pawl-box', () => {
  it.each([
    'list',
    'pawl-box list',
    '/usr/bin/pawl-box list',
    'x; rm -rf / list',
    '$(touch evil) list',
    '`touch evil` list',
  ])('takes the last word of what ssh was asked to run, %j, and runs nothing of it', (asked) => {
    const folder = newFolder();
    writeFileSync(join(folder, `${A}.${NAME}.pawl`), ENVELOPE);
    expect(pawlBox(folder, { asked, input: `${A}\n` })).toEqual({
      exit: 0,
      stdout: `${A} ${NAME} ${ENVELOPE.length}\n`,
      stderr: '',
    });
    expect(readdirSync(folder)).toEqual([`${A}.${NAME}.pawl`]);
  });

  it.each([
    undefined,
    '',
    'sh',
    'list;',
    'list; sh',
    'LIST',
    'pawl-box',
    'list x',
    '-i',
    '*',
    'list\nsh',
    '$(echo list)',
  ])('does nothing else: %j', (asked) => {
    const { exit, stdout, stderr } = pawlBox(newFolder(), { ...(asked !== undefined && { asked }) });
    expect({ exit, stdout, stderr }).toEqual({
      exit: 65,
      stdout: '',
      stderr: 'pawl-box: ask for put, list, get or ack\n',
    });
  });

  it('prefers the verb that it is given', () => {
    expect(pawlBox(newFolder(), { verb: 'list', asked: 'put' }).exit).toBe(0);
  });

  it('does nothing without its folder', () => {
    const folder = join(newFolder(), 'none');
    expect(pawlBox(folder, { verb: 'put', input: putInput(ENVELOPE) }).exit).not.toBe(0);
    expect(existsSync(folder)).toBe(false);
  });

  const BAD_NAMES = [
    '',
    'x',
    `${A}`,
    `../${A.slice(3)} ${NAME}`,
    `${A} ../${NAME.slice(3)}`,
    `${A} ${NAME.slice(1)}/`,
    `${A.toUpperCase()} ${NAME}`,
    `${A.slice(1)}1 ${NAME}`,
    `${A}a ${NAME}`,
    `${A} ${NAME}0`,
    `${A} ${NAME.slice(1)}g`,
    `${A.slice(1)}* ${NAME}`,
    `${A} ${'?'.repeat(32)}`,
    `-rf ${NAME}`,
    `${A.slice(0, 13)}\0${A.slice(14)} ${NAME.slice(1)}é`,
  ];

  it.each(BAD_NAMES)('touches nothing by the name %j', (name) => {
    const folder = newFolder();
    const inner = join(folder, 'box');
    mkdirSync(inner);
    writeFileSync(join(inner, `${A}.${NAME}.pawl`), ENVELOPE);
    writeFileSync(join(folder, 'precious'), 'precious');
    const before = execFileSync('ls', ['-lR', folder], { encoding: 'latin1' });
    const bytes = Buffer.concat([Buffer.from(`${name} 10\n`, 'latin1'), Buffer.alloc(10, 'x')]);
    expect(pawlBox(inner, { verb: 'put', input: bytes })).toMatchObject({ exit: 65, stdout: '' });
    expect(pawlBox(inner, { verb: 'get', input: Buffer.from(`${name}\n`, 'latin1') })).toMatchObject({ stdout: '' });
    expect(pawlBox(inner, { verb: 'list', input: Buffer.from(`${name}\n.\n`, 'latin1') })).toMatchObject({
      stdout: name === A ? `${A} ${NAME} ${ENVELOPE.length}\n` : '',
    });
    pawlBox(inner, { verb: 'ack', input: Buffer.from(`${name}\n`, 'latin1') });
    expect(execFileSync('ls', ['-lR', folder], { encoding: 'latin1' })).toBe(before);
  });

  it.each([
    '',
    '0',
    '-1',
    '+300',
    '300x',
    '3e2',
    '0300',
    '17825803',
    '999999999',
    '99999999999999999999',
    '300;id',
    '$((300))',
  ])('stores nothing of the size %j', (size) => {
    const folder = newFolder();
    const { exit } = pawlBox(folder, { verb: 'put', input: putInput(ENVELOPE, `${A} ${NAME} ${size}\n`) });
    expect(exit).toBe(65);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('stores nothing of what is cut off', () => {
    const folder = newFolder();
    const whole = putInput(ENVELOPE);
    for (const length of [0, 5, 26, 27, 59, 60, 62, 63, 64, 100, whole.length - 1]) {
      expect(pawlBox(folder, { verb: 'put', input: whole.subarray(0, length) }).exit, `${length}`).not.toBe(0);
      expect(readdirSync(folder), `${length}`).toEqual([]);
    }
    expect(pawlBox(folder, { verb: 'put', input: whole })).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(folder, `${A}.${NAME}.pawl`)).equals(ENVELOPE)).toBe(true);
  });

  it('lists files alone, and of each box no more than ten thousand', () => {
    const folder = newFolder();
    const file = (index: number, box = A) => join(folder, `${box}.${nameOfPart(index)}.pawl`);
    writeFileSync(join(newFolder(), 'outside'), ENVELOPE);
    symlinkSync('/etc/passwd', file(1, B));
    mkdirSync(file(2, B));
    execFileSync('mkfifo', [file(3, B)]);
    writeFileSync(file(4, B), 'small');
    writeFileSync(join(folder, `${B}.${NAME}.pawl~`), ENVELOPE);
    writeFileSync(join(folder, `${B}.${NAME} x.pawl`), ENVELOPE);
    for (let index = 0; index < 10_001; index++) writeFileSync(file(index), ENVELOPE.subarray(0, 10));
    const { stdout } = pawlBox(folder, { verb: 'list', input: `${A}\n${B}\n` });
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(10_000);
    expect(lines.every((line) => line.startsWith(`${A} 0000`) && line.endsWith(' 10'))).toBe(true);
    expect(pawlBox(folder, { verb: 'put', input: putInput(ENVELOPE) })).toMatchObject({
      exit: 65,
      stderr: 'pawl-box: the box is full\n',
    });
    // Junk in one keeps nothing out of another.
    expect(pawlBox(folder, { verb: 'put', input: putInput(ENVELOPE, `${B} ${NAME} ${ENVELOPE.length}\n`) }).exit).toBe(
      0,
    );
    expect(
      pawlBox(folder, { verb: 'get', input: [1, 2, 3].map((n) => `${B} ${nameOfPart(n)}\n`).join('') }).stdout,
    ).toBe('');
  });

  it('lists the oldest first, and clears away what killed ones have left', () => {
    const folder = newFolder();
    for (const [index, time] of [3, 1, 2].entries()) {
      const file = join(folder, `${A}.${nameOfPart(index)}.pawl`);
      writeFileSync(file, ENVELOPE);
      utimesSync(file, 1e9 + time, 1e9 + time);
    }
    const { stdout } = pawlBox(folder, { verb: 'list', input: `${A}\n` });
    expect(stdout.match(/(?<=0)[012](?= )/g)).toEqual(['1', '2', '0']);
    const [old, young] = [join(folder, `.${A}.${NAME}.00000001.tmp`), join(folder, `.${A}.${NAME}.00000002.tmp`)];
    for (const draft of [old, young]) writeFileSync(draft, 'begun');
    utimesSync(old, 1e9, 1e9);
    pawlBox(folder, { verb: 'put', input: putInput(ENVELOPE) });
    expect([old, young].map((path) => existsSync(path))).toEqual([false, true]);
  });

  it.each(['BLOCK_SIZE=1M', 'LS_BLOCK_SIZE=human-readable', 'TIME_STYLE=long-iso', 'TIME_STYLE=+%s %s %s %s'])(
    'lists the same with %s in the environment',
    (variable) => {
      const folder = newFolder();
      writeFileSync(join(folder, `${A}.${NAME}.pawl`), ENVELOPE);
      const [name = '', value] = variable.split('=');
      const env = { PATH: process.env.PATH, [name]: value };
      const { stdout } = spawnSync(PAWL_BOX, [folder, 'list'], { input: `${A}\n`, env, encoding: 'latin1' });
      expect(stdout).toBe(`${A} ${NAME} ${ENVELOPE.length}\n`);
    },
  );

  it('may have the folder of a route of the kind dir', async () => {
    const folder = newFolder();
    const [dir, exec] = await Promise.all([
      makeRoute({ kind: 'dir', path: folder }, { create: true }, contextWith()).then((route) =>
        openPlace(route, contextWith()),
      ),
      openPlace({ kind: 'exec', command: `${PAWL_BOX} '${folder}'` }, contextWith()),
    ]);
    await put(dir, A, ENVELOPE);
    await put(exec, B, ENVELOPE);
    for (const [here, box] of [
      [exec, A],
      [dir, B],
    ] as const) {
      expect(await contentOf(here, box)).toEqual({ [NAME]: Buffer.from(ENVELOPE) });
      await here.remove(await listed(here, [box]));
    }
    expect(readdirSync(folder)).toEqual(['.pawl-place']);
  });
});
