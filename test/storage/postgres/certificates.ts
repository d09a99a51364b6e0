/**
 * Makes certificates with openssl, for tests of TLS.
 */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A certificate and its key, as files that only their owner can read. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** A CA whose certificates are files of one folder. */
export class Authority {
  readonly #folder: string;
  readonly #own: Certificate;

  constructor(folder: string, name: string) {
    this.#folder = folder;
    this.#own = this.#filesOf(name);
    const { certificate, key } = this.#own;
    run(folder, 'req', '-x509', ...NEW_KEY, '-keyout', key, '-out', certificate, '-days', '2', '-subj', `/CN=${name}`);
  }

  /** The file of its certificate. */
  get certificate(): string {
    return this.#own.certificate;
  }

  /**
   * @param subject the common name.
   * @param names whom it is for, as `DNS:localhost` or `IP:127.0.0.1`.
   * @param days for which it is valid; fewer than none: it has expired.
   */
  certify(subject: string, names: readonly string[] = [], days = 1): Certificate {
    const files = this.#filesOf(subject);
    const [request, extensions] = [join(this.#folder, 'request'), join(this.#folder, 'extensions')];
    writeFileSync(extensions, names.length === 0 ? '' : `subjectAltName=${names.join(',')}`);
    run(this.#folder, 'req', ...NEW_KEY, '-keyout', files.key, '-out', request, '-subj', `/CN=${subject}`);
    const by = ['-CA', this.#own.certificate, '-CAkey', this.#own.key, '-CAcreateserial', '-days', `${days}`];
    run(this.#folder, 'x509', '-req', '-in', request, '-out', files.certificate, '-extfile', extensions, ...by);
    return files;
  }

  /** Writes the list of the certificates that it has revoked. @returns its file. */
  revoke(...revoked: readonly Certificate[]): string {
    const [database, list, config] = ['index', 'revoked.crl', 'ca.conf'].map((name) => join(this.#folder, name));
    writeFileSync(`${database}`, '');
    writeFileSync(`${config}`, `[ca]\ndefault_ca=own\n[own]\ndatabase=${database}\ndefault_md=sha256\n`);
    const by = ['-config', `${config}`, '-cert', this.#own.certificate, '-keyfile', this.#own.key];
    for (const { certificate } of revoked) run(this.#folder, 'ca', ...by, '-revoke', certificate);
    run(this.#folder, 'ca', ...by, '-gencrl', '-crldays', '2', '-out', `${list}`);
    return `${list}`;
  }

  #filesOf(name: string): Certificate {
    return { certificate: join(this.#folder, `${name}.crt`), key: join(this.#folder, `${name}.key`) };
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

/** Keys are made with mode 0600. */
function run(cwd: string, ...parameters: readonly string[]): void {
  execFileSync('openssl', parameters, { cwd, stdio: 'pipe' });
}
