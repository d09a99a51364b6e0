import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { boxOf, nameOfEnvelope } from '../../src/places/index.ts';
import { ClosedOutput, CollectedOutput, envelopesIn, type FakeIo, Person, routed, temporaryFolder } from './fake-io.ts';

// Conversations over a folder that both see: nobody carries anything.

const HOUR = 3_600_000;

/** What has come along the routes, one text a line. */
async function fetched(person: Person, ...options: readonly string[]): Promise<string> {
  return (await person.pawl(['recv', '--fetch', '--lines', ...options])).text;
}

/** The name of the box that one side reads, or of its open invite. */
function boxIn(person: Pick<Person, 'rows'>, column: string): string {
  const [session] = person.rows<Record<string, Uint8Array>>('sessions');
  const bytes = session?.[column];
  if (bytes === undefined) throw new Error(`there is no ${column}`);
  return boxOf(bytes);
}

function put(place: string, box: string, bytes: Uint8Array, name = nameOfEnvelope(bytes)): void {
  writeFileSync(join(place, `${box}.${name}.pawl`), bytes);
}

/** Alice has an invite of Bob's, and neither has written. */
async function beginning(): Promise<{ alice: Person; bob: Person; place: string }> {
  const place = temporaryFolder();
  const alice = await Person.named('alice');
  const bob = await Person.named('bob');
  const invite = await bob.invite('alice');
  expect((await bob.pawl(['route', 'alice', `dir:${place}`])).errors).toContain('who comes in by the invite for alice');
  await alice.add('bob', invite);
  await alice.pawl(['route', 'bob', `dir:${place}`]);
  return { alice, bob, place };
}

describe('a conversation along a route', () => {
  it('begins with an invite, and nothing is carried by hand but that', async () => {
    const { alice, bob, place } = await beginning();
    for (const text of ['one', 'two']) {
      expect(await alice.pawl(['send', 'bob', '-m', text])).toMatchObject({
        text: '',
        errors: `pawl: handed over to dir:${place}\n`,
      });
    }
    expect(await fetched(bob)).toBe('one\ntwo\n');
    await bob.pawl(['send', 'alice', '-m', 'three']);
    expect(await fetched(alice)).toBe('three\n');
    await alice.pawl(['send', 'bob', '--lines'], Buffer.from('four\nfive\n'));
    expect((await fetched(bob)).split('\n').sort()).toEqual(['', 'five', 'four']);
    expect(envelopesIn(place)).toEqual([]);
    expect((await bob.pawl(['recv', '--fetch'])).errors).toBe('pawl: nothing new\n');
    expect(await bob.documents(['route'])).toMatchObject([{ name: 'alice', invite: false, trusted: true }]);
  });

  it('takes what has the prefix also after what has none, for 90 days', async () => {
    const { alice, bob, place } = await beginning();
    await alice.pawl(['send', 'bob', '-m', 'one']);
    expect(await fetched(bob)).toBe('one\n');
    // Alice has had no answer: this one has the prefix, and the folder is slow to bring it.
    await alice.pawl(['send', 'bob', '-m', 'two']);
    const [slow] = envelopesIn(place);
    renameSync(join(place, slow ?? ''), join(place, 'slow'));
    await bob.pawl(['send', 'alice', '-m', 'three']);
    expect(await fetched(alice)).toBe('three\n');
    await alice.pawl(['send', 'bob', '-m', 'four']);
    expect(await fetched(bob)).toBe('four\n');
    renameSync(join(place, 'slow'), join(place, slow ?? ''));
    expect(await fetched(bob)).toBe('two\n');
    expect(envelopesIn(place)).toEqual([]);
    // What anybody may have put into the box of an invite is looked at no more after that time.
    for (const [days, isLeft] of [
      [89, false],
      [2, true],
    ] as const) {
      bob.time += days * 24 * HOUR;
      put(place, boxIn(bob, 'invite_box'), Buffer.from('junk'.repeat(99)));
      await bob.pawl(['recv', '--fetch']);
      expect(envelopesIn(place)).toHaveLength(isLeft ? 1 : 0);
    }
  });

  it('is by hand where the bytes are asked for, and again once the route is off', async () => {
    const { alice, bob, place } = await routed();
    const armored = await alice.pawl(['send', 'bob', '-m', 'armored', '-a']);
    expect(armored.text).toContain('BEGIN PAWL MESSAGE');
    const { bytes } = await alice.pawl(['send', 'bob', '-m', 'bytes', '-b']);
    expect(await bob.recv(Buffer.concat([armored.bytes, bytes]))).toBe('armoredbytes');
    await alice.pawl(['route', 'bob', '--off']);
    expect((await alice.pawl(['route', 'bob', '--off'])).errors).toContain('there is no route for bob');
    expect(await bob.recv(await alice.send('bob', 'by hand'))).toBe('by hand');
    expect(envelopesIn(place)).toEqual([]);
    expect(await alice.refusal(['recv', '--fetch'])).toBe('usage 64');
  });

  it('is fetched on a terminal, and pasted with -', async () => {
    const { alice, bob } = await routed();
    const { text } = await alice.pawl(['send', 'bob', '-m', 'pasted', '-a']);
    await alice.pawl(['send', 'bob', '-m', 'fetched']);
    const terminal = (chunks: string) => ({
      input: {
        isTerminal: true,
        chunks: (async function* () {
          yield Buffer.from(chunks);
        })(),
      },
      output: new CollectedOutput(true),
    });
    expect((await bob.pawl(['recv'], undefined, terminal(''))).text).toContain('fetched');
    expect((await bob.pawl(['recv', '-'], undefined, terminal(text))).text).toContain('pasted');
  });

  it('follows a contact through another name, and ends with it', async () => {
    const { alice, bob } = await routed();
    await alice.pawl(['rename', 'bob', 'bert']);
    await alice.pawl(['send', 'bert', '-m', 'hi']);
    expect(await fetched(bob)).toBe('hi\n');
    expect(await alice.documents(['route'])).toMatchObject([{ name: 'bert' }]);
    await alice.pawl(['forget', 'bert', '--yes']);
    expect(await alice.documents(['route'])).toEqual([]);
  });

  it('fetches from one contact only, where that is asked for', async () => {
    const { alice, bob } = await routed();
    await alice.pawl(['send', 'bob', '-m', 'hi']);
    expect(await fetched(bob, '--from', 'zoe')).toBe('');
    expect(await fetched(bob, '--from', 'alice')).toBe('hi\n');
  });
});

describe('pawl route', () => {
  it('tries a command, and sets no route to one that fails', async () => {
    const { alice, place } = await routed();
    const { exit, errors } = await alice.run(['route', 'bob', 'exec:echo no such relay >&2; exit 3;']);
    expect([exit, errors]).toEqual([
      69,
      'error: exec:echo no such relay >&2; exit 3; cannot be reached: no such relay\nhint: no route was set: see whether it is there, and runs\n',
    ]);
    expect(await alice.documents(['route'])).toMatchObject([{ route: `dir:${place}` }]);
  });

  it('says what lies at the place of before, and how to take it', async () => {
    const { alice, bob, place } = await routed();
    const other = temporaryFolder();
    const change = () => bob.pawl(['route', 'alice', `dir:${other}`]);
    expect((await change()).errors).not.toContain('fetched any more');
    await bob.pawl(['route', 'alice', `dir:${place}`]);
    await alice.pawl(['send', 'bob', '-m', 'one']);
    const lies = `pawl: 1 envelope of alice lies at dir:${place}, where nothing is fetched any more: take them with the route of before (pawl route alice dir:${place}, and pawl recv)\n`;
    expect((await bob.pawl(['route', 'alice', `dir:${place}`])).errors).not.toContain('fetched any more');
    expect((await change()).errors).toContain(lies);
    await bob.pawl(['route', 'alice', `dir:${place}`]);
    expect((await bob.pawl(['route', 'alice', '--off'])).errors).toContain(lies);
    await bob.pawl(['route', 'alice', `dir:${place}`]);
    renameSync(place, `${place}-unplugged`);
    expect((await change()).errors).toContain(`has put to dir:${place} by now is not fetched any more`);
    renameSync(`${place}-unplugged`, place);
    await bob.pawl(['route', 'alice', `dir:${place}`]);
    expect(await fetched(bob)).toBe('one\n');
  });

  it('says by what both sides see that it is one folder, and where it is not the one of before', async () => {
    const { alice, bob, place } = await routed();
    const [{ mark }] = (await bob.documents(['route'])) as [{ mark: string }];
    const set = () => alice.pawl(['route', 'bob', `dir:${place}`]);
    expect((await set()).errors).toBe(
      [
        `pawl: messages for bob, and from there, go by dir:${place} (marked ${mark.slice(0, 8)})`,
        `pawl: bob types a route to the same place, for you: it says marked ${mark.slice(0, 8)} there if it is the same folder`,
        'pawl: then: pawl send bob -m hi, or pawl recv\n',
      ].join('\n'),
    );
    rmSync(join(place, '.pawl-place'));
    const { errors } = await set();
    expect(errors).toContain(`pawl: dir:${place} was marked ${mark.slice(0, 8)} before: it was emptied`);
    expect(errors).toContain('the other side has to type its route again');
    expect(errors).not.toContain('fetched any more');
  });

  it('knows nobody who is neither a contact nor invited', async () => {
    const { alice } = await routed();
    for (const rest of [[], ['--off'], ['dir:.']]) {
      expect(await alice.refusal(['route', 'nobody', ...rest])).toBe('unknown-contact 67');
    }
    await alice.invite('carol');
    expect((await alice.pawl(['route', 'carol'])).errors).toBe('pawl: there is no route for carol\n');
    expect((await alice.run(['send', 'carol', '-m', 'hi'])).errors).toBe(
      'error: nobody has come in by the invite for carol yet\nhint: the conversation opens with their first message: pawl recv\n',
    );
  });
});

describe('the clocks of the two, and of the disk,', () => {
  it.each([
    [20, -20],
    [-20, 20],
    [30 * 24, -30 * 24],
  ])('may be %i and %i hours off', async (ahead, behind) => {
    const { alice, bob, place } = await routed();
    alice.time += ahead * HOUR;
    bob.time += behind * HOUR;
    await alice.pawl(['send', 'bob', '-m', 'one']);
    const [name = ''] = envelopesIn(place);
    const whole = readFileSync(join(place, name));
    // It is being copied still. By these clocks, that was not in the last hour.
    writeFileSync(join(place, name), whole.subarray(0, -1));
    expect((await bob.run(['recv', '--fetch'])).exit).toBe(0);
    writeFileSync(join(place, name), whole);
    expect(await fetched(bob)).toBe('one\n');
    await bob.pawl(['send', 'alice', '-m', 'two']);
    expect(await fetched(alice)).toBe('two\n');
    alice.time -= 2 * ahead * HOUR;
    await alice.pawl(['send', 'bob', '-m', 'three']);
    expect(await fetched(bob)).toBe('three\n');
    expect(envelopesIn(place)).toEqual([]);
  });
});

describe('a place that cannot be reached', () => {
  it('gets what waits with the next send, and nothing is sent twice', async () => {
    const { alice, bob, place } = await routed();
    renameSync(place, `${place}-unplugged`);
    const first = await alice.run(['--json', 'send', 'bob', '-m', 'one']);
    expect(first.exit).toBe(69);
    expect(first.text).toContain('"queued":true');
    expect(first.errors).toContain('do not send it again');
    // An empty folder is not the place.
    mkdirSync(place);
    expect(await alice.refusal(['send', 'bob', '-m', 'two'])).toBe('other-place 69');
    expect(readdirSync(place)).toEqual([]);
    expect(await bob.refusal(['recv', '--fetch'])).toBe('other-place 69');
    rmdirSync(place);
    renameSync(`${place}-unplugged`, place);
    expect(await alice.documents(['send', 'bob', '-m', 'three'])).toMatchObject([{ handed_to: `dir:${place}` }]);
    expect((await fetched(bob)).split('\n').sort()).toEqual(['', 'one', 'three', 'two']);
    expect((await alice.pawl(['outbox'])).errors).toContain('nothing is waiting');
  });

  it('gets what waits with a recv, too', async () => {
    const { alice, bob, place } = await routed();
    renameSync(place, `${place}-unplugged`);
    expect((await alice.run(['send', 'bob', '-m', 'one'])).exit).toBe(69);
    renameSync(`${place}-unplugged`, place);
    expect((await alice.pawl(['recv', '--fetch'])).errors).toContain('1 earlier message for bob handed over');
    expect(await fetched(bob)).toBe('one\n');
  });
});

describe('what is refused before anything is done', () => {
  it('is a command that came with the file', async () => {
    const { alice } = await routed();
    const run = `exec:touch ${alice.folder}/ran; :`;
    await alice.pawl(['route', 'bob', run]);
    rmSync(join(alice.folder, 'ran'));
    await alice.pawl(['--after-restore', 'route']);
    expect(await alice.refusal(['recv', '--fetch'])).toBe('untrusted-route 69');
    expect(readdirSync(alice.folder)).not.toContain('ran');
    expect((await alice.pawl(['route'])).text).toContain('not used');
    await alice.pawl(['route', 'bob', run]);
    rmSync(join(alice.folder, 'ran'));
    await alice.pawl(['recv', '--fetch']);
    expect(readdirSync(alice.folder)).toContain('ran');
  });

  it('is a command of a file that was moved here, before it is typed again', async () => {
    const { alice } = await routed();
    const run = `exec:touch ${alice.folder}/ran; :`;
    await alice.pawl(['route', 'bob', run]);
    rmSync(join(alice.folder, 'ran'));
    const elsewhere = { environment: { XDG_STATE_HOME: temporaryFolder() } };
    const moved = async (...options: readonly string[]) =>
      (await alice.run([...options, 'recv', '--fetch'], undefined, elsewhere)).exit;
    expect(await moved()).toBe(76);
    expect(await moved('--moved')).toBe(69);
    expect(await moved()).toBe(69);
    expect(readdirSync(alice.folder)).not.toContain('ran');
    await alice.pawl(['route', 'bob', run], undefined, elsewhere);
    expect(await moved()).toBe(0);
    expect(readdirSync(alice.folder)).toContain('ran');
  });

  it('is a conversation of before there were boxes; a new invite helps', async () => {
    const { alice, bob, place } = await routed();
    for (const person of [alice, bob]) {
      const file = person.openFile();
      file.exec('UPDATE sessions SET invite_box = NULL, outgoing_box = NULL, incoming_box = NULL');
      file.close();
    }
    const warned = await alice.pawl(['route', 'bob', `dir:${place}`]);
    expect(warned.errors).toContain('older than routes');
    expect(await alice.refusal(['send', 'bob', '-m', 'lost?'])).toBe('no-boxes 69');
    expect(alice.rows('outbox')).toEqual([]);
    alice.time += HOUR;
    bob.time += HOUR;
    await alice.add('bob', await bob.invite('alice'));
    await alice.pawl(['send', 'bob', '-m', 'anew']);
    expect(await fetched(bob)).toBe('anew\n');
    await bob.pawl(['send', 'alice', '-m', 'back']);
    expect(await fetched(alice)).toBe('back\n');
  });
});

describe('what was encrypted for a conversation without boxes', () => {
  it('stays in the outbox: nobody is told that it was handed over', async () => {
    const { alice, place } = await routed();
    async function* lines() {
      yield Buffer.from('early\n');
      // The invite that it would go by expires while the next one is typed.
      const file = alice.openFile();
      file.exec('UPDATE sessions SET invite_box = NULL, outgoing_box = NULL, incoming_box = NULL');
      file.close();
      yield Buffer.from('late\n');
    }
    const input = { isTerminal: false, chunks: lines() } as FakeIo['input'];
    const { exit, errors } = await alice.run(['send', 'bob', '--lines'], undefined, { input });
    expect([exit, errors]).toEqual([69, expect.stringContaining('older than routes')]);
    expect(alice.rows('outbox').length).toBeGreaterThan(0);
    expect(alice.rows('outbox').length + envelopesIn(place).length).toBe(2);
  });
});

describe('an envelope at which a place fails each time', () => {
  it('keeps back nothing behind it', async () => {
    const { alice, bob, place } = await routed();
    await alice.pawl(['send', 'bob', '-m', 'one']);
    const [first = ''] = envelopesIn(place);
    const pawlBox = join(import.meta.dirname, '..', '..', 'examples', 'pawl-box');
    const script = join(temporaryFolder(), 'place.sh');
    writeFileSync(
      script,
      `[ "$1" = get ] || exec sh '${pawlBox}' '${place}' "$1"
      asked=$(cat)
      case $asked in *${first.split('.')[1]}*) exit 1 ;; esac
      printf '%s\\n' "$asked" | sh '${pawlBox}' '${place}' get\n`,
    );
    await bob.pawl(['route', 'alice', `exec:sh ${script}`]);
    bob.time += 60_000;
    await alice.pawl(['send', 'bob', '-m', 'two']);
    const texts: string[] = [];
    for (let round = 0; round < 3; round++) texts.push((await bob.run(['recv', '--fetch', '--lines'])).text);
    expect(texts.join('')).toBe('two\n');
  });
});

describe('a place that', () => {
  it('has no room for a large envelope takes what is smaller, and the large one once there is room', async () => {
    const { alice, bob, place } = await routed();
    const pawlBox = join(import.meta.dirname, '..', '..', 'examples', 'pawl-box');
    const script = join(temporaryFolder(), 'place.sh');
    const room = (bytes: number) =>
      writeFileSync(
        script,
        `[ "$1" = put ] || exec sh '${pawlBox}' '${place}' "$1"
        cat > '${script}.given'
        [ $(wc -c < '${script}.given') -le ${bytes} ] && sh '${pawlBox}' '${place}' put < '${script}.given'\n`,
      );
    room(5_000);
    const command = `exec:sh ${script}`;
    await alice.pawl(['route', 'bob', command]);
    const large = 'x'.repeat(100_000);
    expect((await alice.run(['send', 'bob', '-m', large])).exit).toBe(69);
    for (const text of ['one', 'two']) {
      expect(await alice.pawl(['send', 'bob', '-m', text])).toMatchObject({
        errors: `pawl: handed over to ${command}\npawl: 1 earlier message for bob still waits: ${command} cannot be reached: exit 1\n`,
      });
    }
    // Whether the place fails or has no room is not known where nothing was taken.
    expect((await alice.run(['recv', '--fetch'])).errors).toContain('error: what waits for bob: ');
    expect(await fetched(bob)).toBe('one\ntwo\n');
    room(500_000);
    expect((await alice.pawl(['recv', '--fetch'])).errors).toContain('1 earlier message for bob handed over');
    expect(await fetched(bob)).toBe(`${large}\n`);
    expect(await alice.documents(['outbox'])).toEqual([]);
  });

  it('has no room in the box of one takes what is for others', async () => {
    const { alice, place } = await routed();
    const pawlBox = join(import.meta.dirname, '..', '..', 'examples', 'pawl-box');
    const script = join(temporaryFolder(), 'place.sh');
    writeFileSync(script, '[ $1 = list ]');
    const others = await Promise.all(['carol', 'dave'].map((name) => Person.named(name)));
    for (const [index, name] of ['carol', 'dave'].entries()) {
      await alice.add(name, (await others[index]?.invite('alice')) ?? new Uint8Array());
      await alice.pawl(['route', name, `exec:sh ${script}`]);
    }
    await alice.pawl(['route', 'bob', `exec:sh ${script}`]);
    for (const name of ['bob', 'carol', 'dave']) expect((await alice.run(['send', name, '-m', 'hi'])).exit).toBe(69);
    const box = boxIn(alice, 'outgoing_box');
    writeFileSync(
      script,
      `[ $1 = put ] || exec sh '${pawlBox}' '${place}' $1
      IFS= read -r head
      case $head in ${box}*) exit 1 ;; esac
      { echo "$head"; cat; } | sh '${pawlBox}' '${place}' put\n`,
    );
    const { exit, errors } = await alice.run(['recv', '--fetch']);
    expect(exit).toBe(69);
    expect(errors.match(/1 earlier message for (carol|dave) handed over/g)).toHaveLength(2);
    expect(errors.match(/^error: what waits for bob/gm)).toHaveLength(1);
  });

  it('does not answer yet keeps back nothing that has come at another one', async () => {
    const { alice, bob, mark } = await withOneThatWaits();
    await bob.pawl(['send', 'alice', '-m', 'at once']);
    const { exit } = await alice.pawl(['recv', '--fetch', '--exec', `cat > ${mark}`]);
    expect([exit, readFileSync(mark, 'utf8')]).toEqual([0, 'at once']);
  });

  it('does not answer yet keeps back nothing that waits in the inbox', async () => {
    const { alice, bob, mark } = await withOneThatWaits();
    await alice.run(['recv'], (await bob.pawl(['send', 'alice', '-b', '-m', 'at once'])).bytes, {
      output: new ClosedOutput(),
    });
    const { exit } = await alice.pawl(['recv', '--fetch', '--exec', `cat > ${mark}`]);
    expect([exit, readFileSync(mark, 'utf8')]).toEqual([0, 'at once']);
  });
});

/** Alice reaches Bob, and Carol where a list waits until there is a file. */
async function withOneThatWaits() {
  const { alice, bob } = await routed();
  const carol = await Person.named('carol');
  await alice.add('carol', await carol.invite('alice'));
  const mark = join(temporaryFolder(), 'mark');
  const script = `${mark}.sh`;
  writeFileSync(mark, '');
  writeFileSync(script, `case $1 in put) cat > /dev/null;; list) until [ -e ${mark} ]; do sleep 0.01; done;; esac`);
  await alice.pawl(['route', 'carol', `exec:sh ${script}`]);
  await alice.pawl(['send', 'carol', '-m', 'hi']);
  rmSync(mark);
  return { alice, bob, mark };
}

describe('what lies in a box', () => {
  it('and is junk by strangers costs one line, a bounded number at a time', async () => {
    const { alice, bob, place } = await routed();
    await alice.add('bob', await bob.invite('alice'));
    alice.time += HOUR;
    bob.time += HOUR;
    await alice.pawl(['send', 'bob', '-m', 'in the midst']);
    const [name = ''] = envelopesIn(place);
    const opening = readFileSync(join(place, name));
    const box = name.split('.')[0] ?? '';
    for (let number = 0; number < 250; number++) {
      const junk = Buffer.from(opening);
      junk.writeUInt32BE(number, 10 + 32 + 1088);
      put(place, box, junk);
    }
    const first = await bob.run(['recv', '--fetch', '--lines']);
    const second = await bob.run(['recv', '--fetch', '--lines']);
    expect(first.text + second.text).toBe('in the midst\n');
    expect([first.exit, second.exit]).toEqual([0, 0]);
    expect(first.errors.match(/of no use/g)).toHaveLength(1);
    expect(envelopesIn(place)).toEqual([]);
  });

  it('and is damaged in the box of a contact is told, and goes', async () => {
    const { alice, bob, place } = await routed();
    const box = boxIn(bob, 'incoming_box');
    put(place, box, Buffer.from('pawl\x01\x02\0\0\x01\x7e'.padEnd(392, 'x'), 'latin1'));
    await alice.pawl(['send', 'bob', '-m', 'whole']);
    const { exit, text, errors } = await bob.run(['recv', '--fetch', '--lines']);
    expect([exit, text]).toEqual([65, 'whole\n']);
    expect(errors).toMatch(/in the box of alice/);
    expect(envelopesIn(place)).toEqual([]);
  });

  it('and is not what it is called after is left for an hour: it may be whole there, and garbled on its way', async () => {
    const { alice, bob, place } = await routed();
    await alice.pawl(['send', 'bob', '-m', 'garbled']);
    const [name = ''] = envelopesIn(place);
    const intact = readFileSync(join(place, name));
    const garbled = Buffer.from(intact).fill(0, intact.length - 20);
    for (const pause of [0, HOUR / 60, HOUR / 6]) {
      bob.time += pause;
      writeFileSync(join(place, name), garbled);
      // Its header authenticates: taken for what it is, it would be a fork, and the message be lost.
      expect(await bob.run(['recv', '--fetch'])).toMatchObject({ exit: 0, text: '', errors: 'pawl: nothing new\n' });
    }
    writeFileSync(join(place, name), intact);
    expect(await fetched(bob)).toBe('garbled\n');
    expect([envelopesIn(place), bob.rows('left_entries')]).toEqual([[], []]);
  });

  it('and is not what it is called after for more than an hour is told, and goes', async () => {
    const { alice, bob, place } = await routed();
    await alice.pawl(['send', 'bob', '-m', 'damaged']);
    const [name = ''] = envelopesIn(place);
    const bytes = readFileSync(join(place, name));
    writeFileSync(join(place, name), bytes.fill(0, bytes.length - 20));
    for (const pause of [0, HOUR / 60, HOUR / 6, HOUR - 1]) {
      bob.time += pause;
      expect((await bob.run(['recv', '--fetch'])).exit).toBe(0);
    }
    bob.time += 1;
    const { exit, errors } = await bob.run(['recv', '--fetch']);
    expect([exit, errors]).toEqual([65, 'pawl: 1 envelope in the box of alice is damaged: ask them to send again\n']);
    expect([envelopesIn(place), bob.rows('left_entries')]).toEqual([[], []]);
    // What is missing of the conversation is no fork.
    await alice.pawl(['send', 'bob', '-m', 'again']);
    expect((await bob.pawl(['recv', '--fetch'])).errors).toContain('1 message of alice missing');
  });

  it('and cannot be read by this file is left, and told again only after a while', async () => {
    const { alice, bob, place } = await routed();
    const carol = await Person.named('carol');
    const dave = await Person.named('dave');
    await carol.add('dave', await dave.invite('carol'));
    await dave.recv(await carol.send('dave', 'hi'));
    await carol.recv(await dave.send('carol', 'hi'));
    const foreign = await carol.send('dave', 'for dave');
    put(place, boxIn(bob, 'incoming_box'), foreign);
    const left = async () => (await bob.run(['recv', '--fetch'])).exit;
    expect(await left()).toBe(65);
    expect(envelopesIn(place)).toHaveLength(1);
    for (const pause of [HOUR / 60, HOUR / 6, HOUR, 24 * HOUR, 24 * HOUR]) {
      bob.time += pause - 1;
      expect(await left()).toBe(0);
      bob.time += 1;
      expect(await left()).toBe(65);
    }
    // What comes behind it is not kept back.
    await alice.pawl(['send', 'bob', '-m', 'behind it']);
    expect(await fetched(bob)).toBe('behind it\n');
    expect(bob.rows('left_entries')).toHaveLength(1);
    for (const name of envelopesIn(place)) renameSync(join(place, name), join(bob.folder, name));
    await fetched(bob);
    expect(bob.rows('left_entries')).toEqual([]);
  });

  it('and comes too early is taken later', async () => {
    const { alice, bob, place } = await routed();
    await alice.add('bob', await bob.invite('alice'));
    alice.time += 48 * HOUR;
    await alice.pawl(['send', 'bob', '-m', 'from the future']);
    expect((await bob.run(['recv', '--fetch'])).text).toBe('');
    expect(envelopesIn(place)).toHaveLength(1);
    bob.time += 47 * HOUR;
    expect(await fetched(bob)).toBe('from the future\n');
    expect(envelopesIn(place)).toEqual([]);
  });

  it('of an older session is not lost behind many messages of a new one', async () => {
    const { alice, bob, place } = await routed();
    for (const text of ['old 1', 'old 2']) await alice.pawl(['send', 'bob', '-m', text]);
    const old = envelopesIn(place);
    for (const name of old) renameSync(join(place, name), join(bob.folder, name));
    alice.time += HOUR;
    bob.time += HOUR;
    await alice.add('bob', await bob.invite('alice'));
    await alice.pawl(['send', 'bob', '--lines'], Buffer.from('new\n'.repeat(70)));
    expect(await fetched(bob)).toBe('new\n'.repeat(70));
    for (const name of old) renameSync(join(bob.folder, name), join(place, name));
    expect((await fetched(bob)).split('\n').sort()).toEqual(['', 'old 1', 'old 2']);
    // Once its box was read empty beside the new one, the rule of idle sessions holds again.
    await fetched(bob);
    await alice.pawl(['send', 'bob', '--lines'], Buffer.from('new\n'.repeat(70)));
    await fetched(bob);
    expect(bob.rows('sessions')).toHaveLength(1);
  });

  it('and came before is a duplicate, and goes', async () => {
    const { alice, bob, place } = await routed();
    await alice.pawl(['send', 'bob', '-m', 'once']);
    const [name = ''] = envelopesIn(place);
    const bytes = readFileSync(join(place, name));
    expect(await fetched(bob)).toBe('once\n');
    writeFileSync(join(place, name), bytes);
    expect(await fetched(bob)).toBe('');
    expect(envelopesIn(place)).toEqual([]);
  });
});
