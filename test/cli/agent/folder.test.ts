import { chmodSync, chownSync, existsSync, mkdirSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkSocketFolder, makeSocketFolder, saltsIn, socketFor } from '../../../src/cli/agent/folder.ts';
import { PawlError } from '../../../src/errors.ts';
import { temporaryFolder } from '../fake-io.ts';

const ME = process.getuid?.();

function refusal(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error instanceof PawlError ? { code: error.code, ...error.detail } : error;
  }
}

describe('the folder of the sockets', () => {
  it('is made for its user alone, and then found', () => {
    const folder = join(temporaryFolder(), 'state', 'agent');
    expect(checkSocketFolder(folder, ME)).toBe(false);
    makeSocketFolder(folder, ME);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(checkSocketFolder(folder, ME)).toBe(true);
    makeSocketFolder(folder, ME);
  });

  it.each([0o750, 0o701, 0o777, 0o710])('is refused where others can get into it: %o', (mode) => {
    const folder = join(temporaryFolder(), 'pawl');
    mkdirSync(folder);
    chmodSync(folder, mode);
    const expected = { code: 'exposed-agent', folder, flaw: 'open' };
    expect(refusal(() => checkSocketFolder(folder, ME))).toEqual(expected);
    expect(refusal(() => makeSocketFolder(folder, ME))).toEqual(expected);
  });

  it('is refused where it is a link, even to a good one, or a file', () => {
    const parent = temporaryFolder();
    mkdirSync(join(parent, 'good'), { mode: 0o700 });
    symlinkSync('good', join(parent, 'link'));
    symlinkSync('nothing', join(parent, 'dangling'));
    writeFileSync(join(parent, 'file'), '', { mode: 0o700 });
    for (const name of ['link', 'dangling', 'file']) {
      const folder = join(parent, name);
      const expected = { code: 'exposed-agent', folder, flaw: 'no-folder' };
      expect(
        refusal(() => checkSocketFolder(folder, ME)),
        name,
      ).toEqual(expected);
      // Nothing is made where a link leads to.
      expect(
        refusal(() => makeSocketFolder(folder, ME)),
        name,
      ).toMatchObject({ code: expect.stringMatching(/agent$/) });
    }
    expect(existsSync(join(parent, 'nothing'))).toBe(false);
  });

  it.runIf(ME === 0)('is refused where it belongs to somebody else', () => {
    const folder = join(temporaryFolder(), 'pawl');
    mkdirSync(folder, { mode: 0o700 });
    chownSync(folder, 65_534, 65_534);
    expect(refusal(() => checkSocketFolder(folder, ME))).toEqual({
      code: 'exposed-agent',
      folder,
      flaw: 'other-owner',
    });
  });

  it('is none where it cannot be made or looked at', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    expect(refusal(() => makeSocketFolder(join(file, 'pawl'), ME))).toMatchObject({ code: 'no-agent' });
    expect(refusal(() => checkSocketFolder(`/${'x'.repeat(300)}`, ME))).toMatchObject({ code: 'no-agent' });
  });

  it('loses what a killed agent left there a day ago', () => {
    const folder = join(temporaryFolder(), 'agent');
    makeSocketFolder(folder, ME);
    const [old, young] = ['.pawl-0011223344556677', '.pawl-8899aabbccddeeff'].map((name) => join(folder, name));
    for (const path of [old, young]) writeFileSync(path ?? '', '');
    utimesSync(old ?? '', 0, 0);
    makeSocketFolder(folder, ME);
    expect([existsSync(old ?? ''), existsSync(young ?? '')]).toEqual([false, true]);
  });
});

describe('a socket', () => {
  it('is named by the salt of its file, and by nothing else', () => {
    const folder = temporaryFolder();
    const salt = new Uint8Array(16).fill(0xab);
    const path = socketFor(folder, salt);
    expect(path).toBe(join(folder, 'ab'.repeat(16)));
    for (const name of ['ab'.repeat(16), 'AB'.repeat(16), 'ab', `${'ab'.repeat(16)}~`, '.pawl-0011223344556677']) {
      writeFileSync(join(folder, name), '');
    }
    expect(saltsIn(folder)).toEqual([salt]);
    expect(saltsIn(join(folder, 'nothing'))).toEqual([]);
  });

  it('has a path that the system takes whole, or none', () => {
    const salt = new Uint8Array(16);
    const longest = `/${'x'.repeat(103 - 34)}`;
    expect(socketFor(longest, salt)).toHaveLength(103);
    expect(refusal(() => socketFor(`${longest}x`, salt))).toMatchObject({ code: 'no-agent' });
    // Bytes, not characters.
    expect(refusal(() => socketFor(`/${'é'.repeat(40)}`, salt))).toMatchObject({ code: 'no-agent' });
  });
});
