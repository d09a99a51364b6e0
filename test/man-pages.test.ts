import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { commandTree } from './cli/fake-io.ts';

const FOLDER = join(import.meta.dirname, '..', 'man');
const PAGES = readdirSync(FOLDER);

const { program, commands } = commandTree();

function read(page: string): string {
  return readFileSync(join(FOLDER, page), 'utf8');
}

describe('the manual', () => {
  it('is installed', () => {
    const { man } = JSON.parse(readFileSync(join(FOLDER, '..', 'package.json'), 'utf8'));
    expect(man).toEqual([...PAGES].sort().map((page) => `man/${page}`));
  });

  it('has a page for pawl and for each command', () => {
    const names = commands.map((command) => `pawl-${command.name()}.1`);
    expect([...PAGES].sort()).toEqual(['pawl.1', ...names].sort());
    for (const page of names) expect(read('pawl.1')).toContain(page.replace('-', '\\-').replace('.1', '\\fR(1)'));
  });

  it.each(
    [program, ...commands].map(
      (command) => [command === program ? 'pawl' : `pawl-${command.name()}`, command] as const,
    ),
  )('%s tells of every option', (name, command) => {
    const page = read(`${name}.1`).replaceAll('\\-', '-');
    for (const { long, description } of command.options) {
      expect(page).toContain(`\\fB${long}\\fR`);
      expect(page).toContain(description.replaceAll("'", '\\(aq'));
    }
    expect(page).toMatch(/\.SH EXAMPLES\n\.nf\n +\$ .+\n|\.SH EXAMPLES\n\.nf\n\$ .+\n/);
  });

  it.each(PAGES)('%s has nothing that a reader of pages stumbles over', (page) => {
    for (const line of read(page).split('\n')) {
      if (/^[.']/.test(line)) expect(line).toMatch(/^\.(?:TH|SH|TP|PP|nf|fi)\b/);
      expect(line.replaceAll(/\\(?:f[BIR]|-|\(aq|e|&)/g, '')).not.toContain('\\');
    }
    const { error, stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-Kutf8', '-ww', '-z', join(FOLDER, page)]);
    if (error === undefined) expect(`${stdout}${stderr}`).toBe('');
  });
});
