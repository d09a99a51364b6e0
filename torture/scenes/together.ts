/** Situations in which several processes use one identity at the same time. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { type FileKey, openIdentityFile, readSalt, type SqliteStore } from '../../src/storage/index.ts';
import { Box, type Launched } from '../box.ts';
import type { Situation } from '../situations.ts';
import { WORKSHOP } from '../start.ts';
import { LARGER_THAN_A_PIPE, talking } from './people.ts';

/** Waits long enough for a busy machine: these situations are not about timeouts. */
const PATIENTLY = ['--wait', '60'];

/** `processes` processes that send, that receive, or that do both, on one identity file. */
export function parallel(processes: number): readonly [Situation, Situation, Situation] {
  const numbers = Array.from({ length: processes }, (_, index) => index);
  const textOf = (number: number) => `<text ${number}>`;

  const sending: Situation = {
    name: `${processes} parallel send`,
    async run(laws) {
      const box = await begin();
      const all = await Promise.all(
        numbers.map((number) =>
          box.start({ who: 'alice', parameters: ['send', 'bob', '-m', textOf(number), ...PATIENTLY] }),
        ),
      );
      for (const { code, stderr } of all) laws.hold(code === 0, `exit ${code}: ${stderr}`);
      const got = await laws.receives(box, 'bob', Buffer.concat(all.map(({ stdout }) => stdout)));
      const positions = got.map(({ n }) => Number(n)).sort((one, other) => one - other);
      laws.hold(String(positions) === String(numbers), `the positions are ${positions}`);
      const texts = new Set(got.map((one) => one.text));
      laws.hold(got.length === processes && texts.size === processes, `${got.length} messages, ${texts.size} texts`);
      laws.hold((await laws.works(box, 'alice', ['outbox', 'resend'])).stdout.length === 0, 'the outbox is not empty');
      await laws.talk(box, 'alice', 'bob');
      return `${all.filter(({ code }) => code === 0).length} done, positions ${positions.at(0)} to ${positions.at(-1)}`;
    },
  };

  const receiving: Situation = {
    name: `${processes} parallel recv`,
    async run(laws) {
      const box = await begin();
      const envelopes: Buffer[] = [];
      for (const number of numbers) envelopes.push(await box.ready('alice', ['send', 'bob', '-m', textOf(number)]));
      const all = await Promise.all(
        envelopes.map((input) => box.start({ who: 'bob', parameters: ['recv', '--lines', ...PATIENTLY], input })),
      );
      all.forEach(({ code, stdout, stderr }, number) => {
        laws.hold(code === 0, `exit ${code}: ${stderr}`);
        laws.hold(
          stdout.toString() === `${textOf(number)}\n`,
          `the one with ${textOf(number)} prints ${JSON.stringify(stdout.toString())}`,
        );
      });
      const left = await box.run('bob', ['recv']);
      laws.hold(left.code === 66, `something is left: ${left.stdout}`);
      await laws.nothingMissing(box, 'bob', 'alice');
      await laws.talk(box, 'alice', 'bob');
      return `${all.filter(({ code }) => code === 0).length} done, each its own text`;
    },
  };

  const both: Situation = {
    name: `${processes} parallel send and recv`,
    async run(laws) {
      const box = await begin();
      const input = new Map<number, Buffer>();
      for (const number of numbers) {
        if (number % 2 === 0) input.set(number, await box.ready('bob', ['send', 'alice', '-m', textOf(number)]));
      }
      const all = await Promise.all(
        numbers.map((number) => {
          const envelope = input.get(number);
          return envelope === undefined
            ? box.start({ who: 'alice', parameters: ['send', 'bob', '-m', textOf(number), ...PATIENTLY] })
            : box.start({ who: 'alice', parameters: ['recv', ...PATIENTLY], input: envelope });
        }),
      );
      const sent: Buffer[] = [];
      all.forEach(({ code, stdout, stderr }, number) => {
        laws.hold(code === 0, `exit ${code}: ${stderr}`);
        if (!input.has(number)) sent.push(stdout);
        else laws.hold(stdout.toString() === textOf(number), `prints ${stdout}`);
      });
      const got = await laws.receives(box, 'bob', Buffer.concat(sent));
      laws.hold(
        new Set(got.map((one) => one.text)).size === sent.length,
        `${got.length} of ${sent.length} texts arrive`,
      );
      await laws.nothingMissing(box, 'bob', 'alice');
      await laws.talk(box, 'alice', 'bob');
      return `${sent.length} sent and ${input.size} received`;
    },
  };
  return [sending, receiving, both];
}

/** A conversation in which Alice's next message begins a chain. */
async function begin(): Promise<Box> {
  const box = Box.make(WORKSHOP);
  await talking(box);
  return box;
}

/** Runs `work` while this process holds the write lock of Alice's file. */
async function whileHeld<Result>(box: Box, work: () => Promise<Result>): Promise<Result> {
  const path = box.path('home', 'alice.db');
  const key = new Uint8Array(readFileSync(box.path('alice.key'))) as FileKey;
  const store: SqliteStore = openIdentityFile(path, { key, salt: readSalt(path) }, { wait: 0 });
  try {
    return await store.transaction(work);
  } finally {
    store.close();
  }
}

const WRITING: readonly (readonly string[])[] = [
  ['send', 'bob', '-m', 'in the queue'],
  ['recv'],
  ['invite', 'carol'],
  ['passwd', '--new-key-file', 'new.key'],
];
const READING: readonly (readonly string[])[] = [['inspect'], ['outbox'], ['backup', 'copy.db']];

const busy: Situation = {
  name: 'busy, then free',
  async run(laws) {
    const box = await begin();
    const input = await box.ready('bob', ['send', 'alice', '-m', 'for alice']);
    const times: number[] = [];
    const givesUp = async (parameters: readonly string[]) => {
      const startedAt = performance.now();
      const ran = await box.start({ who: 'alice', parameters: [...parameters, '--wait', '1'], input });
      const seconds = (performance.now() - startedAt) / 1_000;
      times.push(seconds);
      laws.hold(ran.code === 75, `${parameters[0]}: exit ${ran.code}: ${ran.stderr}`);
      laws.hold(/hint: .*--wait/.test(ran.stderr), `${parameters[0]} gives no hint`);
      laws.hold(seconds >= 1, `${parameters[0]} waited ${seconds} s`);
    };
    const isLetIn = async (parameters: readonly string[]) => {
      const ran = await box.start({ who: 'alice', parameters });
      laws.hold(ran.code === 0, `${parameters[0]}, which only reads: exit ${ran.code}: ${ran.stderr}`);
    };
    const { patient } = await whileHeld(box, async () => {
      // It starts before the others, and waits until they have given up.
      const run = box.start({ who: 'alice', parameters: ['send', 'bob', '-m', 'patiently', ...PATIENTLY] });
      await Promise.all([...WRITING.map(givesUp), ...READING.map(isLetIn)]);
      return { patient: run };
    });
    const { code, stdout, stderr } = await patient;
    laws.hold(code === 0, `the patient one: exit ${code}: ${stderr}`);
    const texts = (await laws.receives(box, 'bob', stdout)).map((one) => one.text);
    laws.hold(texts.join() === 'patiently', `what the patient one sends arrives as ${JSON.stringify(texts)}`);
    const got = await laws.receives(box, 'alice', input);
    laws.hold(got.length === 1, 'the message that was refused as busy cannot be received later');
    await laws.talk(box, 'alice', 'bob');
    const seconds = times.map((time) => time.toFixed(1)).join(', ');
    return `exit 75 after ${seconds} s; what reads is let in, and who is patient goes on`;
  },
};

/** What one pawl is still writing out is not delivered by another. */
const inFlight: Situation = {
  name: 'a text and an envelope that another writes just now',
  async run(laws) {
    const box = await begin();
    const send = box.launch('alice', ['send', 'bob']);
    send.child.stdin.end(LARGER_THAN_A_PIPE);
    await once(send.child.stdout, 'readable');
    const resend = await box.start({ who: 'alice', parameters: ['outbox', 'resend'] });
    laws.hold(resend.code === 0 && resend.stdout.length === 0, 'an envelope in flight is sent again');
    writeFileSync(box.path('in.pawl'), await outputOf(send));

    const recv = box.launch('bob', ['recv', 'in.pawl']);
    await once(recv.child.stdout, 'readable');
    const other = await box.start({ who: 'bob', parameters: ['recv'] });
    laws.hold(other.code === 66 && other.stdout.length === 0, `a text in flight: exit ${other.code}: ${other.stderr}`);
    laws.hold((await outputOf(recv)).toString() === LARGER_THAN_A_PIPE, 'the text is not what was sent');

    for (const { ended } of [send, recv])
      laws.hold((await ended)[0] === 0, 'one that was waiting for its reader fails');
    laws.hold((await laws.works(box, 'alice', ['outbox', 'resend'])).stdout.length === 0, 'the outbox is not empty');
    laws.hold((await box.run('bob', ['recv'])).code === 66, 'the inbox is not empty');
    await laws.talk(box, 'alice', 'bob');
    return 'the other finds nothing that waits';
  },
};

/** Many large files arrive, and wait because their names are taken, while others send by the same identity. */
const largeFiles: Situation = {
  name: 'three send while large files are received, and while what waits is delivered',
  async run(laws) {
    const box = await begin();
    const names = ['a.bin', 'b.bin', 'c.bin', 'd.bin'];
    mkdirSync(box.path('taken'));
    mkdirSync(box.path('got'));
    for (const name of names) {
      writeFileSync(box.path(name), Buffer.alloc(9 << 20, name));
      writeFileSync(box.path(`taken/${name}`), 'another one');
      await box.ready('alice', ['send', 'bob', box.path(name), '-o', box.path(`${name}.pawl`)]);
    }
    const sent: Buffer[] = [];
    const whileSending = async (who: string, parameters: readonly string[], code: number) => {
      const all = await Promise.all([
        box.start({ who, parameters }),
        ...[1, 2, 3].map((number) => box.start({ who, parameters: ['send', 'alice', '-m', textOf(number)] })),
      ]);
      const [recv, ...sends] = all;
      laws.hold(recv?.code === code, `recv: exit ${recv?.code}: ${recv?.stderr}`);
      for (const send of sends) laws.hold(send.code === 0, `a send meanwhile: exit ${send.code}: ${send.stderr}`);
      sent.push(...sends.map(({ stdout }) => stdout));
    };
    const textOf = (number: number) => `<${number}>`;
    const envelopes = names.map((name) => box.path(`${name}.pawl`));
    await whileSending('bob', ['recv', ...envelopes, '--out-dir', box.path('taken')], 73);
    await whileSending('bob', ['recv', '--waiting', '--out-dir', box.path('got')], 0);
    for (const name of names)
      laws.hold(box.read(`got/${name}`)?.equals(Buffer.alloc(9 << 20, name)) === true, `${name} is not what was sent`);
    const got = await laws.receives(box, 'alice', Buffer.concat(sent));
    laws.hold(got.length === sent.length, `${got.length} of ${sent.length} texts arrive`);
    await laws.talk(box, 'alice', 'bob');
    return `${sent.length} sent, none was told that the file is busy`;
  },
};

async function outputOf({ child }: Launched): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Commands that have the file open and wait for input, while `passwd` replaces it. */
const rekeyed: Situation = {
  name: 'a new passphrase while others have the file open',
  async run(laws) {
    const box = await begin();
    const first = await box.ready('bob', ['send', 'alice', '-m', 'before']);
    const second = await box.ready('bob', ['send', 'alice', '-m', 'after']);
    const recv = box.launch('alice', ['recv', '-']);
    const send = box.launch('alice', ['send', 'bob', '--lines']);
    const outputs = [recv, send].map(outputOf);
    const errors = [recv, send].map(({ child }) => text(child.stderr));
    const begun = [recv, send].map(({ child }) => once(child.stdout, 'readable'));
    recv.child.stdin.write(first);
    send.child.stdin.write('before\n');
    await Promise.all(begun);
    await laws.works(box, 'alice', ['passwd', '--new-key-file', box.path('new.key')]);
    recv.child.stdin.end(second);
    send.child.stdin.end('after\n');
    for (const [index, { ended }] of [recv, send].entries()) {
      const [code] = await ended;
      const said = await errors[index];
      laws.hold(code === 75, `the ${index === 0 ? 'recv' : 'send'} that had it open: exit ${code}: ${said}`);
      laws.hold(/was changed.*\n.*hint: /s.test(said ?? ''), `it says ${said}`);
    }
    const [received = '', sent = ''] = await Promise.all(outputs);
    laws.hold(received.toString() === 'before', 'the text before is not what was sent');
    renameSync(box.path('new.key'), box.path('alice.key'));
    // Where the new key came before the first text was noted as delivered, that comes again.
    const got = (await laws.receives(box, 'alice', second)).filter(({ again }) => again !== true);
    laws.hold(got.length === 1 && got[0]?.text === 'after', 'the message that was refused cannot be received later');
    const texts = (await laws.receives(box, 'bob', Buffer.from(sent))).map((one) => one.text);
    laws.hold(texts.join() === 'before', `of what was sent, ${texts.join()} arrives`);
    await laws.talk(box, 'alice', 'bob');
    return 'exit 75, and all goes on under the new key';
  },
};

/**
 * Processes that still have the old file open begin to write while others commit to the new one. SQLite would find the
 * journals of those by the name of the file, and take them for its own.
 */
const stale: Situation = {
  name: 'many have the old file open while others write to the new one',
  async run(laws) {
    const box = await begin();
    const idle = Array.from({ length: 6 }, () => box.launch('alice', ['send', 'bob', '--lines', ...PATIENTLY]));
    const outputs = idle.map(outputOf);
    const errors = idle.map(({ child }) => text(child.stderr));
    const begun = idle.map(({ child }) => once(child.stdout, 'readable'));
    for (const { child } of idle) child.stdin.write('before\n');
    await Promise.all(begun);
    await laws.works(box, 'alice', ['passwd', '--new-key-file', box.path('new.key')]);
    renameSync(box.path('new.key'), box.path('alice.key'));
    const sent: Buffer[] = [];
    for (const { child } of idle) {
      const writing = box.start({ who: 'alice', parameters: ['send', 'bob', '-m', 'after', ...PATIENTLY] });
      child.stdin.end('too late\n');
      const { code, stdout, stderr } = await writing;
      laws.hold(code === 0, `one that sends under the new key: exit ${code}: ${stderr}`);
      sent.push(stdout);
    }
    for (const [index, { ended }] of idle.entries()) {
      const [code] = await ended;
      laws.hold(code === 75, `one that had the old file open: exit ${code}: ${await errors[index]}`);
    }
    await laws.whole(box, 'alice');
    const got = await laws.receives(box, 'bob', Buffer.concat([...(await Promise.all(outputs)), ...sent]));
    const texts = got.map((one) => one.text);
    laws.hold(
      texts.join() === [...idle.map(() => 'before'), ...idle.map(() => 'after')].join(),
      `what was sent arrives as ${texts.join()}`,
    );
    await laws.talk(box, 'alice', 'bob');
    return `exit 75 ×${idle.length}, and no message is lost or comes twice`;
  },
};

export const TOGETHER: readonly Situation[] = [busy, inFlight, largeFiles, rekeyed, stale];
