import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { makeNats } from '../../src/places/nats-place.ts';
import { answer, answering, fake, INFO } from './fake-nats.ts';
import { BOX, context, envelope, listed, nameOf, OTHER, open, operationsOf, read, routeTo } from './nats-relay.ts';
import { NatsServer, noServer } from './nats-server.ts';
import { freePort } from './servers.ts';

/** The path of the place as one file, in a folder from which no package is found. */
async function bundled(external: string[]): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'pawl-nats-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const outfile = join(folder, 'place.cjs');
  const entryPoints = [join(import.meta.dirname, '..', '..', 'src', 'places', 'nats-place.ts')];
  await build({ entryPoints, outfile, external, bundle: true, platform: 'node', format: 'cjs', logLevel: 'error' });
  return outfile;
}

/** What a program in a process of its own says, and its exit code. */
async function runs(program: string): Promise<readonly [string, unknown]> {
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const code = await new Promise((resolve) => child.once('close', resolve));
  return [said, code];
}

beforeEach(({ skip }) => {
  if (noServer !== undefined) skip(noServer);
});

const JETSTREAM = 'jetstream: {store_dir: "FOLDER/store"}';

describe('who may do what', () => {
  const RELAY = `${JETSTREAM}
    authorization: {
      users: [
        {user: keeper, password: kept}
        {user: alarm, password: rings, permissions: {publish: ["pawl.*"], subscribe: ["_INBOX.>"]}}
        {user: reader, password: reads, permissions: {
          publish: ["pawl.*", "$JS.API.STREAM.INFO.PAWL", "$JS.API.STREAM.MSG.GET.PAWL", "$JS.API.STREAM.MSG.DELETE.PAWL",
            "$JS.API.CONSUMER.CREATE.PAWL.>", "$JS.API.CONSUMER.MSG.NEXT.PAWL.>", "$JS.API.CONSUMER.DELETE.PAWL.>"]
          subscribe: ["_INBOX.>", "pawl.*"]}}
        {user: looker, password: looks, permissions: {
          publish: ["$JS.API.STREAM.INFO.PAWL", "$JS.API.STREAM.MSG.GET.PAWL"], subscribe: ["_INBOX.>"]}}
      ]
    }`;
  const as = (user: string, password: string) => ({ environment: { NATS_USER: user, NATS_PASSWORD: password } });

  async function relay() {
    const server = await NatsServer.start(RELAY);
    await makeNats(routeTo(server.url), { create: true }, context(as('keeper', 'kept')));
    return server;
  }

  it('who may only send sends, and can neither read nor remove nor follow', async () => {
    const server = await relay();
    await makeNats(routeTo(server.url), { create: false }, context(as('alarm', 'rings')));
    const alarm = await open(server.url, as('alarm', 'rings'));
    await alarm.put(BOX, nameOf(1), envelope(1));

    const reader = await open(server.url, as('reader', 'reads'));
    const entries = await listed(reader);
    expect(await read(reader, entries)).toHaveLength(1);

    const unreachable = (reason: string) => ({ code: 'unreachable', detail: { place: server.url, reason } });
    await expect(listed(alarm)).rejects.toMatchObject(unreachable('it does not let this user ask for STREAM.INFO'));
    await expect(read(alarm, entries)).rejects.toMatchObject(
      unreachable('it does not let this user ask for STREAM.MSG.GET'),
    );
    await expect(alarm.remove(entries)).rejects.toMatchObject({ code: 'unreachable' });
    await expect(alarm.wait([BOX], new AbortController().signal)).rejects.toMatchObject({ code: 'unreachable' });
    await expect(makeNats(routeTo(server.url), { create: true }, context(as('alarm', 'rings')))).rejects.toMatchObject({
      code: 'unreachable',
    });
    // And it is still good for what is allowed.
    await alarm.put(BOX, nameOf(2), envelope(2));
    expect(await listed(reader)).toHaveLength(2);
  });

  it('who has the rights of a reader can do everything but make streams', async () => {
    const server = await relay();
    const reader = await open(server.url, as('reader', 'reads'));
    for (let n = 0; n < 10; n++) await reader.put(BOX, nameOf(n), envelope(n));
    const entries = await listed(reader);
    expect(await read(reader, entries)).toHaveLength(10);
    expect(await reader.remove(entries)).toEqual([]);
    const waiting = reader.wait([BOX], new AbortController().signal);
    await reader.put(BOX, nameOf(1), envelope(1));
    await waiting;
  });

  it('who may not remove is told so for each, and who may not listen looks often', async () => {
    const server = await relay();
    const keeper = await open(server.url, as('keeper', 'kept'));
    await keeper.put(BOX, nameOf(1), envelope(1));
    const looker = await open(server.url, as('looker', 'looks'));
    const entries = await listed(looker);
    expect(await looker.remove(entries)).toEqual(
      entries.map((entry) => ({ entry, reason: 'it does not let this user ask for STREAM.MSG.DELETE' })),
    );
    await expect(looker.put(BOX, nameOf(1), envelope(1))).rejects.toMatchObject({
      detail: { reason: 'it does not let this user put envelopes there' },
    });
    const waiting = looker.wait([BOX], new AbortController().signal);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await keeper.put(BOX, nameOf(2), envelope(2));
    const begun = performance.now();
    await waiting;
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('accounts keep people apart, and one may let another send into its boxes', async () => {
    const account = (name: string, more: string) => `${name}: {users: [{user: ${name}, password: ${name}}], ${more}}`;
    const server = await NatsServer.start(`${JETSTREAM}
      accounts: {
        ${account('family', 'jetstream: enabled')}
        ${account('duty', 'jetstream: enabled, exports: [{service: "pawl.*", accounts: [alarm]}]')}
        ${account('alarm', 'imports: [{service: {account: duty, subject: "pawl.*"}}]')}
      }`);
    for (const name of ['family', 'duty'])
      await makeNats(routeTo(server.url), { create: true }, context(as(name, name)));
    const [family, duty, alarm] = await Promise.all(
      ['family', 'duty', 'alarm'].map((name) => open(server.url, as(name, name))),
    );
    if (!family || !duty || !alarm) throw new Error('three places');
    await family.put(BOX, nameOf(1), envelope(1));
    await alarm.put(BOX, nameOf(2), envelope(2));
    expect((await listed(family)).map(({ name }) => name.slice(0, 32))).toEqual([nameOf(1)]);
    expect((await listed(duty)).map(({ name }) => name.slice(0, 32))).toEqual([nameOf(2)]);
    await expect(listed(alarm)).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('credentials', () => {
  const user = `${JETSTREAM}\nauthorization: {user: alice, password: "se:cret"}`;

  it.each([
    ['a file with USER:PASSWORD', user, 'alice:se:cret\n'],
    ['a file with a token', `${JETSTREAM}\nauthorization: {token: "a-token"}`, '# the token of the relay\na-token\n'],
    [
      'a file with an nkey seed',
      `${JETSTREAM}\nauthorization: {users: [{nkey: UCXEI5M3WYTK5VHJ3PMOPMRZ4GSM6ZW6WBCDJ7DLDBVU2EM6F6QTNJHG}]}`,
      '',
    ],
  ])('%s', async (_, config, content) => {
    const { nkeys } = await import('@nats-io/transport-node');
    const pair = nkeys.createUser();
    const seed = new TextDecoder().decode(pair.getSeed());
    const server = await NatsServer.start(config.replace(/UC\w{54}/, pair.getPublicKey()));
    writeFileSync(server.path('creds'), content || `${seed}\n`);
    await makeNats(routeTo(server.url, server.path('creds')), { create: true }, context());
    for (const [given, credentials] of [
      [{}, server.path('creds')],
      [{ environment: { NATS_CREDS: server.path('creds') } }, undefined],
      [{ environment: { NATS_NKEY: server.path('creds') } }, undefined],
      [{ environment: { NATS_CREDS: '/none', NATS_USER: 'x', NATS_PASSWORD: 'y' } }, server.path('creds')],
    ] as const) {
      const place = await open(server.url, given, credentials);
      await place.put(BOX, nameOf(1), envelope(1));
    }
  });

  it('a file with a JWT and its seed', async () => {
    const { nkeys } = await import('@nats-io/transport-node');
    const [operator, system, account, person] = [
      nkeys.createOperator(),
      nkeys.createAccount(),
      nkeys.createAccount(),
      nkeys.createUser(),
    ];
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const jwt = (signer: typeof operator, subject: typeof operator, nats: Record<string, unknown>) => {
      const head = encode({ typ: 'JWT', alg: 'ed25519-nkey' });
      const claims = {
        jti: 'x',
        iat: 1_700_000_000,
        iss: signer.getPublicKey(),
        sub: subject.getPublicKey(),
        name: 'x',
      };
      const signed = `${head}.${encode({ ...claims, nats: { ...nats, version: 2 } })}`;
      return `${signed}.${Buffer.from(signer.sign(new TextEncoder().encode(signed))).toString('base64url')}`;
    };
    const all = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 };
    const storage = { mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 };
    const accountJwt = jwt(operator, account, { type: 'account', limits: { ...all, ...storage } });
    const server = await NatsServer.start(`${JETSTREAM}
      operator: ${jwt(operator, operator, { type: 'operator' })}
      resolver: MEMORY
      system_account: ${system.getPublicKey()}
      resolver_preload: {
        ${account.getPublicKey()}: ${accountJwt}
        ${system.getPublicKey()}: ${jwt(operator, system, { type: 'account', limits: all })}
      }`);
    const userJwt = jwt(account, person, { type: 'user', pub: {}, sub: {}, subs: -1, data: -1, payload: -1 });
    const seed = new TextDecoder().decode(person.getSeed());
    const block = (title: string, text: string) => `-----BEGIN ${title}-----\n${text}\n------END ${title}------\n\n`;
    writeFileSync(server.path('creds'), block('NATS USER JWT', userJwt) + block('USER NKEY SEED', seed));
    await makeNats(routeTo(server.url, server.path('creds')), { create: true }, context());
    const place = await open(server.url, {}, server.path('creds'));
    await place.put(BOX, nameOf(1), envelope(1));
    expect(await listed(place)).toHaveLength(1);
  });

  it('that are missing, wrong or unreadable are told, and never shown', async () => {
    const server = await NatsServer.start(user);
    const refused = { code: 'unreachable', detail: { reason: 'it refuses the credentials, or wants some' } };
    await expect(listed(await open(server.url))).rejects.toMatchObject(refused);
    for (const [name, content] of [
      ['wrong', 'alice:hunter2'],
      ['several', 'hunter2\nhunter2\n'],
      ['empty', ''],
      ['odd', '-----BEGIN NATS USER JWT-----\nhunter2\n'],
    ] as const) {
      writeFileSync(server.path(name), content);
      const thrown = await open(server.url, {}, server.path(name))
        .then(listed, (error) => Promise.reject(error))
        .catch((error) => error);
      const unreadable = expect.stringContaining(`its credentials in ${server.path(name)} cannot be read: `);
      expect(thrown).toMatchObject(
        name === 'wrong' ? refused : { code: 'unreachable', detail: { reason: unreadable } },
      );
      expect(JSON.stringify([thrown.detail, thrown.message])).not.toContain('hunter2');
    }
    await expect(open(server.url, {}, server.path('none'))).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: expect.stringContaining('there is no such file') },
    });
  });
});

describe('TLS', () => {
  async function encrypted(more = '') {
    const server = await NatsServer.start(
      `${JETSTREAM}\ntls: {cert_file: "FOLDER/cert.pem", key_file: "FOLDER/key.pem", ${more}}`,
      (folder) => {
        const openssl = (...words: string[]) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });
        const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
        openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=a relay', '-days', '2');
        for (const [name, hosts] of [
          ['', 'DNS:localhost'],
          ['client-', 'DNS:alice'],
        ] as const) {
          openssl('req', ...key, '-keyout', `${name}key.pem`, '-out', 'request', '-subj', '/CN=alice');
          writeFileSync(join(folder, 'names'), `subjectAltName=${hosts}`);
          const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2'];
          openssl('x509', '-req', '-in', 'request', ...by, '-out', `${name}cert.pem`, '-extfile', 'names');
        }
      },
    );
    return server;
  }

  it('is used where the server has it; its certificate must be signed by who is known', async () => {
    const server = await encrypted();
    const ca = { environment: { NATS_CA: server.path('ca.pem') } };
    const url = `nats://localhost:${server.port}`;
    await makeNats(routeTo(url), { create: true }, context(ca));
    const place = await open(url, ca);
    const large = new Uint8Array(1_000_000).fill(5);
    await place.put(BOX, nameOf(1), large);
    const [delivery] = await read(place, await listed(place));
    expect(Buffer.compare(delivery?.bytes ?? new Uint8Array(), large)).toBe(0);
    await expect(listed(await open(url))).rejects.toMatchObject({
      code: 'unreachable',
      detail: { place: url, reason: expect.stringContaining('NATS_CA') },
    });
    // By a name that is not in the certificate.
    await expect(listed(await open(server.url, ca))).rejects.toMatchObject({
      detail: { reason: 'its certificate is for another host' },
    });
  });

  it('is with a certificate of our own where the server asks for one', async () => {
    const server = await encrypted('ca_file: "FOLDER/ca.pem", verify: true');
    const [NATS_CA, NATS_CERT, NATS_KEY] = [
      server.path('ca.pem'),
      server.path('client-cert.pem'),
      server.path('client-key.pem'),
    ];
    const url = `nats://localhost:${server.port}`;
    await makeNats(routeTo(url), { create: true }, context({ environment: { NATS_CA, NATS_CERT, NATS_KEY } }));
    await expect(listed(await open(url, { environment: { NATS_CA } }))).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describe('a server that', () => {
  it('does not listen is told', async () => {
    const place = await open(`nats://127.0.0.1:${await freePort()}`);
    await expect(listed(place)).rejects.toMatchObject({
      code: 'unreachable',
      detail: { reason: 'nothing listens there' },
    });
  });

  it.each<[string, (socket: Socket) => void]>([
    ['says nothing', () => undefined],
    ['does not finish its greeting', (socket) => socket.write('INFO {"server_id')],
    ['does not answer the greeting', (socket) => socket.write(INFO)],
    ['answers no request', answering(() => '')],
  ])('%s is given up after the time limit, by all operations', async (_, talk) => {
    const place = await open(await fake(talk), { timeLimit: 300 });
    const silent = { code: 'unreachable', detail: { reason: 'it did not answer for 0.3 s' } };
    const begun = performance.now();
    for (const operation of operationsOf(place)) {
      await expect(operation()).rejects.toMatchObject(silent);
    }
    expect(performance.now() - begun).toBeLessThan(10_000);
  });

  it('falls silent after a pause is given up as well', async () => {
    const server = await NatsServer.start();
    await makeNats(routeTo(server.url), { create: true }, context());
    const place = await open(server.url, { timeLimit: 1_500 });
    await place.put(BOX, nameOf(1), envelope(1));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await place.put(BOX, nameOf(2), envelope(2));
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await server.pause();
    await expect(place.put(BOX, nameOf(3), envelope(3))).rejects.toMatchObject({ code: 'unreachable' });
    server.signal('SIGCONT');
    await place.put(BOX, nameOf(4), envelope(4));
  });

  it('answers late is awaited for what may still be on its way, and for nothing else', async () => {
    const late = answering((reply, _, __, socket) => {
      setTimeout(() => socket.write(answer(reply, '{"stream":"PAWL","seq":1}')), 1_000);
      return '';
    });
    const place = await open(await fake(late), { timeLimit: 400 });
    await expect(place.put(BOX, nameOf(1), envelope(1))).rejects.toMatchObject({
      detail: { reason: 'it did not answer for 0.4 s' },
    });
    await place.put(BOX, nameOf(1), envelope(1, 2 ** 19));
    await expect(place.put(BOX, nameOf(2), envelope(2))).rejects.toMatchObject({ code: 'unreachable' });
  });

  it.each<[string, (socket: Socket) => void]>([
    ['is another kind of server', (socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n')],
    ['greets with something else', (socket) => socket.write('INFO nonsense\r\n')],
    ['hangs up', (socket) => socket.end()],
    ['talks nonsense later', answering(() => 'nonsense\r\n\r\n')],
    ['says nonsense of itself later', answering(() => 'INFO nonsense\r\n')],
    ['answers no JSON', answering((reply) => answer(reply, 'nonsense'))],
    ['answers null', answering((reply) => answer(reply, 'null'))],
    ['answers nothing of what was asked', answering((reply) => answer(reply, '{}'))],
    ['says of it what cannot be', answering((reply) => answer(reply, '{"created":"x","state":{"messages":-1}}'))],
    ['acknowledges for another stream', answering((reply) => answer(reply, '{"stream":"OTHER","seq":1}'))],
    ['knows it already', answering((reply) => answer(reply, '{"stream":"PAWL","seq":1,"duplicate":true}'))],
    [
      'gives the messages of another box',
      answering((reply, line) =>
        answer(
          reply,
          line.includes('INFO')
            ? '{"created":"x","state":{"messages":9,"first_seq":1,"last_seq":9}}'
            : `{"message":{"subject":"pawl.${OTHER}","seq":1,"data":"AAAAAAAAAAAAAAAAAAAAAAAAAAA="}}`,
        ),
      ),
    ],
    [
      'gives the same message for ever',
      answering((reply, line) =>
        answer(
          reply,
          line.includes('INFO')
            ? '{"created":"x","state":{"messages":9,"first_seq":1,"last_seq":9}}'
            : `{"message":{"subject":"pawl.${BOX}","seq":1,"data":"AAAAAAAAAAAAAAAAAAAAAAAAAAA="}}`,
        ),
      ),
    ],
  ])('%s is not believed', async (_, talk) => {
    const place = await open(await fake(talk), { timeLimit: 500 });
    await expect(place.put(BOX, nameOf(1), envelope(1))).rejects.toMatchObject({ code: 'unreachable' });
    await expect(listed(place)).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('is not on this machine must encrypt', async () => {
    const { connectTo, loadPackage } = await import('../../src/places/nats-client.ts');
    const { port } = new URL(await fake(answering(() => '')));
    // The name of a host elsewhere that leads here.
    const address = { host: '0.0.0.0', port: Number(port), shown: 'nats://elsewhere' };
    const options = { timeLimit: 1_000, signal: new AbortController().signal };
    await expect(connectTo(await loadPackage(), address, { certificates: {} }, options)).rejects.toThrow(/'tls'/);
    const place = await open(`nats://0.0.0.0:${port}`, { timeLimit: 1_000 });
    await expect(listed(place)).rejects.toMatchObject({
      detail: { reason: 'it has no TLS, without which only this machine is talked to' },
    });
  });

  it('wants TLS, and says more before it, is not talked to: that may be by somebody on the way', async () => {
    const heard: Buffer[] = [];
    const talk = (socket: Socket) => {
      socket.write(`${INFO.replace('"proto":1', '"proto":1,"tls_required":true')}MSG x 1 0\r\n\r\n`);
      socket.on('data', (bytes) => heard.push(bytes));
    };
    const place = await open(await fake(talk), { timeLimit: 5_000 });
    await expect(listed(place)).rejects.toMatchObject({ detail: { reason: 'it does not answer as a NATS server' } });
    expect(heard).toEqual([]);
  });

  it.each<[string, 'at once' | 'later' | 'when it has given up', (socket: Socket) => void]>([
    ['says nothing', 'at once', () => undefined],
    ['says nothing', 'later', () => undefined],
    ['says nothing', 'when it has given up', () => undefined],
    ['answers no request', 'at once', answering(() => '')],
    ['answers no request', 'later', answering(() => '')],
  ])('%s does not keep a process that closes %s from ending', async (_, when, talk) => {
    const url = await fake(talk);
    const outfile = await bundled([]);
    const program = `
      const context = { environment: {}, now: Date.now, random: (length) => new Uint8Array(length), timeLimit: ${when === 'when it has given up' ? 100 : 20_000} };
      require(${JSON.stringify(outfile)}).openNats({ kind: 'nats', url: '${url}' }, context).then(async (place) => {
        const listing = place.list(['${BOX}'], { entries: 1, bytes: 1 }).next().catch(({ code }) => console.log(code));
        if (${when !== 'at once'}) await new Promise((resolve) => setTimeout(resolve, 500));
        await place.close();
        await listing;
      });`;
    const begun = performance.now();
    const [said, code] = await runs(program);
    expect([said, code]).toEqual(['unreachable\n', 0]);
    expect(performance.now() - begun).toBeLessThan(8_000);
  });
});

it('where the package is not installed, that is told', async () => {
  const outfile = await bundled(['@nats-io/transport-node']);
  const program = `
    require(${JSON.stringify(outfile)}).openNats({ kind: 'nats', url: 'nats://localhost' }, { environment: {} })
      .catch(({ code, detail }) => console.log(code, detail.part, detail.why));`;
  expect(await runs(program)).toEqual(['no-addon the NATS client missing\n', 0]);
});
