import { readdirSync } from 'node:fs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { noServer, PostgresServer } from '../storage/postgres/server.ts';
import { inHome } from './shell.ts';

// `recv --follow` with an identity in a database that goes away: the built program.

describe.skipIf(noServer !== undefined)('a follower whose identity is in a database', () => {
  it('waits for a server that is away, says so once, and goes on', () =>
    inHome(async (home) => {
      const server = new PostgresServer();
      onTestFinished(() => server.remove());
      const environment = { PAWL_HOME: server.uri('postgres') };
      const alice = (command: string) => `PAWL_HOME=$HOME/files ${command}`;
      await home.prepare(
        `pawl -q init bob; ${alice('pawl -q init alice')}
         pawl -q invite alice | ${alice('pawl -q add bob')} | pawl -q recv
         mkdir us; pawl -q route alice dir:us; ${alice('pawl -q route bob dir:us')}`,
        { environment },
      );
      const say = (text: string) => home.prepare(alice(`pawl -q send bob -m ${text}`));
      const told = async (lines: string) =>
        vi.waitFor(() => expect(home.read('told').toString()).toBe(lines), { timeout: 60_000 });
      const following = home.run('pawl recv --follow --lines > told 2> said & echo $! > pid; wait $!', {
        environment,
        patience: 200,
      });
      await say('one');
      await told('one\n');
      // A COMMIT whose answer is lost would be looked up first.
      await vi.waitFor(
        () => {
          expect(readdirSync(home.path('us'))).toEqual(['.pawl-place']);
          expect(server.sql(`SELECT state FROM pg_stat_activity WHERE application_name = 'pawl'`).trim()).toBe('idle');
        },
        { timeout: 60_000, interval: 500 },
      );
      server.stop('fast');
      await say('two');
      await vi.waitFor(() => expect(home.read('said').toString()).toContain('cannot be reached'), {
        timeout: 60_000,
      });
      server.start();
      await told('one\ntwo\n');
      await say('three');
      await told('one\ntwo\nthree\n');
      process.kill(Number(home.read('pid')), 'SIGTERM');
      expect((await following).exit).toBe(143);
      const errors =
        home
          .read('said')
          .toString()
          .match(/^error: .*$/gm) ?? [];
      expect(errors.length).toBe(new Set(errors).size);
    }));
});
