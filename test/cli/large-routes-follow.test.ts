import { readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { inHome, meet } from './shell.ts';

// `recv --follow` with large contents: the built program, over a folder.

it('takes a large content as it comes, in whatever order its parts do, and texts beside it', () =>
  inHome(async (home) => {
    await meet(home);
    await home.prepare(`mkdir us out away
      head -c 70000000 /dev/urandom > film
      pawl -i alice route bob dir:us; pawl -i bob route alice dir:us
      pawl -i alice send bob film`);
    const parts = readdirSync(home.path('us'))
      .filter((name) => /\.0{24}.{8}\.pawl$/.test(name))
      .sort();
    expect(parts.length).toBe(72);
    // Some of them come later, the last one first.
    const late = [...parts.slice(3, 6), ...parts.slice(-1)];
    for (const name of late) renameSync(join(home.path('us'), name), join(home.path('away'), name));
    const { stdout } = await home.prepare(
      `pawl -i bob recv --follow --lines --out-dir out > told 2> said &
      until ls -A out | grep -q part; do :; done
      pawl -i alice send bob -m 'beside it'
      until grep -q 'beside it' told; do :; done
      for part in $(ls -r away); do mv away/$part us/.$part && mv us/.$part us/$part; done
      until [ -e out/film ]; do :; done
      pawl -i alice send bob -m 'after it'
      until grep -q 'after it' told; do :; done
      until ! ls us | grep -q .; do :; done
      kill $!
      cat told`,
      { patience: 200 },
    );
    expect(stdout.toString()).toBe('beside it\nafter it\n');
    expect(Buffer.compare(home.read('out/film'), home.read('film'))).toBe(0);
    expect(readdirSync(home.path('out'))).toEqual(['film']);
    const said = readFileSync(home.path('said'), 'utf8').split('\n');
    expect(said.filter((line) => line.includes('film'))).toEqual(['pawl: wrote out/film (70.0 MB) from alice']);
  }));
