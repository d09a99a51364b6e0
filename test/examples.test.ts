import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inHome } from './cli/shell.ts';

const FOLDER = join(import.meta.dirname, '..', 'examples');

/** What each example must say, in this order; other lines may stand between. */
const SAYS: Readonly<Record<string, readonly RegExp[]>> = {
  'alert.sh': [
    /^oncall-1: alice is on call$/m,
    /^oncall-2: bob is on call$/m,
    /^the disk is .* full$/m,
    /^the disk is .* full$/m,
  ],
  'alice-and-bob.sh': [
    /^\$ alice init alice$/m,
    /^kind +a message that opens a conversation$/m,
    /^hi bob, what is the plan\?$/m,
    /^lunch at noon$/m,
    /^see you there$/m,
    /^the same bytes$/m,
    /^identity +alice$/m,
    /^contact +bob \(unverified\)$/m,
    /^contact +alice \(unverified\)$/m,
  ],
  'bot.sh': [/^up since Monday$/m, /^I know one word only: uptime$/m],
  'ci-secret.sh': [/release-1 is new/, /^the same secret$/m],
  'drop-folder.sh': [
    /^2$/m,
    /^the minutes are in the folder\nand here is a second text$/m,
    /^0$/m,
    /is encrypted, and waits/,
    /handed over to dir:/,
    /^while you were out$/m,
  ],
  'out-of-order.sh': [
    /^message 5$/m,
    /^skipped keys .*\n.*\n.*\n/m,
    /^message 2$/m,
    /^more to come$/m,
    /^message 4\nmessage 1\nmessage 3$/m,
    /^skipped keys +none$/m,
  ],
  'replay.sh': [/^pay 100 to carol$/m, /was received before/, /"type":"duplicate"/],
  'tampered.sh': [/^error: .*damaged/m, /^error: .*cut short/m, /^meet me at six$/m],
  'wrong-passphrase.sh': [/^error: wrong passphrase/m, /^the file is what it was$/m],
};

describe('examples', () => {
  it('are all here', () => {
    // What is no script to watch is a command of a route, and has its tests in test/places.
    const scripts = readdirSync(FOLDER).filter((file) => file.endsWith('.sh') && file !== 'setup.sh');
    expect(scripts.sort()).toEqual(Object.keys(SAYS).sort());
    const commands = readdirSync(FOLDER).filter((file) => !file.endsWith('.sh'));
    const places = readdirSync(join(import.meta.dirname, 'places'));
    expect(commands.filter((command) => !places.includes(`${command}.test.ts`))).toEqual([]);
  });

  it.concurrent.each(Object.entries(SAYS))('%s', (file, says) =>
    inHome(async (home) => {
      const { stdout, exit } = await home.run('unset PAWL_KEY_FILE; bash "$EXAMPLE" 2>&1', {
        environment: { EXAMPLE: join(FOLDER, file) },
      });
      const said = stdout.toString();
      expect(exit, said).toBe(0);
      let position = 0;
      for (const line of says) {
        const at = said.slice(position).search(line);
        expect(at, `${line} is missing in:\n${said}`).toBeGreaterThanOrEqual(0);
        position += at + 1;
      }
      // Neither alice's home nor bob's is left behind.
      expect(home.files('.tmp')).toEqual([]);
    }),
  );
});
