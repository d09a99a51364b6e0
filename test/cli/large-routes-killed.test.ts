import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Home, inHome, meet, type Result } from './shell.ts';

// Large contents along a route of the built program, which is killed at each call of the place, before and after that has
// done its work.

const PAWL_BOX = join(import.meta.dirname, '..', '..', 'examples', 'pawl-box');
const SIGKILL = 137;

/** Does what the place is asked, and kills pawl at the call of a number: before that, or after it. */
const PLACE = `
n=$(($(cat calls) + 1))
echo $n > calls
[ "$n" = "$KILL_BEFORE" ] && kill -9 $(cat pid) && exit 1
sh '${PAWL_BOX}' us "$1"
code=$?
[ "$n" = "$KILL_AFTER" ] && kill -9 $(cat pid)
exit $code
`;

/** Runs pawl, which is killed at that call. */
function killed(home: Home, command: string, when: Readonly<Record<string, string>>): Promise<Result> {
  return home.run(`echo 0 > calls; bash -c 'echo $$ > pid; exec pawl ${command}'`, { environment: when });
}

async function couple(home: Home): Promise<void> {
  await meet(home);
  home.write('place.sh', PLACE);
  await home.prepare(`mkdir us out; echo 0 > calls
    head -c 17700000 /dev/urandom > film
    for who in 'alice route bob' 'bob route alice'; do pawl -i $who 'exec:cd ${home.folder} && sh place.sh'; done`);
}

const ways = (calls: readonly number[]) =>
  calls.flatMap((call) => [{ KILL_BEFORE: `${call}` }, { KILL_AFTER: `${call}` }]);

it('nothing is lost, and nothing comes twice, where the sender is killed at any call', () =>
  inHome(async (home) => {
    await couple(home);
    let deaths = 0;
    for (const [index, when] of ways([1, 2, 10, 19, 20, 20]).entries()) {
      const { exit } = await killed(home, index === 0 ? '-i alice send bob film' : '-i alice outbox resend', when);
      if (exit === 0) break;
      expect(exit).toBe(SIGKILL);
      deaths += 1;
    }
    // How far it is noted depends on the time that it takes: the later calls may not be met.
    expect(deaths).toBeGreaterThanOrEqual(5);
    await home.prepare('pawl -i alice outbox resend');
    expect((await home.prepare('pawl -i alice outbox')).stderr).toContain('nothing is waiting');
    await home.prepare('pawl -i bob recv --fetch --out-dir out; cmp film out/film; ls us | (! grep .)');
    expect((await home.prepare('pawl -i bob recv --fetch')).stderr).toContain('nothing new');
  }));

it('nothing is lost, and nothing comes twice, where the receiver is killed at any call', () =>
  inHome(async (home) => {
    await couple(home);
    await home.prepare('pawl -i alice send bob film');
    let exit = SIGKILL;
    let told = 0;
    let deaths = 0;
    // Each command goes on behind the one before, so that all calls are met.
    for (let call = 1; exit === SIGKILL; call++) {
      for (const when of ways([call])) {
        const { exit: code, stderr } = await killed(home, '-i bob recv --fetch --out-dir out', when);
        told += stderr.split('wrote ').length - 1;
        exit = code;
        if (exit !== SIGKILL) break;
        deaths += 1;
      }
      expect(call).toBeLessThan(40);
    }
    expect([exit, told]).toEqual([0, 1]);
    expect(deaths).toBeGreaterThan(10);
    await home.prepare('pawl -i bob recv --fetch; cmp film out/film; [ $(ls -A out | wc -l) = 1 ]; ls us | (! grep .)');
  }));

it('a signal in the midst says how the rest is handed over', () =>
  inHome(async (home) => {
    await couple(home);
    const signal = `[ "$n" = 3 ] && kill -INT $(cat pid) && while kill -0 $(cat pid) 2> /dev/null; do :; done`;
    home.write('place.sh', PLACE.replace('exit $code', `${signal}\nexit $code`));
    const sent = await killed(home, '-i alice send bob film', {});
    expect(sent.stderr).toContain(
      `pawl: film for bob is not all at exec:cd ${home.folder} && sh place.sh: pawl outbox resend L1 hands over the rest\n`,
    );
    expect(sent.exit).toBe(130);
    home.write('place.sh', PLACE);
    await home.prepare('echo 0 > calls; pawl -i alice outbox resend L1');
    await home.prepare('pawl -i bob recv --fetch --out-dir out; cmp film out/film');
  }));
