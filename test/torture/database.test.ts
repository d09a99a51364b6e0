import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import {
  buildFaults,
  cleanUp,
  crash,
  IN_DATABASE,
  MOVING,
  onWire,
  PostgresServer,
  SAMPLE,
  SERVERS,
  SOME_STEPS,
  STANDBYS,
  tryOut,
  twoHosts,
} from '../../torture/index.ts';

const impossible = PostgresServer.isHere
  ? buildFaults()
  : 'there is no PostgreSQL here (apt-get install postgresql postgresql-client)';
if (impossible !== undefined) console.warn(`${import.meta.filename}: skipped, as ${impossible}`);
beforeEach(({ skip }) => skip(impossible !== undefined, impossible));
afterAll(() => {
  cleanUp();
  PostgresServer.removeAll();
});

const named = (...names: readonly string[]) =>
  names.flatMap((name) => IN_DATABASE.filter((scene) => scene.name === `${name}, in a database`));
/** One of each kind of command; `npm run torture` has all, and the situations that take long as well. */
const scenes = [
  ...named('init', 'send, in a chain', 'recv, three messages', 'recv --fetch', 'passwd'),
  ...MOVING.filter(({ name }) => name === 'move, into a database'),
];
const onWireToo = named('init', 'send, in a chain', 'recv, three messages');
const short = SERVERS.filter(({ name }) => !/far away|says nothing/.test(name));
const situations = [...onWire(onWireToo, SOME_STEPS), ...STANDBYS, ...short, twoHosts(2)];

describe('what uses a database, and is ended at some step, loses nothing and uses nothing twice', () => {
  it.each(scenes.map((scene) => [scene.name, scene] as const))('%s', async (_, scene) => {
    const figures = await crash(scene, SAMPLE);
    expect(figures.flatMap(({ mode, violations }) => violations.map((one) => `${mode}, ${one}`))).toEqual([]);
  });

  it.for(situations.map((situation) => [situation.name, situation] as const))('%s', async ([, situation], { skip }) => {
    const { happened, violations } = await tryOut(situation);
    expect(violations, happened).toEqual([]);
    skip(happened.startsWith('skipped'), happened);
  });
});
