import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Home, inHome, meet } from './shell.ts';

// `recv --exec` as a process among others: what is run, when, and what a kill leaves.

let met: Home;

const UNSHARE = `unshare ${process.getuid?.() === 0 ? '' : '--map-root-user'} --pid --fork`;
const canUnshare = spawnSync(`${UNSHARE} true`, { shell: true }).status === 0;

beforeAll(async () => {
  met = Home.create();
  await meet(met);
}, 180_000);

afterAll(() => met.remove());

/** Runs a script in a home where bob and alice reach each other by a folder, and gives the lines that it prints. */
function story(script: string): Promise<readonly string[]> {
  const routes = 'mkfifo out; mkdir us; pawl -q -i alice route bob dir:us; pawl -q -i bob route alice dir:us';
  return inHome(async (home) => {
    const { stdout } = await home.prepare(`set -e\n${routes}\n${script}`);
    return stdout.toString().trim().split('\n');
  }, met.copy());
}

describe.concurrent('recv --exec', () => {
  it('follows: gives each text as it comes, and again where the command has failed on it', async () => {
    const lines = await story(`
      command='echo "$PAWL_FROM $PAWL_ID $(cat)"; test -e "$PAWL_ID" || { : > "$PAWL_ID"; exit 1; }'
      pawl -q -i alice recv --follow --exec "$command" > out 2> errors &
      exec 4< out
      pawl -q -i bob send alice -m one; pawl -q -i bob send alice -m two
      for i in 1 2 3 4; do read -r line <&4; echo "$line"; done
      # What was taken is noted before the next one is waited for.
      pawl -q -i bob send alice -m three; read -r line <&4
      kill $!; wait $! || echo "exit $?"
      pawl -i alice recv --waiting 2>&1 | grep -c 'three\\|nothing waits'`);
    const texts = lines.slice(0, 4).map((line) => line.split(' '));
    expect(texts.map(([from]) => from)).toEqual(['bob', 'bob', 'bob', 'bob']);
    expect(texts.map(([, , text]) => text).sort()).toEqual(['one', 'one', 'two', 'two']);
    expect(new Set(texts.map(([, id, text]) => `${id} ${text}`)).size).toBe(2);
    expect(lines.slice(4)).toEqual(['exit 143', '1']);
  });

  it('gives a text again, with the same id, where pawl was killed before the command had done its work', async () => {
    const [first, second] = await story(`
      pawl -q -i bob send alice -m hi
      mkfifo never
      pawl -q -i alice recv --fetch --exec 'echo "$PAWL_ID"; cat; echo " $$"; read -r x < never' > out &
      { read -r id; read -r text shell; } < out
      kill -9 $!; wait $! || true
      echo "$id $text"
      kill -9 "$shell"
      pawl -i alice recv --waiting --exec 'echo "$PAWL_ID $(cat)"' 2> said
      grep -q 'this text of bob may have come before' said`);
    expect(first).toMatch(/^[0-9a-f]{32} hi$/);
    expect(second).toBe(first);
  });

  it('tells the command to end when it is ended itself, and counts no try', async () => {
    const lines = await story(`
      pawl -q -i bob send alice -m hi
      pawl -q -i alice recv --fetch --exec 'trap "echo ended; exit 0" TERM; sleep 100 & echo begun; wait' > out &
      exec 4< out
      read -r line <&4; echo "$line"
      kill $!; wait $! || echo "exit $?"
      read -r line <&4; echo "$line"
      pawl -i alice inspect --json | grep -c tries || true
      pawl -q -i alice recv --waiting --exec cat`);
    expect(lines).toEqual(['begun', 'exit 143', 'ended', '0', 'hi']);
  });

  it.skipIf(!canUnshare)('tells the command to end also as the first process of a container', async () => {
    const lines = await story(`
      pawl -q -i bob send alice -m hi
      ${UNSHARE} pawl -q -i alice recv --fetch --exec 'trap "echo ended; exit 0" TERM; sleep 100 & echo begun; wait' > out &
      exec 4< out
      read -r line <&4; echo "$line"
      kill $(cat /proc/$!/task/$!/children); wait $! || echo "exit $?"
      read -r line <&4; echo "$line"`);
    expect(lines).toEqual(['begun', 'exit 143', 'ended']);
  });

  it('gives the command no file that pawl was given, and no passphrase', async () => {
    const lines = await story(`
      pawl -q -i bob send alice -m hi
      echo secret > secret
      export PAWL_PASSPHRASE=secret PAWL_PASSPHRASE_FD=3
      pawl -q -i alice recv --fetch --exec 'cat <&3; env | grep secret; env | grep -c PASSPHRASE; cat' 3< secret || echo "exit $?"`);
    expect(lines).toEqual(['0', 'hi']);
  });

  it('answers as who has received, by pawl send', async () => {
    const lines = await story(`
      pawl -q -i bob send alice -m 'are you there?'
      pawl -q -i alice recv --fetch --exec 'pawl -q send "$PAWL_FROM" -m "you wrote: $(cat)"'
      pawl -q -i bob recv --fetch --lines`);
    expect(lines).toEqual(['you wrote: are you there?']);
  });
});
