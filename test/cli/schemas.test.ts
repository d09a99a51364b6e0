import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { acquaint, ClosedOutput, type FakeIo, Person } from './fake-io.ts';
import { TYPES } from './schemas.ts';

it('every kind of document is printed by some command, and keeps its schema', async () => {
  const seen = new Set<string>();
  // The documents are held to their schemas where they are read.
  const run = async (person: Person, line: string, input?: Uint8Array, given?: Partial<FakeIo>) => {
    const { printed, bytes } = await person.anything(['--json', ...line.split(' ')], input, given);
    for (const { type } of printed) seen.add(type);
    return bytes;
  };

  const { alice, bob } = await acquaint();
  await run(alice, 'history 30d');
  const at = (name: string) => join(alice.folder, name);
  writeFileSync(at('picture.jpg'), Buffer.from([0xff]));
  const dora = await Person.named('dora');
  await run(alice, `--home ${at('elsewhere')} init eve`);
  await run(alice, `invite carol -o ${at('invite')}`);
  await run(alice, 'invite erin');
  await run(dora, `add alice ${at('invite')}`);
  await run(alice, `inspect --envelope ${at('invite')}`);

  const [first, second, third] = [
    await run(alice, 'send bob -m one'),
    await run(alice, `send bob ${at('picture.jpg')}`),
    await run(alice, 'send bob -m three'),
  ];
  await run(bob, 'recv', third);
  await run(bob, 'inspect alice');
  await run(bob, 'recv', second);
  await run(bob, 'recv', second);
  await run(bob, 'recv', Buffer.from('nonsense'));
  bob.time += 31 * 24 * 3_600_000;
  await run(bob, 'prune');
  await run(bob, 'recv', first);

  // A large content, of which the last parts are lost on both sides.
  writeFileSync(at('film'), new Uint8Array(17_000_000));
  const large = await run(alice, `send bob ${at('film')}`);
  await run(bob, `recv --out-dir ${bob.folder}`, large.subarray(0, 5_000_000));
  await alice.run(['send', 'bob', at('film')], undefined, { output: new ClosedOutput() });

  await run(alice, 'log bob');
  await run(alice, 'contacts');
  await run(alice, 'acknowledge bob');
  await run(alice, 'invite erin --withdraw');
  await run(alice, 'verify bob');
  await run(alice, 'list ops bob');
  await run(alice, 'rename bob bertha');
  await run(alice, 'send bertha -m hi -o /dev/full');
  await run(alice, 'outbox');
  await run(alice, 'inspect');
  await run(alice, 'inspect --check');
  await run(alice, `backup ${at('copy')}`);
  await run(alice, 'route bertha exec:true');
  await run(alice, 'route');
  await run(dora, `invite alice -o ${at('invite-of-dora')}`);
  await run(alice, `add dora ${at('invite-of-dora')}`);
  await run(alice, 'send bertha,dora -m hi');
  await run(alice, 'forget bertha --yes');
  const processes: Partial<FakeIo> = {
    program: [process.execPath, join(import.meta.dirname, '..', '..', 'bin', 'pawl.js')],
    environment: { XDG_RUNTIME_DIR: alice.folder },
  };
  await run(alice, 'unlock', undefined, processes);
  await run(alice, 'lock', undefined, processes);
  await run(alice, `passwd --new-key-file ${at('new.key')}`);
  await run(alice, `restore ${at('copy')} --home ${at('another')}`);
  await run(alice, `move --home ${at('another')} --to ${at('third')}`);

  expect([...seen].sort()).toEqual([...TYPES].sort());
});
