/**
 * Postfix and Dovecot of the system, on free ports of this machine and in a folder of their own: what is sent to
 * `u0@example.org` and so on comes into a Maildir, which is read there, or by IMAP with TLS.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { freePort, needing, programPath } from './servers.ts';

const USERS = Array.from({ length: 60 }, (_, index) => `u${index}`);
/** The user whose mail all of it is. */
const NOBODY = 65_534;
const PATIENCE = { timeout: 60_000, interval: 20 };
const QUEUES = 'active bounce corrupt defer deferred flush hold incoming maildrop pid private public saved trace'.split(
  ' ',
);

/** What a suite is called that needs mail servers, and whether it is skipped. */
export function needingMail(title: string): [title: string, isSkipped: boolean] {
  const needed = needing(title, 'postfix', 'dovecot', 'msmtp', 'curl', 'openssl');
  if (needed[1]) return needed;
  if (process.getuid?.() !== 0) return [`${title} (skipped: only root can start Postfix)`, true];
  const version = execFileSync(programPath('dovecot') ?? '', ['--version'], { encoding: 'utf8' });
  // Dovecot 2.4 has another language of configuration.
  return version.startsWith('2.3.') ? [title, false] : [`${title} (skipped: this is Dovecot ${version.trim()})`, true];
}

export class MailServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'pawl-mail-'));
  readonly #smtp: number;
  readonly #imap: number;
  readonly #programs = new Map<'postfix' | 'dovecot', ChildProcess>();
  #users = 0;

  private constructor(smtp: number, imap: number) {
    this.#smtp = smtp;
    this.#imap = imap;
  }

  static async start(): Promise<MailServer> {
    const server = new MailServer(await freePort(), await freePort());
    server.#configure();
    await Promise.all([server.startPostfix(), server.startDovecot()]);
    return server;
  }

  /** Ends both, and removes the folder. */
  async end(): Promise<void> {
    await Promise.all([this.stopPostfix(), this.stopDovecot()]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Somebody who has no mail yet. */
  newUser(): { readonly address: string; readonly maildir: string; readonly imap: string } {
    const user = USERS[this.#users++] ?? '';
    const maildir = this.#path(`mail/${user}`);
    for (const path of [maildir, ...['tmp', 'new', 'cur'].map((name) => join(maildir, name))]) {
      mkdirSync(path);
      chownSync(path, NOBODY, NOBODY);
    }
    return { address: `${user}@example.org`, maildir, imap: `imaps://${user}@localhost:${this.#imap}/INBOX` };
  }

  /** The settings of msmtp and curl, for a home folder, and what is to be in the environment. */
  settle(home: string): Record<string, string> {
    const msmtp = `account default\nhost 127.0.0.1\nport ${this.#smtp}\nfrom somebody@example.org\ntimeout 20\n`;
    writeFileSync(join(home, '.msmtprc'), msmtp, { mode: 0o600 });
    const passwords = USERS.map((user) => `machine localhost login ${user} password secret\n`);
    writeFileSync(join(home, '.netrc'), passwords.join(''), { mode: 0o600 });
    return { HOME: home, CURL_CA_BUNDLE: this.#path('cert.pem') };
  }

  async startPostfix(): Promise<void> {
    const folder = execFileSync('postconf', ['-h', 'daemon_directory'], { encoding: 'utf8' }).trim();
    // It ends its whole process group with itself.
    await this.#start('postfix', [join(folder, 'master'), '-d', '-c', this.#path('etc')], this.#smtp);
  }

  async startDovecot(): Promise<void> {
    const program = programPath('dovecot') ?? '';
    await this.#start('dovecot', [program, '-F', '-c', this.#path('dovecot.conf')], this.#imap);
  }

  async stopPostfix(): Promise<void> {
    await this.#stop('postfix');
  }

  async stopDovecot(): Promise<void> {
    await this.#stop('dovecot');
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #configure(): void {
    chmodSync(this.#folder, 0o755);
    for (const name of ['etc', 'queue', 'data', 'mail', ...QUEUES.map((queue) => `queue/${queue}`)])
      mkdirSync(this.#path(name));
    const postfix = Number(execFileSync('id', ['-u', 'postfix'], { encoding: 'utf8' }));
    for (const queue of QUEUES) if (queue !== 'pid') chownSync(this.#path(`queue/${queue}`), postfix, 0);
    chownSync(this.#path('data'), postfix, 0);
    chownSync(this.#path('mail'), NOBODY, NOBODY);
    writeFileSync(this.#path('etc/main.cf'), this.#mainOfPostfix());
    writeFileSync(this.#path('etc/master.cf'), servicesOfPostfix(this.#smtp));
    const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-keyout', this.#path('key.pem'), '-out', this.#path('cert.pem')];
    execFileSync('openssl', ['req', '-x509', '-days', '2', ...curve, ...names, ...files], { stdio: 'ignore' });
    writeFileSync(this.#path('dovecot.conf'), this.#configurationOfDovecot());
  }

  #mainOfPostfix(): string {
    return `compatibility_level = 3.6
queue_directory = ${this.#path('queue')}
data_directory = ${this.#path('data')}
maillog_file = ${this.#path('log')}
maillog_file_prefixes = ${this.#folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mail.example.org
mydestination =
local_recipient_maps =
alias_maps =
alias_database =
mynetworks = 127.0.0.0/8
smtputf8_enable = no
virtual_mailbox_domains = example.org
virtual_mailbox_base = ${this.#path('mail')}
virtual_mailbox_maps = inline:{ ${USERS.map((user) => `{${user}@example.org=${user}/}`).join(' ')} }
virtual_uid_maps = static:${NOBODY}
virtual_gid_maps = static:${NOBODY}
message_size_limit = 0
virtual_mailbox_limit = 0
`;
  }

  #configurationOfDovecot(): string {
    return `base_dir = ${this.#path('run')}
state_dir = ${this.#path('state')}
log_path = ${this.#path('dovecot.log')}
protocols = imap
listen = 127.0.0.1
ssl = required
ssl_cert = <${this.#path('cert.pem')}
ssl_key = <${this.#path('key.pem')}
mail_location = maildir:${this.#path('mail/%n')}
mail_max_userip_connections = 100
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=${NOBODY} gid=${NOBODY} home=${this.#path('mail/%n')}
}
service imap-login {
  chroot =
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = ${this.#imap}
    ssl = yes
  }
}
`;
  }

  async #start(name: 'postfix' | 'dovecot', [program = '', ...words]: readonly string[], port: number): Promise<void> {
    const server = spawn(program, words, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    this.#programs.set(name, server);
    let said = '';
    server.stderr.on('data', (chunk) => {
      said += chunk;
    });
    await vi.waitFor(async () => {
      if (server.exitCode !== null) throw new Error(`${name}: ${said}`);
      await answers(port);
    }, PATIENCE);
  }

  async #stop(name: 'postfix' | 'dovecot'): Promise<void> {
    const server = this.#programs.get(name);
    this.#programs.delete(name);
    if (server?.pid === undefined || server.exitCode !== null) return;
    const end = once(server, 'exit');
    server.kill();
    await end;
  }
}

/** How many mails are in a Maildir. */
export function mailsIn(maildir: string): number {
  return ['new', 'cur'].reduce((sum, name) => sum + readdirSync(join(maildir, name)).length, 0);
}

/** Waits until a Maildir has so many mails. */
export async function arrived(maildir: string, count: number): Promise<void> {
  await vi.waitFor(() => expect(mailsIn(maildir)).toBe(count), PATIENCE);
}

function servicesOfPostfix(port: number): string {
  return `127.0.0.1:${port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
postlog unix-dgram n - n - 1 postlogd
`;
}

async function answers(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
