import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AddressContext, databaseAddress } from '../../../src/storage/postgres/address.ts';

const ME = userInfo().username;
const SOCKETS = process.platform === 'linux' ? '/var/run/postgresql' : '/tmp';

/** A home folder with files, which only their owner can read. */
function homeWith(files: Readonly<Record<string, string>>): string {
  const home = mkdtempSync(join(tmpdir(), 'pawl-home-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  mkdirSync(join(home, '.postgresql'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text, { mode: 0o600 });
  return home;
}

function contextOf(environment: AddressContext['environment'] = {}, home?: string, isArgument = false): AddressContext {
  return { environment, home: () => home, isArgument };
}

function errorOf(work: () => unknown): { code: string; detail: { problem: string; path: string; reason: string } } {
  try {
    work();
  } catch (error) {
    return error as ReturnType<typeof errorOf>;
  }
  throw new Error('nothing was thrown');
}

/** The password that is found, with the context of an address in the environment. */
function passwordOf(uri: string, environment: AddressContext['environment'] = {}, home?: string): string | undefined {
  return databaseAddress(uri, contextOf(environment, home)).password?.();
}

describe('a connection URI', () => {
  it.each<[string, host: string, port: number, user: string, database: string, shown?: string]>([
    ['postgres://bob@/db', SOCKETS, 5432, 'bob', 'db', `postgres://bob@/db?host=${encodeURIComponent(SOCKETS)}`],
    ['postgres://', SOCKETS, 5432, ME, ME, `postgres://${ME}@/${ME}?host=${encodeURIComponent(SOCKETS)}`],
    ['postgresql://bob@localhost', 'localhost', 5432, 'bob', 'bob', 'postgres://bob@localhost/bob'],
    ['POSTGRES://bob@localhost/', 'localhost', 5432, 'bob', 'bob', 'postgres://bob@localhost/bob'],
    ['postgres://localhost/db', 'localhost', 5432, ME, 'db', `postgres://${ME}@localhost/db`],
    ['postgres://bob@db.example.com:5433/db', 'db.example.com', 5433, 'bob', 'db'],
    ['postgres://bob@db.example.com:5432/db', 'db.example.com', 5432, 'bob', 'db', 'postgres://bob@db.example.com/db'],
    ['postgres://bob@127.0.0.1/db', '127.0.0.1', 5432, 'bob', 'db'],
    ['postgres://bob@[::1]:5433/db', '::1', 5433, 'bob', 'db'],
    ['postgres://bob@[fe80::1%25eth0]/db', 'fe80::1%eth0', 5432, 'bob', 'db'],
    ['postgres://bob@/db?host=%2Ftmp%2Fa%20b', '/tmp/a b', 5432, 'bob', 'db'],
    ['postgres://bob@/db?host=/tmp', '/tmp', 5432, 'bob', 'db', 'postgres://bob@/db?host=%2Ftmp'],
    ['postgres://bob@%2Ftmp/db', '/tmp', 5432, 'bob', 'db', 'postgres://bob@/db?host=%2Ftmp'],
    ['postgres://bob@:5433/db?host=%2Ftmp', '/tmp', 5433, 'bob', 'db'],
    ['postgres://%40b%3A%2F%3F@localhost/%2525%2F%C3%A4', 'localhost', 5432, '@b:/?', '%25/ä'],
    ['postgres://a+b@localhost/c+d?user=e+f', 'localhost', 5432, 'e+f', 'c+d', 'postgres://e%2Bf@localhost/c%2Bd'],
    ['postgres://localhost?user=bob&dbname=db&port=5433', 'localhost', 5433, 'bob', 'db'],
    ['postgres://bob@localhost/one?dbname=two&dbname=three', 'localhost', 5432, 'bob', 'three'],
    ['postgres://bob@localhost/db?application_name=x&connect_timeout=5', 'localhost', 5432, 'bob', 'db'],
    ['postgres://bob@localhost/db?', 'localhost', 5432, 'bob', 'db'],
  ])('%s', (uri, host, port, user, database, shown) => {
    const address = databaseAddress(uri, contextOf());
    expect(address).toMatchObject({ host, port, user, database, password: undefined });
    if (shown !== undefined) expect(address.shown).toBe(shown);
    // What it is called leads there as well.
    expect(databaseAddress(address.shown, contextOf({}, undefined, true))).toMatchObject({
      host,
      port,
      user,
      database,
    });
  });

  it.each([
    ['no slashes', 'postgres:bob@localhost/db'],
    ['another scheme', 'postgresqlx://localhost/db'],
    ['two @', 'postgres://bob:SECRET@SECRET@localhost/db'],
    ['@ behind a slash', 'postgres://bob:5432/SECRET@localhost/db'],
    ['@ behind a question mark', 'postgres://bob:5432?SECRET=1@localhost/db'],
    ['a port that is a password', 'postgres://bob:SECRET/db'],
    ['a port that is too large', 'postgres://localhost:65536/db'],
    ['port 0', 'postgres://localhost:0/db'],
    ['a port of two', 'postgres://localhost:1,2/db'],
    ['a host with a blank', 'postgres://SECRET%20x/db'],
    ['a host with a line', 'postgres://SECRET%0Ax/db'],
    ['an abstract socket', 'postgres:///db?host=%40SECRET'],
    ['a host that is an option', 'postgres://-SECRET/db'],
    ['a name in brackets', 'postgres://[localhost]/db'],
    ['brackets that do not close', 'postgres://[::1/db'],
    ['something behind brackets', 'postgres://[::1]SECRET/db'],
    ['a % alone', 'postgres://bob%@localhost/db'],
    ['no UTF-8', 'postgres://bob%ff@localhost/db'],
    ['a NUL', 'postgres://bob%00@localhost/db'],
    ['a parameter without a value', 'postgres://localhost/db?SECRET'],
    ['a parameter with two', 'postgres://localhost/db?user=bob=SECRET'],
    ['an empty parameter', 'postgres://localhost/db?user=bob&&port=1'],
    ['the parameter of another library', 'postgres://localhost/db?ssl=true'],
    ['a parameter that would need another connection', 'postgres://localhost/db?options=-csearch_path%3Dx'],
    ['a parameter of another address', 'postgres://localhost/db?hostaddr=192.0.2.1'],
    ['a parameter that demands more', 'postgres://localhost/db?ssl_min_protocol_version=TLSv1.3'],
    ['a parameter of another encryption', 'postgres://localhost/db?gssencmode=require'],
    ['a parameter in capitals', 'postgres://localhost/db?SSLMODE=disable'],
    ['a name of Object', 'postgres://localhost/db?constructor=x'],
  ])('is refused with %s, and not repeated', (_, uri) => {
    const error = errorOf(() => databaseAddress(uri, contextOf()));
    expect(error).toMatchObject({ code: 'usage' });
    expect(inspect(error)).not.toContain('SECRET');
  });

  it.each(['postgres://a,b/db', 'postgres://a:1,b:2/db', 'postgres:///db?host=a,b'])('names one host: %s', (uri) => {
    const error = errorOf(() => databaseAddress(uri, contextOf()));
    expect(error.detail.problem).toMatch(/several hosts|port of the database/);
  });
});

describe('what the URI leaves out', () => {
  const ENVIRONMENT = { PGHOST: 'localhost', PGPORT: '5434', PGUSER: 'eve', PGDATABASE: 'env' };

  it('is found in the environment', () => {
    const found = { host: 'localhost', port: 5434, user: 'eve', database: 'env' };
    expect(databaseAddress('postgres://', contextOf(ENVIRONMENT))).toMatchObject(found);
    expect(databaseAddress('postgres://bob@/', contextOf(ENVIRONMENT))).toMatchObject({ ...found, user: 'bob' });
    // Said to be empty, it has its default; an empty variable is none.
    const uri = 'postgres:///?user=&host=&port=&dbname=';
    expect(databaseAddress(uri, contextOf(ENVIRONMENT))).toMatchObject({
      host: SOCKETS,
      port: 5432,
      user: ME,
      database: ME,
    });
    expect(databaseAddress('postgres://', contextOf({ PGHOST: '', PGPORT: '', PGUSER: '' }))).toMatchObject({
      user: ME,
    });
  });

  it.each([
    ['PGHOSTADDR', '192.0.2.1'],
    ['PGSSLCRL', 'crl'],
    ['PGSSLCRLDIR', 'crls'],
    ['PGREQUIREPEER', 'postgres'],
    ['PGREQUIREAUTH', 'scram-sha-256'],
    ['PGCHANNELBINDING', 'require'],
    ['PGREQUIRESSL', '1'],
    ['PGSSLMINPROTOCOLVERSION', 'TLSv1.3'],
    ['PGSSLNEGOTIATION', 'direct'],
    ['PGSSLCERTMODE', 'require'],
    ['PGSSLCERTMODE', 'disable'],
    ['PGGSSENCMODE', 'require'],
  ])('is not looked up where %s=%s says something that pawl cannot do', (name, value) => {
    const error = errorOf(() => databaseAddress('postgres://localhost/db', contextOf({ [name]: value })));
    expect(error).toMatchObject({ code: 'usage', detail: { hint: `env -u ${name} pawl ...` } });
    expect(error.detail.problem).toMatch(new RegExp(`^pawl cannot do what ${name}(=${value})? demands$`));
  });

  it.each([
    ['PGREQUIRESSL', '0'],
    ['PGSSLMINPROTOCOLVERSION', 'TLSv1.2'],
    ['PGSSLNEGOTIATION', 'postgres'],
    ['PGSSLCERTMODE', 'allow'],
    ['PGGSSENCMODE', 'disable'],
    ['PGGSSENCMODE', 'prefer'],
    ['PGGSSENCMODE', ''],
  ])('is looked up where %s=%s demands nothing more', (name, value) => {
    const address = databaseAddress('postgres://bob@localhost/db', contextOf({ [name]: value }));
    expect(address).toMatchObject({ host: 'localhost', user: 'bob' });
  });

  const SERVICES = `
    # host=comment
    [other]
    host=other.example.com
    [mine]
    host=127.0.0.1
      # port=9
    port=5435
    port=1
    user=
    password=of the service
    application_name=passed over
    [mine]
    dbname=too late
  `;

  it('is found in a service, before the environment', () => {
    const home = homeWith({ '.pg_service.conf': SERVICES });
    const service = { host: '127.0.0.1', port: 5435, user: ME, database: 'env' };
    for (const [uri, environment] of [
      ['postgres:///?service=mine', ENVIRONMENT],
      ['postgres://', { ...ENVIRONMENT, PGSERVICE: 'mine' }],
      ['postgres:///?service=mine', { ...ENVIRONMENT, PGSERVICE: 'other' }],
    ] as const) {
      const address = databaseAddress(uri, contextOf(environment, home));
      expect(address).toMatchObject(service);
      expect(address.password?.()).toBe('of the service');
    }
    const uri = 'postgres://bob@localhost:5432/db?service=mine';
    expect(databaseAddress(uri, contextOf({}, home))).toMatchObject({
      host: 'localhost',
      port: 5432,
      user: 'bob',
      database: 'db',
    });
  });

  it('is found in the service file that a variable names, and then in that of the system', () => {
    const home = homeWith({
      '.pg_service.conf': SERVICES,
      named: '[named]\nhost=::1\n[both]\nport=8',
      'pg_service.conf': '[all]\nport=7\n[both]\nport=9',
    });
    const environment = { PGSERVICEFILE: join(home, 'named'), PGSYSCONFDIR: home };
    const address = (service: string) =>
      databaseAddress(`postgres:///?service=${service}`, contextOf(environment, home));
    expect(address('named').host).toBe('::1');
    expect(address('all').port).toBe(7);
    expect(address('both').port).toBe(8);
    expect(errorOf(() => address('mine'))).toMatchObject({ code: 'usage' });
    expect(errorOf(() => address('nam'))).toMatchObject({ code: 'usage' });
    const missing = contextOf({ PGSERVICEFILE: join(home, 'missing') });
    expect(errorOf(() => databaseAddress('postgres:///?service=mine', missing))).toMatchObject({
      code: 'missing-file',
    });
  });

  it.each(['hostaddr=192.0.2.1', 'service=other', 'host', 'host = x', 'ldap://x'])(
    'is not found behind a line of a service that is not known: %s',
    (line) => {
      const home = homeWith({ '.pg_service.conf': `[mine]\nport=1\n${line}\n` });
      const error = errorOf(() => databaseAddress('postgres:///?service=mine', contextOf({}, home)));
      expect(error).toMatchObject({ code: 'read-failed', detail: { path: join(home, '.pg_service.conf') } });
      expect(error.detail.reason).toContain('line 3');
    },
  );
});

describe('a password', () => {
  it('is taken from the URI, unless others see it there', () => {
    for (const uri of ['postgres://bob:SECRET%40@localhost/db', 'postgres://bob@localhost/db?password=SECRET%40']) {
      const address = databaseAddress(uri, contextOf({ PGPASSWORD: 'x' }));
      expect(address.password?.()).toBe('SECRET@');
      expect(address.shown).toBe('postgres://bob@localhost/db');
      expect(inspect(address, { depth: 9, showHidden: true }) + JSON.stringify(address)).not.toContain('SECRET');
      const error = errorOf(() => databaseAddress(uri, contextOf({}, undefined, true)));
      expect(error).toMatchObject({ code: 'usage', detail: { hint: expect.stringContaining('.pgpass') } });
      expect(inspect(error)).not.toContain('SECRET');
    }
  });

  it('is taken from PGPASSWORD, also for a URI that is an argument', () => {
    const context = contextOf({ PGPASSWORD: 'secret' }, homeWith({ '.pgpass': '*:*:*:*:file' }), true);
    expect(databaseAddress('postgres://localhost', context).password?.()).toBe('secret');
  });

  it('is looked up in a file of passwords', () => {
    const lines = [
      '# a:*:*:*:comment',
      'a:5432:db:bob:first',
      'a:5432:db:bob:second',
      'a:*:*:*:wild\r',
      '\\*:5432:db:bob:a star is no host',
      '127.0.0.1:5432:d\\:b:b\\\\ob:p\\:a\\ss:behind\r',
      '::1:5432:db:bob:not escaped',
      '\\:\\:1:5432:db:bob:six',
      'localhost:5432:db:bob:of localhost',
      `/tmp:5432:db:bob:of tmp`,
      'b:5432:db:bob:',
      'b:5432:db:bob:not reached',
      'c:5432:db:bob:\u00e4 ',
      'd:5432:db',
      'd:5432:db:bob:end\\',
    ];
    const home = homeWith({ '.pgpass': lines.join('\n') });
    const found = (uri: string) => passwordOf(uri, { PGSSLMODE: 'verify-full' }, home);
    expect(found('postgres://bob@a/db')).toBe('first');
    expect(found('postgres://bob@a:5433/db')).toBe('wild');
    expect(found('postgres://eve@a/db')).toBe('wild');
    expect(found('postgres://bob@aa/db')).toBeUndefined();
    expect(found('postgres://b%5Cob@127.0.0.1/d:b')).toBe('p:ass');
    expect(found('postgres://bob@[::1]/db')).toBe('six');
    expect(found('postgres://bob@localhost/db')).toBe('of localhost');
    expect(found('postgres://bob@/db')).toBe('of localhost');
    expect(found('postgres://bob@/db?host=/tmp')).toBe(SOCKETS === '/tmp' ? 'of localhost' : 'of tmp');
    expect(found('postgres://bob@b/db')).toBeUndefined();
    expect(found('postgres://bob@c/db')).toBe('\u00e4 ');
    expect(found('postgres://bob@d/db')).toBe('end\\');
  });

  it('is looked up in the file that a parameter or a variable names', () => {
    const home = homeWith({ '.pgpass': '*:*:*:*:home', one: '*:*:*:*:one', two: '*:*:*:*:two' });
    const [one, two] = [join(home, 'one'), join(home, 'two')];
    const uri = 'postgres://localhost/db';
    expect(passwordOf(uri, {}, home)).toBe('home');
    expect(passwordOf(uri, { PGPASSFILE: one }, home)).toBe('one');
    expect(passwordOf(`${uri}?passfile=${two}`, { PGPASSFILE: one }, home)).toBe('two');
    expect(passwordOf(uri, { PGPASSFILE: '/dev/null' }, home)).toBeUndefined();
    expect(passwordOf(uri, {}, homeWith({}))).toBeUndefined();
    expect(passwordOf(uri)).toBeUndefined();
    const missing = contextOf({ PGPASSFILE: join(home, 'missing') }, home);
    expect(errorOf(() => databaseAddress(uri, missing))).toMatchObject({ code: 'missing-file' });
  });

  it.each([0o640, 0o604, 0o660, 0o610])('is not read where others can get at it: %o', (mode) => {
    const home = homeWith({ '.pgpass': '*:*:*:*:SECRET' });
    const path = join(home, '.pgpass');
    chmodSync(path, mode);
    const error = errorOf(() => databaseAddress('postgres://localhost/db', contextOf({}, home)));
    expect(error).toMatchObject({ code: 'exposed-key', detail: { path } });
    // It is not asked for where there is another one.
    expect(passwordOf('postgres://localhost/db', { PGPASSWORD: 'x' }, home)).toBe('x');
  });
});

describe('TLS', () => {
  const FAR = ['db.example.com', '192.0.2.1', '[2001:db8::1]', '[::ffff:127.0.0.1]', 'localhost.example.com', '127.1'];
  const tlsOf = (uri: string, environment: AddressContext['environment'] = {}, home?: string) =>
    databaseAddress(uri, contextOf(environment, home)).tls;

  it.each(FAR)('verifies another machine: %s', (host) => {
    const tls = tlsOf(`postgres://bob@${host}/db`);
    expect(tls).toMatchObject({ rejectUnauthorized: true, secureContext: expect.anything() });
    expect(tls).not.toHaveProperty('checkServerIdentity');
    expect(tlsOf(`postgres://bob@${host}/db?sslrootcert=system`)).toMatchObject({ rejectUnauthorized: true });
  });

  it.each(['disable', 'allow', 'prefer', 'require'])('is not left out, or unverified, off this machine: %s', (mode) => {
    for (const host of FAR) {
      for (const refuse of [
        () => tlsOf(`postgres://bob@${host}/db?sslmode=${mode}`),
        () => tlsOf(`postgres://bob@${host}/db`, { PGSSLMODE: mode }),
      ]) {
        expect(errorOf(refuse)).toMatchObject({
          code: 'usage',
          detail: { problem: expect.stringContaining(mode), hint: expect.stringContaining('sslrootcert=FILE') },
        });
      }
    }
    // What the URI says counts.
    expect(tlsOf('postgres://bob@db.example.com/db?sslmode=verify-full', { PGSSLMODE: mode })).toBeDefined();
  });

  it('is what the mode says on this machine, and never on a socket', () => {
    for (const host of ['localhost', '127.0.0.1', '127.255.0.1', '[::1]']) {
      const uri = `postgres://bob@${host}/db`;
      for (const mode of ['disable', 'allow', 'prefer']) expect(tlsOf(`${uri}?sslmode=${mode}`)).toBeUndefined();
      expect(tlsOf(uri)).toBeUndefined();
      expect(tlsOf(`${uri}?sslmode=require`)).toMatchObject({ rejectUnauthorized: false });
      expect(tlsOf(`${uri}?sslmode=verify-full`)).toMatchObject({ rejectUnauthorized: true });
      expect(tlsOf(`${uri}?sslrootcert=system`)).toMatchObject({ rejectUnauthorized: true });
    }
    for (const mode of ['disable', 'require', 'verify-full']) {
      expect(tlsOf(`postgres://bob@/db?host=/tmp&sslmode=${mode}`)).toBeUndefined();
    }
  });

  it.each([
    ['an unknown mode', 'sslmode=no-verify'],
    ['verify-ca by public CAs', 'sslmode=verify-ca'],
    ['verify-ca by public CAs that are named', 'sslmode=verify-ca&sslrootcert=system'],
    ['public CAs that are not asked', 'sslmode=require&sslrootcert=system'],
    ['a certificate without a key', 'sslmode=require&sslcert=/dev/null'],
    ['a key without a certificate', 'sslmode=require&sslkey=/dev/null'],
  ])('refuses %s', (_, query) => {
    expect(errorOf(() => tlsOf(`postgres://bob@localhost/db?${query}`))).toMatchObject({ code: 'usage' });
  });

  it.each(['', 'garbage', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'])(
    'refuses a CA that is none: %j',
    (text) => {
      const path = join(homeWith({ ca: text }), 'ca');
      for (const query of [`sslrootcert=${path}`, `sslmode=require&sslcert=${path}&sslkey=${path}`]) {
        const error = errorOf(() => tlsOf(`postgres://bob@localhost/db?${query}`));
        expect(error).toMatchObject({ code: 'read-failed', detail: { path } });
      }
      const missing = () => tlsOf('postgres://bob@db.example.com/db?sslrootcert=/missing');
      expect(errorOf(missing)).toMatchObject({ code: 'missing-file' });
    },
  );

  it('reads the files that libpq has by default, where there is TLS', () => {
    const home = homeWith({ '.postgresql/root.crt': 'garbage' });
    const error = errorOf(() => tlsOf('postgres://bob@db.example.com/db', {}, home));
    expect(error).toMatchObject({ code: 'read-failed', detail: { path: join(home, '.postgresql', 'root.crt') } });
    expect(tlsOf('postgres://bob@db.example.com/db?sslrootcert=system', {}, home)).toBeDefined();
    expect(tlsOf('postgres://bob@localhost/db', {}, home)).toBeUndefined();
    const certified = homeWith({ '.postgresql/postgresql.crt': 'garbage', '.postgresql/postgresql.key': 'garbage' });
    const path = join(certified, '.postgresql', 'postgresql.crt');
    expect(errorOf(() => tlsOf('postgres://bob@db.example.com/db', {}, certified))).toMatchObject({ detail: { path } });
    // A key alone is of no use, and no mistake.
    const key = homeWith({ '.postgresql/postgresql.key': 'garbage' });
    expect(tlsOf('postgres://bob@db.example.com/db', {}, key)).toBeDefined();
  });
});
