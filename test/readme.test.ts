import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { inHome } from './cli/shell.ts';
import { abridge, parseTranscript, perform } from './cli/transcript.ts';
import { noServer, PostgresServer } from './storage/postgres/server.ts';

const ROOT = join(import.meta.dirname, '..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const blocks = [...README.matchAll(/^```console\n(.*?)^```/gms)].map(([, block = '']) => block);

/** The README may leave out what a command says beside; what it shows must be there, in that order. */
it('what the README shows at a shell is what happens there, in one home from its first line to its last', () =>
  inHome(async (home) => {
    const photo = randomBytes(50_000);
    home.write('photo.jpg', photo);
    const steps = blocks.flatMap((block) => parseTranscript(block).steps);
    expect(steps.length).toBeGreaterThanOrEqual(8);
    for (const { command, expected } of steps) {
      const { lines, exit } = await perform(home, command);
      expect(exit, `${command}\n${lines.join('\n')}`).toBe(0);
      const shown = abridge(lines, expected.lines).filter((line) => expected.lines.includes(line));
      expect(shown, `${command}\n${lines.join('\n')}`).toEqual(expected.lines);
    }
    expect(home.read('photo-of-bob.jpg').equals(photo)).toBe(true);
  }));

/** The lines of the first block of a language in a text. */
function linesOf(text: string, language: string): string[] {
  const [, block = ''] = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(text) ?? [];
  return block.split('\n').slice(0, -1);
}

it('a bot on two machines is made as the README says, in a database that is made as docs/database.md says', ({
  skip,
}) => {
  if (noServer !== undefined) skip(noServer);
  const server = new PostgresServer();
  onTestFinished(() => server.remove());
  for (const line of linesOf(readFileSync(join(ROOT, 'docs/database.md'), 'utf8'), 'sql')) server.sql(line);
  return inHome(async (home) => {
    const url = `postgres://bot@/pawl?host=${encodeURIComponent(server.folder)}`;
    const section = README.slice(README.indexOf('## One identity, several machines'));
    const lines = linesOf(section, 'sh').map((line) =>
      line.replace('postgres://bot@db.example/pawl', url).replace('/srv/pawl', home.path('shared')),
    );
    const [environment = '', follower = ''] = [lines[0], lines.at(-1)];
    await home.prepare('mkdir one two shared; pawl init alice');
    const on = (machine: string) => ({ environment: { HOME: home.path(machine), PAWL_KEY_FILE: '' } });
    await home.prepare(`set -e\n${lines.slice(0, -1).join('\n')}`, on('one'));
    await home.prepare('pawl add bot invite.txt; pawl route bot dir:shared; cp -p one/bot.key two');
    const machines = ['one', 'two'].map((machine) =>
      home.run(
        `mkfifo ${machine}.end; ${environment}\n${follower} 2> ${machine}.err & read < ${machine}.end; kill $!; wait`,
        on(machine),
      ),
    );
    try {
      await vi.waitFor(() => expect(home.read('two.err').toString()).toContain('this machine uses bot'), 60_000);
      const texts = ['one', 'two', 'three', 'four'];
      for (const text of texts) await home.prepare(`pawl -q send bot -m ${text}`);
      const answers: string[] = [];
      await vi.waitFor(async () => {
        const { stdout } = await home.prepare('pawl -q recv --fetch --lines');
        answers.push(...stdout.toString().split('\n').slice(0, -1));
        expect(answers.sort()).toEqual(texts.map((text) => `you wrote: ${text}`).sort());
      }, 60_000);
    } finally {
      await home.prepare('echo > one.end; echo > two.end');
      await Promise.all(machines);
    }
    expect((await home.prepare('pawl recv --fetch')).stderr).toBe('pawl: nothing new\n');
  });
});
