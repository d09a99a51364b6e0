import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nameOfEnvelope, nameOfPart, openPlace, type Place } from '../../src/places/index.ts';
import { type Home, inHome, meet } from '../cli/shell.ts';
import { keepsTheContract } from './contract.ts';
import { arrived, MailServer, mailsIn, needingMail } from './mail-server.ts';
import { boxWith, contentOf, contextWith, envelopeWith, listed, newFolder, PAWL_MAIL, put, read } from './places.ts';
import { freePort } from './servers.ts';

const [A, B] = [boxWith(1), boxWith(2)];
const ENVELOPE = envelopeWith(1, 1024);
const NAME = nameOfEnvelope(ENVELOPE);
const NAMED = / ([0-9a-f]{32})/;
/** Of the largest mails, on a machine that has much else to do. */
const PATIENCE = { timeLimit: 120_000 };
const ADDRESS = 'bob@example.org';

/** A Maildir, and a command that delivers into it as if it were msmtp. */
function mailbox(): { readonly maildir: string; readonly mailer: string } {
  const maildir = newFolder();
  for (const name of ['new', 'cur', 'tmp']) mkdirSync(join(maildir, name));
  const mailer = join(newFolder(), 'mailer');
  writeFileSync(
    mailer,
    `#!/bin/sh\nf=1790000000.$$.host\ncat > ${maildir}/tmp/$f && mv ${maildir}/tmp/$f ${maildir}/new\n`,
  );
  chmodSync(mailer, 0o755);
  return { maildir, mailer };
}

async function placeOf({ maildir, mailer }: ReturnType<typeof mailbox>): Promise<Place> {
  const environment = { PATH: process.env.PATH ?? '', SENDMAIL: mailer };
  return await openPlace(
    { kind: 'exec', command: `${PAWL_MAIL} ${ADDRESS} '${maildir}'` },
    contextWith({ environment, ...PATIENCE }),
  );
}

keepsTheContract('exec, by pawl-mail in a Maildir', async () => {
  const there = mailbox();
  return () => placeOf(there);
});

interface Asked {
  readonly input?: string | Uint8Array;
  readonly address?: string;
  readonly where?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

function pawlMail(verb: string, { input = '', address = ADDRESS, where = '/nowhere', environment = {} }: Asked = {}) {
  const env = { PATH: process.env.PATH, ...environment };
  const { status, stdout, stderr } = spawnSync(PAWL_MAIL, [address, where, verb], { input, env, encoding: 'latin1' });
  return { exit: status, stdout, stderr };
}

function putInput(envelope: Uint8Array, head = `${A} ${nameOfEnvelope(envelope)} ${envelope.length}\n`): Buffer {
  return Buffer.concat([Buffer.from(head), envelope]);
}

/** A mail as it is sent, and what a place finds where that, or what has become of it, is in its Maildir. */
async function mailOf(envelope: Uint8Array): Promise<string> {
  const there = mailbox();
  await put(await placeOf(there), A, envelope);
  const [file = ''] = readdirSync(join(there.maildir, 'new'));
  return readFileSync(join(there.maildir, 'new', file), 'latin1');
}

function deliver(maildir: string, mail: string, file = '1790000001.x.host'): void {
  writeFileSync(join(maildir, 'new', file), mail, 'latin1');
}

const quotedPrintable = (mail: string) => {
  const [head = '', ...body] = mail.split('\n\n');
  const text = body.join('\n\n').replaceAll('=', '=3D').replaceAll('+', '=2B').replaceAll('/', '=2F');
  return `${head}\nContent-Transfer-Encoding: quoted-printable\n\n${text.replace(/(?:=[0-9A-F]{2}|[^=\n]){60}(?=.)/g, '$&=\n')}`;
};

describe('pawl-mail', () => {
  it('sends a mail that anybody can read as pawl’s text, and names no box in an argument', async () => {
    const there = mailbox();
    const log = join(newFolder(), 'log');
    writeFileSync(there.mailer, `#!/bin/sh\necho "$0 $*" > ${log}\ncat > ${there.maildir}/new/1\n`);
    await put(await placeOf(there), A, ENVELOPE);
    expect(readFileSync(log, 'utf8')).toBe(`${there.mailer} -- ${ADDRESS}\n`);
    const lines = readFileSync(join(there.maildir, 'new', '1'), 'latin1').split('\n');
    expect(lines.slice(0, 7)).toEqual([
      `To: ${ADDRESS}`,
      `Subject: pawl ${A} ${NAME} ${ENVELOPE.length}`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=us-ascii',
      'Auto-Submitted: auto-generated',
      '',
      '-----BEGIN PAWL MESSAGE-----',
    ]);
    expect(lines.slice(-2)).toEqual(['-----END PAWL MESSAGE-----', '']);
    expect(Math.max(...lines.slice(7, -1).map((line) => line.length))).toBe(64);
    expect(Buffer.from(lines.slice(7, -2).join(''), 'base64').equals(ENVELOPE)).toBe(true);
  });

  it.each<[what: string, change: (mail: string) => string]>([
    ['lines that end as on the wire', (mail) => mail.replaceAll('\n', '\r\n')],
    ['a folded subject', (mail) => mail.replace(NAMED, '\n\t$1')],
    ['a subject that is folded as on the wire', (mail) => mail.replace(NAMED, '\r\n $1')],
    ['a subject that begins in its second line', (mail) => mail.replace('Subject: ', 'subject:\n ')],
    ['a subject with a label', (mail) => mail.replace('Subject: ', 'SUBJECT: [EXTERNAL] ')],
    ['headers in front', (mail) => `Received: from x\n\tby y\nX-Subject: pawl\n${mail}`],
    ['quoted-printable', quotedPrintable],
    ['quoted-printable on the wire', (mail) => quotedPrintable(mail).replaceAll('\n', '\r\n')],
    ['quotation marks', (mail) => mail.replace(/(?<=\n\n).*/s, (body) => body.replaceAll(/^/gm, '> '))],
    ['blanks at the ends of lines', (mail) => mail.replaceAll(/(?<=[\w+/=])\n/g, ' \n')],
    ['a footer', (mail) => `${mail}\n-- \nThis mail was checked. AAAA\n-----BEGIN PAWL MESSAGE-----\n`],
  ])('reads it through %s', async (_, change) => {
    // Of each length that ends in another way in base64.
    for (const less of [0, 1, 2]) {
      const there = mailbox();
      const envelope = ENVELOPE.subarray(0, ENVELOPE.length - less);
      deliver(there.maildir, change(await mailOf(envelope)));
      const place = await placeOf(there);
      expect(await contentOf(place, A)).toEqual({ [nameOfEnvelope(envelope)]: Buffer.from(envelope) });
    }
  });

  it('gives what is broken as what it is, so that it is told and goes, and keeps nothing else back', async () => {
    const there = mailbox();
    const mail = await mailOf(ENVELOPE);
    const body = /(?<=BEGIN PAWL MESSAGE-----\n).*(?=\n-----END)/s;
    const broken = ['', 'AAAA', '!!!', 'A'.repeat(17), `${'A'.repeat(17)}B==`, `${'A'.repeat(18)}B=`];
    for (const [index, text] of broken.entries()) {
      deliver(there.maildir, mail.replace(NAME, nameOfPart(index)).replace(body, text), `1790000001.${index}.host`);
    }
    deliver(there.maildir, mail.replace(NAME, nameOfPart(8)).replace(/-----BEGIN.*/s, ''), '1790000001.8.host');
    deliver(there.maildir, mail, '1790000002.x.host');
    const place = await placeOf(there);
    const entries = await listed(place, [A]);
    const found = await read(place, entries);
    expect(found.slice(0, -1).map(({ bytes }) => `${Buffer.from(bytes)}`)).toEqual(
      Array(broken.length + 1).fill('no envelope\n'),
    );
    expect(Buffer.from(found.at(-1)?.bytes ?? '')).toEqual(Buffer.from(ENVELOPE));
    await place.remove(entries);
    expect(mailsIn(there.maildir)).toBe(0);
  });

  it('gives no envelope that is larger than any', async () => {
    const there = mailbox();
    const mail = await mailOf(ENVELOPE);
    const line = 'A'.repeat(64);
    const large = Array(Math.ceil((17 * 2 ** 20 + 11) / 48)).fill(line);
    deliver(there.maildir, mail.replace(/(?<=MESSAGE-----\n).*(?=\n-----END)/s, large.join('\n')));
    const place = await placeOf(there);
    expect((await read(place, await listed(place, [A]))).map(({ bytes }) => bytes.length)).toEqual([12]);
  });

  it('takes a mail that came twice as one, and removes both', async () => {
    const there = mailbox();
    const place = await placeOf(there);
    await put(place, A, ENVELOPE);
    await put(place, A, ENVELOPE);
    const entries = await listed(place, [A]);
    expect([entries.length, mailsIn(there.maildir)]).toEqual([1, 2]);
    expect(await read(place, entries)).toHaveLength(1);
    await place.remove(entries);
    expect(mailsIn(there.maildir)).toBe(0);
  });

  it('touches no other mail, and no file that is none', async () => {
    const there = mailbox();
    const mail = await mailOf(ENVELOPE);
    const outside = join(newFolder(), 'outside');
    writeFileSync(outside, mail);
    symlinkSync(outside, join(there.maildir, 'new', '1790000001.link.host'));
    const names = ['x=1', '-rf', '1 2', '1\n2', '1$(touch evil)', "1'", '1;x'];
    for (const name of names) deliver(there.maildir, mail, name);
    const other = [
      'Subject: lunch\n\nat noon?',
      `Subject: lunch\n\nSubject: pawl ${A} ${NAME} 300\n`,
      `X-Subject: pawl ${A} ${NAME} 300\n\n`,
      `Subject: pawl ${A} ${NAME}\n\n`,
      `Subject: pawl ${A} ${NAME} 0300\n\n`,
      `Subject: pawl ${A} ${NAME} 123456789\n\n`,
      `Subject: pawl ${A} ${NAME}0 300\n\n`,
      `Subject: pawl ${A}a ${NAME} 300\n\n`,
      `Subject: pawl ${A.slice(1)}1 ${NAME} 300\n\n`,
      `Subject: pawl ${A} ${NAME.slice(1)}g 300\n\n`,
      `Subject: spawl${A} ${NAME} 300\n\n`,
      '\n\n',
      '',
    ];
    for (const [index, text] of other.entries()) deliver(there.maildir, text, `1790000003.${index}.host`);
    const place = await placeOf(there);
    const before = readdirSync(there.maildir, { recursive: true }).sort();
    expect((await listed(place, [A, B])).map(({ name }) => name)).toEqual([]);
    expect(pawlMail('get', { where: there.maildir, input: `${A} ${NAME}\n` })).toEqual({
      exit: 0,
      stdout: '',
      stderr: '',
    });
    expect(pawlMail('ack', { where: there.maildir, input: `${A} ${NAME}\n` }).exit).toBe(0);
    expect(readdirSync(there.maildir, { recursive: true }).sort()).toEqual(before);
  });

  it('lists the oldest first, whatever folder of the Maildir they are in', async () => {
    const there = mailbox();
    const mail = await mailOf(ENVELOPE);
    for (const [index, file] of ['new/1790000003.a.host', 'cur/1790000001.b,S=9:2,S', 'new/1790000002.c'].entries()) {
      const path = join(there.maildir, file);
      writeFileSync(path, mail.replace(NAME, nameOfPart(index)));
      utimesSync(path, 1e9 - index, 1e9 - index);
    }
    const place = await placeOf(there);
    expect((await listed(place, [A])).map(({ name }) => name)).toEqual([1, 2, 0].map(nameOfPart));
  });

  const BAD_NAMES = ['', 'x', A, `../${A.slice(3)} ${NAME}`, `${A} ../${NAME.slice(3)}`, `${A.toUpperCase()} ${NAME}`];
  const WORSE_NAMES = [
    `${A}a ${NAME}`,
    `${A} ${NAME}0`,
    `${A.slice(1)}* ${NAME}`,
    `${A} ${'?'.repeat(32)}`,
    `-rf ${NAME}`,
  ];

  it.each([...BAD_NAMES, ...WORSE_NAMES, `${A.slice(1)}" ${NAME}`])(
    'sends and asks for nothing of the name %j',
    (name) => {
      const there = mailbox();
      const asked = { where: there.maildir, environment: { SENDMAIL: there.mailer } };
      const bytes = Buffer.concat([Buffer.from(`${name} 10\n`), Buffer.alloc(10, 'x')]);
      expect(pawlMail('put', { ...asked, input: bytes })).toMatchObject({ exit: 65, stdout: '' });
      for (const verb of ['list', 'get', 'ack'])
        expect(pawlMail(verb, { ...asked, input: `${name}\n` })).toEqual({ exit: 0, stdout: '', stderr: '' });
      expect(mailsIn(there.maildir)).toBe(0);
    },
  );

  it.each(['', '0', '-1', '300x', '0300', '17825803', '999999999', '$((300))'])(
    'sends nothing of the size %j',
    (size) => {
      const there = mailbox();
      const input = putInput(ENVELOPE, `${A} ${NAME} ${size}\n`);
      expect(pawlMail('put', { input, environment: { SENDMAIL: there.mailer } }).exit).toBe(65);
      expect(mailsIn(there.maildir)).toBe(0);
    },
  );

  it('sends nothing of what is cut off', () => {
    const there = mailbox();
    const environment = { SENDMAIL: there.mailer };
    const whole = putInput(ENVELOPE);
    for (const length of [0, 26, 62, 64, 66, 100, whole.length - 3, whole.length - 2, whole.length - 1]) {
      expect(pawlMail('put', { input: whole.subarray(0, length), environment }).exit, `${length}`).not.toBe(0);
    }
    expect(mailsIn(there.maildir)).toBe(0);
    expect(pawlMail('put', { input: whole, environment })).toEqual({ exit: 0, stdout: '', stderr: '' });
    expect(mailsIn(there.maildir)).toBe(1);
  });

  it.each([
    ['an address', { address: '-oQ/tmp' }],
    ['an address', { address: '' }],
    ['an address', { address: 'a b@example.org' }],
    ['an address', { address: 'a@example.org\nBcc: x' }],
    ['an address', { address: '$(touch evil)@x' }],
    ['a URL', { where: 'imaps://x/"\nurl=file:///etc/passwd' }],
    ['a URL', { where: 'imaps://x/{a,b}' }],
    ['a Maildir', { where: newFolderName() }],
  ])('refuses what is not %s: %j', (what, asked) => {
    const verb = what === 'a Maildir' ? 'list' : 'put';
    const environment = { SENDMAIL: 'false' };
    const { exit, stdout, stderr } = pawlMail(verb, { ...asked, input: `${A}\n`, environment });
    expect([exit, stdout]).toEqual([65, '']);
    expect(stderr).toMatch(/no (address|URL|Maildir)\n$/);
  });

  it('does nothing but its verbs', () => {
    expect(pawlMail('sh', { where: mailbox().maildir })).toMatchObject({ exit: 65, stdout: '' });
  });

  it.each(['put', 'list', 'get', 'ack'])('fails where what it runs fails: %s', async (verb) => {
    const asked = { where: `imaps://u0@localhost:${await freePort()}/INBOX`, environment: { SENDMAIL: 'false' } };
    const lines = verb === 'list' ? `${A}\n` : `${A} ${NAME}\n`;
    const input = verb === 'put' ? putInput(ENVELOPE) : lines;
    expect(pawlMail(verb, { ...asked, input })).toMatchObject({ exit: 1, stdout: '' });
    const folder = newFolder();
    writeFileSync(join(folder, 'curl'), '#!/bin/sh\nexit 127\n', { mode: 0o755 });
    const environment = { ...asked.environment, PATH: `${folder}:${process.env.PATH}` };
    expect(pawlMail(verb, { ...asked, environment, input })).toMatchObject({ exit: 1, stdout: '' });
  });
});

/** Nothing is there. */
function newFolderName(): string {
  return join('/nowhere', 'at all');
}

const [TITLE, isSkipped] = needingMail('pawl-mail with a Postfix and a Dovecot');

it('takes no word of a server for what a mail is called, and no password in a URL', () => {
  const folder = newFolder();
  const log = join(folder, 'log');
  const hostile = `Subject: pawl ${A} ${NAME} 300\r\n= ${'0'.repeat(32)} ../../evil 0\n\n= 5 0\n= ${'0'.repeat(32)} ${B} ${NAME} 0\n`;
  writeFileSync(join(folder, 'hostile'), hostile);
  // A curl that does what it is asked, and a server that does not.
  const curl = `#!/bin/sh
    asked=$(cat); printf '%s\\n' "$asked" >> ${log}
    case $asked in
    *'FETCH *'*) echo '* 5 FETCH (UID 5)' ;;
    *SEARCH*) printf '* SEARCH 5 x ../../evil\\r\\n' ;;
    *ENVELOPE*) echo '* 5 FETCH (UID 77 ENVELOPE ("" "pawl ${A} ${NAME} 300"))' ;;
    *) cat ${folder}/hostile ;;
    esac
    printf '%s\\n' "$asked" | sed -n 's/^write-out = "\\\\n\\(.*\\) %{exitcode}.*/\\n\\1 0/p'\n`;
  writeFileSync(join(folder, 'curl'), curl, { mode: 0o755 });
  const environment = { PATH: `${folder}:${process.env.PATH}` };
  const answers = { list: `${A} ${NAME} 300\n`, get: `${A} ${NAME} 12\nno envelope\n`, ack: '' };
  for (const [verb, stdout] of Object.entries(answers)) {
    const asked = { input: verb === 'list' ? `${A}\n` : `${A} ${NAME}\n`, environment };
    const answered = pawlMail(verb, { ...asked, where: 'imaps://alice@localhost/x' });
    expect(answered, verb).toMatchObject({ exit: 0, stdout });
    expect(pawlMail(verb, { ...asked, where: 'imaps://alice:secret@localhost/x' }).exit).toBe(65);
  }
  const asked = readFileSync(log, 'latin1');
  expect(asked).toContain('UID STORE 5 ');
  expect(asked).not.toMatch(/evil|\b77\b/);
});

it('says that it failed where a server breaks off at any request', () => {
  const folder = newFolder();
  const curl = `#!/bin/sh
    asked=$(cat)
    case $asked in *"$BREAKS"*) exit 56 ;; esac
    case $asked in
    *'FETCH *'*) echo '* 5 FETCH (UID 5)' ;;
    *SEARCH*) echo '* SEARCH 5' ;;
    *ENVELOPE*) echo '* 5 FETCH (UID 5 ENVELOPE ("" "pawl ${A} ${NAME} 300"))' ;;
    *TEXT*) echo 'half of' ;;
    esac
    printf '%s\\n' "$asked" | sed -n 's/^write-out = "\\\\n\\(.*\\) %{exitcode}.*/\\n\\1 0/p'\n`;
  writeFileSync(join(folder, 'curl'), curl, { mode: 0o755 });
  const breaks = { list: ['FETCH *', 'SEARCH', 'UID'], get: ['FETCH *', 'SEARCH', 'TEXT'], ack: ['SEARCH', 'STORE'] };
  for (const [verb, requests] of Object.entries(breaks)) {
    for (const BREAKS of ['none', ...requests]) {
      const environment = { PATH: `${folder}:${process.env.PATH}`, BREAKS };
      const input = verb === 'list' ? `${A}\n` : `${A} ${NAME}\n`;
      const { exit, stdout } = pawlMail(verb, { input, where: 'imaps://alice@localhost/x', environment });
      expect([exit, BREAKS === 'none' || stdout === ''], `${verb}: ${BREAKS}`).toEqual([
        BREAKS === 'none' ? 0 : 1,
        true,
      ]);
    }
  }
});

it('asks for a hundred mails in one request, and tells each at once', async () => {
  const folder = newFolder();
  const log = join(folder, 'log');
  // A server that never answers the second hundred.
  const curl = `#!/bin/sh
    asked=$(cat); printf '%s\\n' "$asked" >> ${log}
    case $asked in
    *'FETCH *'*) echo '* 150 FETCH (UID 150)' ;;
    *SEARCH*) echo "* SEARCH $(seq -s ' ' 150)" ;;
    *) for uid in $(seq 100); do printf '* %d FETCH (UID %d ENVELOPE ("" "pawl ${A} %032x 300"))\\n' $uid $uid $uid; done
      exec sleep 300 ;;
    esac
    printf '%s\\n' "$asked" | sed -n 's/^write-out = "\\\\n\\(.*\\) %{exitcode}.*/\\n\\1 0/p'\n`;
  writeFileSync(join(folder, 'curl'), curl, { mode: 0o755 });
  const env = { PATH: `${folder}:${process.env.PATH}` };
  const child = spawn(PAWL_MAIL, [ADDRESS, 'imaps://alice@localhost/x', 'list'], { env, detached: true });
  try {
    child.stdin.end(`${A}\n`);
    let told = '';
    for await (const chunk of child.stdout) {
      told += chunk;
      if (told.split('\n').length > 50) break;
    }
    expect(told).toContain(`${A} ${'0'.repeat(31)}1 300\n`);
    expect(readFileSync(log, 'latin1').match(/ENVELOPE/g)).toHaveLength(2);
  } finally {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  }
});

describe.skipIf(isSkipped)(TITLE, () => {
  let server: MailServer;

  beforeAll(async () => {
    server = await MailServer.start();
  });
  afterAll(async () => {
    await server?.end();
  });

  type Inbox = ReturnType<MailServer['newUser']>;

  /** A place at which `put` waits until the mail has come. */
  async function slowly({ address, maildir }: Inbox, where: string): Promise<Place> {
    const environment = { PATH: process.env.PATH ?? '', ...server.settle(newFolder()) };
    const command = `${PAWL_MAIL} ${address} '${where}'`;
    const place = await openPlace({ kind: 'exec', command }, contextWith({ environment, ...PATIENCE }));
    const send = place.put.bind(place);
    return Object.assign(place, {
      put: async (...what: Parameters<Place['put']>) => {
        const count = mailsIn(maildir);
        await send(...what);
        await arrived(maildir, count + 1);
      },
    });
  }

  keepsTheContract('exec, by pawl-mail with an IMAP server', async () => {
    const inbox = server.newUser();
    return () => slowly(inbox, inbox.imap);
  });

  it.each(['maildir', 'imap'] as const)('carries an envelope of the largest size into the %s', async (way) => {
    const inbox = server.newUser();
    const place = await slowly(inbox, inbox[way]);
    const large = envelopeWith(3, 2 ** 24);
    await put(place, A, large);
    const { [nameOfEnvelope(large)]: found = Buffer.alloc(0) } = await contentOf(place, A);
    expect(found.equals(large)).toBe(true);
  });

  it('sees and removes nothing else in a folder of IMAP', async () => {
    const inbox = server.newUser();
    const place = await slowly(inbox, inbox.imap);
    await put(place, A, ENVELOPE);
    const mail = readFileSync(join(inbox.maildir, 'new', readdirSync(join(inbox.maildir, 'new'))[0] ?? ''), 'latin1');
    const others = [
      `Subject: about ${A} ${NAME}\n\nx`,
      `Subject: lunch\n\npawl ${A} ${NAME} 300`,
      `Subject: {9}\r\n = x 0\r\n\r\n* SEARCH 1 2 3\n= ${A} ${NAME} 0\n`,
      mail.replaceAll(A, B),
    ];
    for (const [index, text] of others.entries()) deliver(inbox.maildir, text, `179000000${index}.x.host`);
    const entries = await listed(place, [A]);
    expect(entries).toMatchObject([{ box: A, name: NAME, size: ENVELOPE.length }]);
    expect((await read(place, entries)).map(({ bytes }) => Buffer.from(bytes))).toEqual([Buffer.from(ENVELOPE)]);
    await place.remove(entries);
    expect(await listed(place, [A])).toEqual([]);
    expect(await listed(place, [B])).toHaveLength(1);
    expect(mailsIn(inbox.maildir)).toBe(others.length);
  });

  it('lists a backlog of a folder of IMAP in few requests, whatever else their heads say', async () => {
    const inbox = server.newUser();
    const where = { where: inbox.imap, environment: server.settle(newFolder()) };
    const mail = (index: number, from = 'x@y') => `From: ${from}\nSubject: pawl ${A} ${nameOfPart(index)} 300\n\n`;
    for (let index = 0; index < 1_200; index++) deliver(inbox.maildir, mail(index), `${1790000000 + index}.x.host`);
    // What is no one line, or one without an end, in the answer of a server.
    const odd = ['"a \\"UID 1 b" <x@y>', 'caf\xe9 <x@y>', `${'x, '.repeat(9_000)}y@z`];
    for (const [index, from] of odd.entries())
      deliver(inbox.maildir, mail(1_200 + index, from), `179000${1_200 + index}.x.host`);
    const { exit, stdout } = pawlMail('list', { ...where, input: `${A}\n${B}\n` });
    const all = Array.from({ length: 1_203 }, (_, index) => `${A} ${nameOfPart(index)} 300`);
    expect([exit, stdout.trim().split('\n').sort()]).toEqual([0, all.sort()]);
    const asked = Array.from({ length: 130 }, (_, index) => `${A} ${nameOfPart(1_202 - 9 * index)}\n`).join('');
    expect(pawlMail('ack', { ...where, input: asked })).toMatchObject({ exit: 0, stdout: '' });
    expect(mailsIn(inbox.maildir)).toBe(1_073);
  });

  /** An alice who takes in by IMAP, and a bob with a Maildir, whose routes are mail. */
  async function couple(home: Home) {
    await meet(home);
    const environment = server.settle(home.folder);
    const [alice, bob] = [server.newUser(), server.newUser()];
    await home.prepare(
      `set -e; pawl -i alice route bob 'exec:${PAWL_MAIL} ${bob.address} ${alice.imap}'
      pawl -i bob route alice 'exec:${PAWL_MAIL} ${alice.address} ${bob.maildir}'`,
      { environment },
    );
    return { alice, bob, run: (command: string) => home.run(command, { environment }) };
  }

  it('carries a conversation, and what is sent while the server is away goes with the next command', () =>
    inHome(async (home) => {
      const { alice, bob, run } = await couple(home);
      deliver(bob.maildir, 'Subject: lunch\n\nat noon?', '1.lunch.host');
      expect((await run('pawl -i alice send bob -m one')).stderr).toContain('handed over to exec:');
      await arrived(bob.maildir, 2);
      expect(await run('pawl -i bob recv --fetch --lines')).toMatchObject({ exit: 0, stdout: Buffer.from('one\n') });
      expect(mailsIn(bob.maildir)).toBe(1);
      await run('pawl -i bob send alice -m answer');
      await arrived(alice.maildir, 1);
      await server.stopDovecot();
      expect(await run('pawl -i alice recv --fetch')).toMatchObject({ exit: 69, stdout: Buffer.alloc(0) });
      await server.startDovecot();
      const fetched = await run('pawl -i alice recv --fetch --lines');
      expect(fetched).toMatchObject({ exit: 0, stdout: Buffer.from('answer\n') });
      expect(mailsIn(alice.maildir)).toBe(0);
      await server.stopPostfix();
      const away = await run('pawl --json -i alice send bob -m two');
      expect([away.exit, `${away.stdout}${away.stderr}`]).toEqual([69, expect.stringContaining('"queued":true')]);
      await server.startPostfix();
      await run('pawl -i alice send bob -m three');
      await arrived(bob.maildir, 3);
      // Each of them can be read by hand as well, and is known then.
      const byHand = await run(
        `cd ${bob.maildir}/new; pawl -i bob recv --lines "$(grep -l 'Subject: pawl' * | head -n 1)"`,
      );
      const rest = await run('pawl -i bob recv --fetch --lines');
      expect([byHand, rest].map(({ stdout }) => stdout.toString()).sort()).toEqual(['three\n', 'two\n']);
      expect(readFileSync(join(bob.maildir, 'new', '1.lunch.host'), 'utf8')).toContain('at noon?');
      expect(mailsIn(bob.maildir)).toBe(1);
      expect(home.files('.tmp')).toEqual([]);
    }));

  it('is told by the server of an address that is none', () =>
    inHome(async (home) => {
      const { bob, run } = await couple(home);
      await run(`pawl -i alice route bob 'exec:${PAWL_MAIL} nobody@example.org ${bob.maildir}'`);
      expect((await run('pawl -i alice send bob -m one')).exit).toBe(69);
      expect((await run('pawl -i alice outbox 2>&1')).stdout.toString()).toContain('bob');
    }));

  it.each(['maildir', 'imap'] as const)('tells each text once, wherever who fetches from the %s is killed', (way) =>
    inHome(async (home) => {
      const { bob, run } = await couple(home);
      // Does what it is asked, and kills pawl at the call of a number: before that, or after it.
      home.write(
        'place.sh',
        `n=$(($(cat calls) + 1)); echo $n > calls
        [ "$n" != "$KILL_BEFORE" ] || { kill -9 $(cat pid); exit 1; }
        '${PAWL_MAIL}' ${bob.address} '${bob[way]}' "$1"; code=$?
        [ "$n" != "$KILL_AFTER" ] || kill -9 $(cat pid)
        exit $code\n`,
      );
      await run(`echo 0 > calls; pawl -i bob route alice 'exec:cd ${home.folder} && sh place.sh'`);
      await run('for text in 1 2; do pawl -i alice send bob -m $text; done');
      await arrived(bob.maildir, 2);
      // A server gives a mail twice.
      const folder = join(bob.maildir, 'new');
      const [first = ''] = readdirSync(folder);
      deliver(bob.maildir, readFileSync(join(folder, first), 'latin1'), '1790000009.copy.host');
      const told: string[] = [];
      const deaths: number[] = [];
      const fetch = async (when: string) => {
        const { stdout, exit } = await run(
          `echo 0 > calls; ${when} bash -c 'echo $$ > pid; exec pawl -i bob recv --fetch --lines'`,
        );
        told.push(...stdout.toString().split('\n').filter(Boolean));
        if (exit === 137) deaths.push(exit);
        else expect(exit).toBe(0);
      };
      for (const call of [1, 2, 3]) for (const side of ['BEFORE', 'AFTER']) await fetch(`KILL_${side}=${call}`);
      await fetch('');
      expect(told.sort()).toEqual(['1', '2']);
      expect(deaths.length).toBeGreaterThanOrEqual(5);
      expect(mailsIn(bob.maildir)).toBe(0);
    }),
  );
});
