import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { nameOfEnvelope, openPlace, type Place, type PlaceContext } from '../../src/places/index.ts';
import { boxWith, contextWith, envelopeWith, listed, newFolder, put, read, script, withoutPauses } from './places.ts';

const [A, B] = [boxWith(1), boxWith(2)];
const ENVELOPE = envelopeWith(1);
const NAME = nameOfEnvelope(ENVELOPE);
const ENTRY = { box: A, name: NAME, size: ENVELOPE.length, version: '' };

/** A place whose command is a script. It finds its folder in $HERE, and its verb in $1. */
async function scripted(lines: string, changes: Partial<PlaceContext> = {}) {
  const folder = newFolder();
  const context = contextWith({ timeLimit: 20_000, ...changes });
  const environment = { ...context.environment, HERE: folder };
  const place = await openPlace({ kind: 'exec', command: script(folder, lines) }, { ...context, environment });
  return { folder, place, said: (name: string) => readFileSync(join(folder, name), 'latin1') };
}

function unreachable(reason: string | RegExp) {
  return { code: 'unreachable', detail: { reason: expect.stringMatching(reason) } };
}

/** Whether a process runs. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // One that has ended may not have been waited for yet, by whoever is its parent now.
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
  } catch {
    return false;
  }
}

describe('a command', () => {
  it('is given boxes, names and envelopes by its standard input, and its verb alone as an argument', async () => {
    const { place, said } = await scripted('echo "$*" > $HERE/$1.arguments; cat > $HERE/$1');
    await put(place, A, ENVELOPE);
    expect(await listed(place, [A, B])).toEqual([]);
    expect(await read(place, [ENTRY])).toEqual([]);
    expect(await place.remove([ENTRY, { ...ENTRY, box: B }])).toEqual([]);
    for (const verb of ['put', 'list', 'get', 'ack']) expect(said(`${verb}.arguments`)).toBe(`${verb}\n`);
    expect(said('put')).toBe(`${A} ${NAME} ${ENVELOPE.length}\n${Buffer.from(ENVELOPE).toString('latin1')}`);
    expect(said('list')).toBe(`${A}\n${B}\n`);
    expect(said('get')).toBe(`${A} ${NAME}\n`);
    expect(said('ack')).toBe(`${A} ${NAME}\n${B} ${NAME}\n`);
  });

  it('is a line of shell', async () => {
    const folder = newFolder();
    const command = `D='${folder}'; tee "$D/seen" | cat > "$D/it's"; echo`;
    await put(await openPlace({ kind: 'exec', command }, contextWith()), A, ENVELOPE);
    expect(readFileSync(join(folder, "it's"))).toHaveLength(ENVELOPE.length + A.length + NAME.length + 6);
  });

  it('is not run for nothing', async () => {
    const { place, folder } = await scripted('touch $HERE/ran');
    expect([await listed(place, []), await read(place, []), await place.remove([])]).toEqual([[], [], []]);
    expect(existsSync(join(folder, 'ran'))).toBe(false);
  });

  it('sees no secrets of pawl: not by the environment, nor by open files', async () => {
    const secret = join(newFolder(), 'passphrase');
    writeFileSync(secret, 'correct horse');
    const { place, said } = await scripted('env > $HERE/env; ls -l /proc/self/fd > $HERE/open; cat > /dev/null', {
      environment: { PATH: process.env.PATH ?? '', SSH_AUTH_SOCK: '/agent', PAWL_PASSPHRASE: 'x', pawl_key: 'y' },
    });
    const opened = openSync(secret, 'r');
    await put(place, A, ENVELOPE);
    closeSync(opened);
    expect(said('env')).toContain('SSH_AUTH_SOCK=/agent');
    expect(said('env')).not.toMatch(/PAWL_|pawl_key/);
    expect(said('open')).not.toContain('passphrase');
    expect(said('open').match(/ -> (?!pipe|socket|\/proc|.*\/(null|open)$)/gm)).toBeNull();
  });
});

describe('a descriptor that pawl was handed', () => {
  // In a process of its own: what is opened here is passed on to nobody anyway.
  it('is not handed on, whatever its number', async () => {
    const folder = newFolder();
    const [program, secret] = [join(folder, 'program.cjs'), join(folder, 'passphrase')];
    writeFileSync(secret, 'correct horse');
    await build({
      stdin: {
        contents: `import { openPlace } from './src/places/index.ts';
          const killGroup = () => false;
          const context = { environment: { PATH: process.env.PATH }, now: Date.now, killGroup };
          openPlace({ kind: 'exec', command: process.argv[2] }, context).then((place) => place.remove([{ box: 'a', name: 'b' }]));`,
        resolveDir: join(import.meta.dirname, '..', '..'),
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      outfile: program,
    });
    const run = (command: string) =>
      spawnSync('bash', [
        '-c',
        `exec 7< "$1" 200< "$1"; ${command}`,
        'bash',
        secret,
        process.execPath,
        program,
        `cat > /dev/null; ls -l /proc/self/fd > '${folder}/open'; : `,
      ]);
    // They are there where nothing takes them away.
    expect(`${run('ls -l /proc/self/fd').stdout}`.match(/passphrase/g)).toHaveLength(2);
    expect(run('exec "$2" "$3" "$4"')).toMatchObject({ status: 0 });
    const open = readFileSync(join(folder, 'open'), 'latin1');
    expect(open).toMatch(/ 0 -> /);
    expect(open).not.toContain('passphrase');
  });
});

describe('a command that fails', () => {
  it.each([
    ['says why', 'echo first >&2; echo "no such host" >&2; echo >&2; exit 255', /^no such host$/],
    ['says nothing', 'cat > /dev/null; exit 3', /^exit 3$/],
    ['kills itself', 'kill -TERM $$', /^(ended by SIGTERM|Terminated|exit 143)$/],
    ['is not there', 'exec /nowhere/command', /\/nowhere\/command: not found$/],
    [
      'says what a terminal would act on',
      "printf '\\033[31mred\\007\\342\\200\\256x\\n' >&2; exit 1",
      /^\?\[31mred\?\?x$/,
    ],
    ['says it without an end', "head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1", /^x{200}…$/],
    ['leaves its standard error open', 'sleep 300 > /dev/null < /dev/null & echo broken >&2; exit 1', /^broken$/],
  ])('%s', async (_, lines, reason) => {
    const { place } = await scripted(lines);
    await expect(put(place, A, ENVELOPE)).rejects.toMatchObject(unreachable(reason));
    await expect(listed(place, [A])).rejects.toMatchObject(unreachable(reason));
    await expect(read(place, [ENTRY])).rejects.toMatchObject(unreachable(reason));
    await expect(place.remove([ENTRY])).rejects.toMatchObject(unreachable(reason));
  });

  it('has listed nothing, whatever it wrote', async () => {
    const { place } = await scripted(`echo ${A} ${NAME} 300; exit 1`);
    const entries: unknown[] = [];
    const listing = async () => {
      for await (const entry of place.list([A], { entries: 10, bytes: 1e6 })) entries.push(entry);
    };
    await expect(listing()).rejects.toMatchObject(unreachable('exit 1'));
    expect(entries).toEqual([]);
  });

  it('has given what it gave, when it dies midway', async () => {
    const head = `${A} ${NAME} ${ENVELOPE.length}`;
    const { place, folder } = await scripted(
      `echo ${head}; cat $HERE/envelope; echo ${head.replace(A, B)}; echo pawl; exit 0`,
    );
    writeFileSync(join(folder, 'envelope'), ENVELOPE);
    const given: unknown[] = [];
    const reading = async () => {
      for await (const one of place.read([ENTRY, { ...ENTRY, box: B }])) given.push(one);
    };
    await expect(reading()).rejects.toMatchObject(unreachable('in the middle of an envelope'));
    expect(given).toEqual([{ entry: ENTRY, bytes: ENVELOPE }]);
  });

  it('has not stored what it did not read', async () => {
    const { place } = await scripted('exit 0');
    await expect(put(place, A, envelopeWith(1, 2 ** 20))).rejects.toMatchObject(unreachable('before it had read all'));
    const { place: part } = await scripted('exec head -c 100');
    await expect(put(part, A, envelopeWith(1, 2 ** 20))).rejects.toMatchObject(unreachable('before it had read all'));
  });
});

describe('a command that lies', () => {
  it('gives what no box or name is, or what was not asked for, to nobody', async () => {
    const other = `${B} ${NAME} 300`;
    const { place } = await scripted(`
      echo ${other}
      echo ${A} ${'0'.repeat(31)}/ 300
      echo ${A} ${NAME} 9
      echo ${A} ${NAME} 999999999999
      echo ${A} ${'1'.repeat(32)} 300`);
    expect((await listed(place, [A])).map(({ name }) => name)).toEqual(['1'.repeat(32)]);
  });

  it.each([
    'hello',
    '',
    `${A} ${NAME}`,
    `${A} ${NAME} 300 x`,
    `${A} ${NAME} -1`,
    `../../etc ${NAME} 300`,
    'x'.repeat(1e5),
  ])('says %j', async (line) => {
    const { place, folder } = await scripted('cat $HERE/line');
    writeFileSync(join(folder, 'line'), `${line}\n`);
    const reason = /something else than BOX NAME SIZE/;
    await expect(listed(place, [A])).rejects.toMatchObject(unreachable(reason));
    await expect(read(place, [ENTRY])).rejects.toMatchObject(unreachable(reason));
  });

  it.each([
    ['of another box', `${B} ${NAME} 300`, 'what was not asked for'],
    ['of another name', `${A} ${'0'.repeat(32)} 300`, 'what was not asked for'],
    ['too small', `${A} ${NAME} 9`, 'an envelope of 9 bytes'],
    ['too large', `${A} ${NAME} 17825803`, 'an envelope of 17825803 bytes'],
    ['larger than it is', `${A} ${NAME} 17825802`, 'in the middle of an envelope'],
  ])('gives an envelope %s', async (_, head, reason) => {
    const { place } = await scripted(`echo ${head}; head -c 300 /dev/zero`);
    await expect(read(place, [ENTRY])).rejects.toMatchObject(unreachable(reason));
  });

  it('gives one twice, or in another order', async () => {
    const one = `echo ${A} ${NAME} 10; printf 0123456789`;
    const { place } = await scripted(`${one}; ${one}`);
    await expect(read(place, [ENTRY])).rejects.toMatchObject(unreachable('not asked for'));
    const { place: turned } = await scripted(`${one.replace(A, B)}; ${one}`);
    await expect(read(turned, [ENTRY, { ...ENTRY, box: B }])).rejects.toMatchObject(unreachable('not asked for'));
  });

  it('writes without an end', async () => {
    const line = `${A} ${NAME} 300`;
    const { place } = await scripted(`case $1 in list) exec yes ${line} ;; *) exec cat /dev/zero ;; esac`);
    await expect(listed(place, [A])).rejects.toMatchObject(unreachable('too many bytes'));
    await expect(put(place, A, ENVELOPE)).rejects.toMatchObject(unreachable('too many bytes'));
    await expect(place.remove([ENTRY])).rejects.toMatchObject(unreachable('too many bytes'));
    await expect(read(place, [ENTRY])).rejects.toMatchObject(unreachable('something else'));
  });

  it('lists one box full: the other is listed all the same', async () => {
    const { place } = await scripted(`
      i=100000; while [ $((i += 1)) -le 130000 ]; do echo ${A} 00000000000000000000000000$i 300; done
      echo ${B} ${NAME} 300`);
    const entries = await listed(place, [A, B], { entries: 100, bytes: 2 ** 26 });
    expect(entries).toHaveLength(101);
    // In the order in which they came.
    expect(entries[0]?.name).toBe(`${'0'.repeat(26)}100001`);
    expect(entries[99]?.name).toBe(`${'0'.repeat(26)}100100`);
    expect(entries.at(-1)).toMatchObject({ box: B, name: NAME });
  });
});

/** Closes the place while its command runs. @param begun the file that the command makes when it has begun. */
async function closeWhilePutting(place: Place, begun: string): Promise<void> {
  const putting = put(place, A, ENVELOPE);
  putting.catch(() => undefined);
  await vi.waitFor(() => expect(existsSync(begun)).toBe(true), { timeout: 20_000 });
  await place.close();
  await expect(putting).rejects.toMatchObject(unreachable('it was ended'));
}

describe('a command without an end', () => {
  const SILENT = 'echo $$ > $HERE/pid; sleep 300 & echo $! > $HERE/child; cat > /dev/null; wait';
  const quick = { timeLimit: 300 };

  function expectEnded(said: (name: string) => string): void {
    for (const name of ['pid', 'child']) expect(isThere(Number(said(name))), name).toBe(false);
  }

  it('is killed with all that it has started, whatever it was asked', async () => {
    const asks: ((place: Place) => Promise<unknown>)[] = [
      (place) => put(place, A, ENVELOPE),
      (place) => listed(place, [A]),
      (place) => read(place, [ENTRY]),
      (place) => place.remove([ENTRY]),
    ];
    const ended = asks.map(async (ask) => {
      const { place, said } = await scripted(SILENT, { timeLimit: 5_000 });
      await expect(ask(place)).rejects.toMatchObject(unreachable('does not answer for 5 s'));
      await vi.waitFor(() => expectEnded(said));
    });
    await Promise.all(ended);
  });

  it('can clear away what it has made before it is killed, whatever runs in it', async () => {
    const { place, folder } = await scripted(
      `mkdir $HERE/draft; trap 'rm -rf $HERE/draft; touch $HERE/cleared' EXIT; trap 'exit 75' TERM
      sleep 300 & echo $$ > $HERE/pid; wait`,
    );
    await closeWhilePutting(place, join(folder, 'pid'));
    expect(['draft', 'cleared'].map((name) => existsSync(join(folder, name)))).toEqual([false, true]);
  });

  it('is gone when the place says so, also where it does not want to go', async () => {
    const { place, said, folder } = await scripted(
      `trap '' TERM; sleep 300 & echo $! > $HERE/child; echo $$ > $HERE/pid; touch $HERE/ready; wait`,
    );
    await closeWhilePutting(place, join(folder, 'ready'));
    await vi.waitFor(() => expectEnded(said));
  });

  it('is killed when it takes nothing', async () => {
    const { place } = await scripted('exec sleep 300', quick);
    await expect(put(place, A, envelopeWith(1, 2 ** 20))).rejects.toMatchObject(unreachable('does not answer'));
  });

  it('is killed when it gives a byte now and then', async () => {
    const { place } = await scripted(`while printf a; do sleep 0.05; done`, quick);
    await expect(listed(place, [A])).rejects.toMatchObject(unreachable('too slowly'));
  });

  it('is not hurried by whoever reads slowly', async () => {
    const { place } = await scripted(
      `
      case $1 in get) for box in ${A} ${B}; do echo $box ${NAME} 10; printf 0123456789; done ;; esac`,
      { timeLimit: 1_000 },
    );
    let given = 0;
    const { now } = performance;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + given * 1e9);
    onTestFinished(() => clock.mockRestore());
    for await (const _ of place.read([ENTRY, { ...ENTRY, box: B }])) given++;
    expect(given).toBe(2);
  });

  it('is killed when nobody reads on', async () => {
    const { place, said } = await scripted(`echo $$ > $HERE/pid; echo $$ > $HERE/child
      case $1 in get) echo ${A} ${NAME} 10; printf 0123456789; exec sleep 300 ;; esac`);
    for await (const { entry } of place.read([ENTRY])) {
      expect(entry).toEqual(ENTRY);
      break;
    }
    await vi.waitFor(() => expectEnded(said));
  });

  it('is killed when the place is closed', async () => {
    const { place, said, folder } = await scripted(SILENT);
    await closeWhilePutting(place, join(folder, 'child'));
    await vi.waitFor(() => expectEnded(said));
    await expect(listed(place, [A])).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('may leave something in the background, which is left alone', async () => {
    const { place, said } = await scripted(
      'cat > /dev/null; sleep 300 > /dev/null < /dev/null & echo $! > $HERE/child',
    );
    await put(place, A, ENVELOPE);
    const left = Number(said('child'));
    expect(isThere(left)).toBe(true);
    process.kill(left);
  });
});

describe('waiting for a command', () => {
  const isPoll = (milliseconds: number) => milliseconds >= 5_000 && milliseconds <= 30_000;
  const never = new AbortController().signal;
  const patient = { timeLimit: 60_000 };

  it('asks it after 5 s, then less and less often, and ends with what was not listed', async () => {
    const { place } = await scripted(
      `echo >> $HERE/asked
      echo ${B} ${NAME} 300
      if [ $(wc -l < $HERE/asked) -lt 9 ]; then echo ${A} ${NAME} 300; else echo ${A} ${'0'.repeat(32)} 300; fi`,
      patient,
    );
    expect(await listed(place, [A])).toHaveLength(1);
    const pauses = await withoutPauses(isPoll, () => place.wait([A], never));
    expect(pauses).toEqual([5_000, 7_500, 11_250, 16_875, 25_312.5, 30_000, 30_000, 30_000]);
  });

  it('does not wait for one that hangs when it is told to stop', async () => {
    const { place, folder, said } = await scripted('echo $$ > $HERE/pid; touch $HERE/ready; exec sleep 300', patient);
    const controller = new AbortController();
    const waiting = withoutPauses(isPoll, () => place.wait([A], controller.signal));
    await vi.waitFor(() => expect(existsSync(join(folder, 'ready'))).toBe(true), { timeout: 20_000 });
    controller.abort();
    await waiting;
    await vi.waitFor(() => expect(isThere(Number(said('pid')))).toBe(false));
  });

  it('fails when it fails', async () => {
    const { place } = await scripted('exit 1', patient);
    await expect(withoutPauses(isPoll, () => place.wait([A], never))).rejects.toMatchObject(unreachable('exit 1'));
  });

  it('tells what was removed and comes again', async () => {
    const { place } = await scripted(`cat > /dev/null; [ $1 = ack ] || echo ${A} ${NAME} 300`, patient);
    await place.remove(await listed(place, [A]));
    expect(await withoutPauses(isPoll, () => place.wait([A], never))).toEqual([5_000]);
  });
});
