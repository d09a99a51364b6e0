import {
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket, connect as tcpTo } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket, connect as tlsTo } from 'node:tls';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { databaseAddress } from '../../../src/storage/postgres/address.ts';
import { ServerClient } from '../../../src/storage/postgres/server-client.ts';
import { freePort } from '../../places/servers.ts';
import { Authority, type Certificate } from './certificates.ts';
import { noServer, PostgresServer } from './server.ts';

/** An address of this machine that is not loopback. */
const OWN = Object.values(networkInterfaces())
  .flat()
  .find((one) => one?.family === 'IPv4' && !one.internal)?.address;

/** SSLRequest (PostgreSQL manual, 55.7). */
const REQUEST = Buffer.from('0000000804d2162f', 'hex');

const folder = mkdtempSync(join(tmpdir(), 'pawl-tls-'));
let ca: Authority;
let stranger: Authority;
let certificates: Readonly<Record<'right' | 'elsewhere' | 'expired', Certificate>>;
let server: PostgresServer;
let port: number;
/** With which certificate the server was started. */
let served: string | undefined;

beforeEach(({ skip }) => {
  if (noServer !== undefined) skip(noServer);
});

beforeAll(async () => {
  if (noServer !== undefined) return;
  ca = new Authority(folder, 'ca');
  stranger = new Authority(folder, 'stranger');
  const names = ['DNS:localhost', 'IP:127.0.0.1', ...(OWN === undefined ? [] : [`IP:${OWN}`])];
  certificates = {
    right: ca.certify('right', names),
    elsewhere: ca.certify('elsewhere', ['DNS:elsewhere.example.com']),
    expired: ca.certify('expired', names, -1),
  };
  port = await freePort();
  server = new PostgresServer();
  server.sql(`CREATE ROLE bob LOGIN PASSWORD 'right'; CREATE ROLE certified LOGIN`);
  writeFileSync(
    join(server.data, 'pg_hba.conf'),
    `local all all trust
     host all bob all scram-sha-256
     hostssl all certified all cert
     host all owner all trust`,
  );
});

afterAll(() => {
  server?.remove();
  rmSync(folder, { recursive: true });
});

/** Starts the server with a certificate, or without TLS, unless it runs like that. */
function serve(name: keyof typeof certificates | 'no TLS' = 'right'): void {
  if (served === name) return;
  served = name;
  server.stop('fast');
  const settings = [`port=${port}`, `listen_addresses=${['127.0.0.1', OWN].filter(Boolean).join(',')}`];
  if (name === 'no TLS') {
    server.start(settings);
    return;
  }
  const { uid, gid } = statSync(server.folder);
  const files = [certificates[name].certificate, certificates[name].key, ca.certificate].map((from, index) => {
    const path = join(server.folder, `tls-${index}`);
    copyFileSync(from, path);
    chownSync(path, uid, gid);
    return path;
  });
  const [certificate, key, root] = files;
  server.start([...settings, 'ssl=on', `ssl_cert_file=${certificate}`, `ssl_key_file=${key}`, `ssl_ca_file=${root}`]);
}

type Environment = Readonly<Record<string, string>>;

async function connect(uri: string, environment: Environment = {}, home?: string): Promise<ServerClient> {
  const client = await ServerClient.connect(databaseAddress(uri, { environment, home: () => home, isArgument: true }));
  onTestFinished(() => client.close());
  return client;
}

/** Whether a connection is encrypted, who has connected, and with which settings. */
async function stateOf(client: ServerClient): Promise<unknown> {
  const text = `SELECT ssl, session_user, current_setting('application_name'), current_setting('work_mem')
    FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
  const [answer] = await client.run({ text, values: [] });
  const [isEncrypted, user, name, memory] = answer?.rows[0] ?? [];
  return { isEncrypted, user, name, memory };
}

/** @param at where: the port of the server, unless another one is given. */
function uriOf(query: string, { user = 'owner', host = '127.0.0.1', at = port } = {}): string {
  return `postgres://${user}@${host}:${at}/postgres?${query}`;
}

function refusal(reason: string | RegExp) {
  return {
    code: expect.stringMatching(/^(database-unreachable|read-failed)$/),
    detail: { reason: expect.stringMatching(reason) },
  };
}

const VERIFIED = () => `sslmode=verify-full&sslrootcert=${ca.certificate}`;

describe('a server with TLS', () => {
  it.each(['127.0.0.1', 'localhost'])('is verified with the right CA: %s', async (host) => {
    serve();
    const client = await connect(uriOf(VERIFIED(), { host }));
    expect(await stateOf(client)).toEqual({ isEncrypted: true, user: 'owner', name: 'pawl', memory: '4MB' });
  });

  it('is not trusted where its CA has revoked its certificate, as ~/.postgresql/root.crl says', async () => {
    serve();
    const home = mkdtempSync(join(folder, 'home-'));
    mkdirSync(join(home, '.postgresql'));
    const list = join(home, '.postgresql', 'root.crl');
    copyFileSync(ca.revoke(certificates.elsewhere), list);
    await connect(uriOf(VERIFIED()), {}, home);
    copyFileSync(ca.revoke(certificates.right), list);
    const revoked = refusal('its certificate is not trusted: it is revoked');
    await expect(connect(uriOf(VERIFIED()), {}, home)).rejects.toMatchObject(revoked);
    // Nobody but a CA of one's own has a list there.
    await expect(connect(uriOf('sslmode=require'), {}, home)).resolves.toBeInstanceOf(ServerClient);
    writeFileSync(list, 'no list');
    await expect(connect(uriOf(VERIFIED()), {}, home)).rejects.toMatchObject({
      code: 'read-failed',
      detail: { path: list, reason: 'it is no list of revoked certificates in PEM' },
    });
  });

  it('is not trusted without its CA, whatever Node is told', async () => {
    serve();
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const untrusted = refusal(/^its certificate is not trusted: who signed it is not known \(\?sslrootcert=FILE/);
    const queries = [
      'sslmode=verify-full',
      'sslrootcert=system',
      `sslrootcert=${stranger.certificate}`,
      `sslmode=verify-ca&sslrootcert=${stranger.certificate}`,
      // As libpq: a CA that is named is not for nothing.
      `sslmode=require&sslrootcert=${stranger.certificate}`,
    ];
    for (const query of queries) await expect(connect(uriOf(query))).rejects.toMatchObject(untrusted);
  });

  it('is refused by another name, by verify-full', async () => {
    serve('elsewhere');
    const other = refusal(/^its certificate is for another host$/);
    for (const host of ['127.0.0.1', 'localhost']) {
      await expect(connect(uriOf(VERIFIED(), { host }))).rejects.toMatchObject(other);
    }
    const client = await connect(uriOf(`sslmode=verify-ca&sslrootcert=${ca.certificate}`));
    expect(await stateOf(client)).toMatchObject({ isEncrypted: true, user: 'owner' });
  });

  it('is refused when its certificate has expired', async () => {
    serve('expired');
    await expect(connect(uriOf(VERIFIED()))).rejects.toMatchObject(
      refusal(/^its certificate is not trusted: it has expired$/),
    );
  });

  it('is not verified on this machine by require, and not encrypted by default', async () => {
    serve('expired');
    expect(await stateOf(await connect(uriOf('sslmode=require')))).toMatchObject({ isEncrypted: true });
    for (const query of ['', 'sslmode=prefer', 'sslmode=disable']) {
      expect(await stateOf(await connect(uriOf(query)))).toMatchObject({ isEncrypted: false });
    }
  });

  it('is verified on another address of this machine', async ({ skip }) => {
    if (OWN === undefined) return skip('this machine has no address but loopback');
    serve();
    const client = await connect(uriOf(`sslrootcert=${ca.certificate}`, { host: OWN }));
    expect(await stateOf(client)).toMatchObject({ isEncrypted: true });
    await expect(connect(uriOf('', { host: OWN }))).rejects.toMatchObject(refusal(/^its certificate is not trusted/));
    serve('elsewhere');
    const query = `sslrootcert=${ca.certificate}`;
    await expect(connect(uriOf(query, { host: OWN }))).rejects.toMatchObject(refusal(/another host/));
  });

  it('is shown our certificate, and no key that others can read', async () => {
    serve();
    const ours = ca.certify('certified');
    const query = `${VERIFIED()}&sslcert=${ours.certificate}&sslkey=${ours.key}`;
    expect(await stateOf(await connect(uriOf(query, { user: 'certified' })))).toMatchObject({
      isEncrypted: true,
      user: 'certified',
    });
    await expect(connect(uriOf(VERIFIED(), { user: 'certified' }))).rejects.toMatchObject(refusal(/certificate/));
    const others = `${VERIFIED()}&sslcert=${ours.certificate}&sslkey=${certificates.right.key}`;
    await expect(connect(uriOf(others))).rejects.toMatchObject(refusal(/^it is not the key of/));
    const garbage = `${VERIFIED()}&sslcert=${ours.certificate}&sslkey=/dev/null`;
    await expect(connect(uriOf(garbage))).rejects.toMatchObject(refusal(/^it is no private key/));
    const exposed = join(folder, 'exposed.key');
    writeFileSync(exposed, readFileSync(ours.key), { mode: 0o644 });
    const open = `${VERIFIED()}&sslcert=${ours.certificate}&sslkey=${exposed}`;
    await expect(connect(uriOf(open))).rejects.toMatchObject({ code: 'exposed-key', detail: { path: exposed } });
  });
});

describe('a password', () => {
  function passwordFile(password: string): Environment {
    const path = join(folder, 'pgpass');
    writeFileSync(path, `127.0.0.1:${port}:postgres:bob:${password}\n`, { mode: 0o600 });
    return { PGPASSFILE: path };
  }

  it('of a file lets in, with TLS and without', async () => {
    serve();
    const bob = { user: 'bob' };
    expect(await stateOf(await connect(uriOf(VERIFIED(), bob), passwordFile('right')))).toMatchObject({
      isEncrypted: true,
      user: 'bob',
    });
    expect(await stateOf(await connect(uriOf('', bob), passwordFile('right')))).toMatchObject({
      isEncrypted: false,
      user: 'bob',
    });
    expect(await stateOf(await connect(uriOf('', bob), { PGPASSWORD: 'right' }))).toMatchObject({
      isEncrypted: false,
      user: 'bob',
    });
    const error = await connect(uriOf(VERIFIED(), bob), passwordFile('SECRET')).catch((one: unknown) => one);
    expect(error).toMatchObject(refusal(/^password authentication failed/));
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('SECRET');
  });

  it('is not found behind our back, nor is a setting', async () => {
    serve();
    const variables = { PGPASSWORD: 'right', PGOPTIONS: '-c work_mem=7MB', PGAPPNAME: 'x', PGREPLICATION: 'database' };
    const more = { PGSSLMODE: 'require', PGSSLNEGOTIATION: 'direct', PGPASSFILE: passwordFile('right').PGPASSFILE };
    for (const [name, value] of Object.entries({ ...variables, ...more })) vi.stubEnv(name, value);
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    expect(await stateOf(await connect(uriOf(VERIFIED())))).toEqual({
      isEncrypted: true,
      user: 'owner',
      name: 'pawl',
      memory: '4MB',
    });
    expect(await stateOf(await connect(uriOf('')))).toMatchObject({ isEncrypted: false });
    await expect(connect(uriOf(VERIFIED(), { user: 'bob' }))).rejects.toMatchObject(
      refusal(/^it asks for a password, and none is known/),
    );
  });
});

describe('somebody on the way', () => {
  /** Listens on a port for the test, and hands over each connection with what it has sent first. */
  async function listen(take: (socket: Socket, first: Buffer) => void): Promise<number> {
    const sockets = new Set<Socket>();
    const listening: Server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      socket.once('data', (first) => take(socket, first));
    });
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      listening.close();
    });
    return (listening.address() as AddressInfo).port;
  }

  it.each([
    ['says that there is no TLS', 'N', /^it does not offer TLS/],
    ['says something in the name of TLS', 'SX', /^it does not answer as PostgreSQL does$/],
    ['says something else', 'E', /^it does not answer as PostgreSQL does$/],
    ['speaks HTTP', 'S-HTTP/1.1 400', /^it does not answer as PostgreSQL does$/],
  ])('%s, and gets nothing', async (_, answer, reason) => {
    const heard: Buffer[] = [];
    let end = () => {};
    const closed = new Promise<void>((resolve) => {
      end = resolve;
    });
    const at = await listen((socket, first) => {
      heard.push(first);
      socket.on('data', (bytes) => heard.push(bytes)).on('close', end);
      socket.write(answer);
    });
    const connecting = connect(uriOf(VERIFIED(), { user: 'bob', at }), { PGPASSWORD: 'right' });
    await expect(connecting).rejects.toMatchObject(refusal(reason));
    await closed;
    expect(Buffer.concat(heard)).toEqual(REQUEST);
  });

  it('speaks no TLS after all', async () => {
    const at = await listen((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request'));
      socket.write('S');
    });
    await expect(connect(uriOf(VERIFIED(), { at }))).rejects.toMatchObject(refusal(/^TLS fails: [a-z ]+$/));
  });

  it('has no TLS at all in a server without', async () => {
    serve('no TLS');
    for (const query of [VERIFIED(), 'sslmode=require']) {
      await expect(connect(uriOf(query))).rejects.toMatchObject(refusal(/^it does not offer TLS/));
    }
    expect(await stateOf(await connect(uriOf('sslmode=prefer')))).toMatchObject({ isEncrypted: false });
  });

  /** Decrypts what is sent to the server, with a certificate that is trusted. @returns its port, and what the client asks for. */
  async function decrypting(shown: Certificate) {
    const asked: unknown[] = [];
    const at = await listen((client) => {
      client.write('S');
      const [cert, key] = [readFileSync(shown.certificate), readFileSync(shown.key)];
      const near = new TLSSocket(client, { isServer: true, cert, key }).on('error', () => undefined);
      near.on('secure', () => asked.push(near.servername));
      const socket = tcpTo(port, '127.0.0.1', () => socket.write(REQUEST));
      socket.once('data', () => {
        const far = tlsTo({ socket, rejectUnauthorized: false }).on('error', () => undefined);
        near.pipe(far).pipe(near);
      });
    });
    return { at, asked };
  }

  it('is noticed by the password where the certificate does not tell (SCRAM-SHA-256-PLUS)', async () => {
    serve();
    const { at } = await decrypting(ca.certify('other', ['IP:127.0.0.1']));
    expect(await stateOf(await connect(uriOf(VERIFIED(), { at })))).toMatchObject({ isEncrypted: true, user: 'owner' });
    const connecting = connect(uriOf(VERIFIED(), { user: 'bob', at }), { PGPASSWORD: 'right' });
    await expect(connecting).rejects.toMatchObject(refusal(/^SCRAM channel binding check failed$/));
  });

  it('is told the name of the host, and no number', async () => {
    serve();
    const { at, asked } = await decrypting(certificates.right);
    for (const host of ['localhost', '127.0.0.1']) await connect(uriOf(VERIFIED(), { host, at }));
    expect(asked).toEqual(['localhost', false]);
  });
});

describe('nobody', () => {
  it('listens, or is known', async () => {
    const at = await freePort();
    await expect(connect(uriOf('', { at }))).rejects.toMatchObject(refusal(/^nothing listens there$/));
    await expect(connect(`postgres://owner@/db?host=${folder}`)).rejects.toMatchObject(refusal(/^there is no socket/));
    const unknown = connect(uriOf('', { host: 'pawl.invalid' }));
    await expect(unknown).rejects.toMatchObject(refusal(/^(there is no host of this name|the host was not found)/));
  });
});
