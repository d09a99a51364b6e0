/**
 * Gets the key of an identity from what its owner has: a passphrase, which may be typed anew, or a key.
 * Knows nothing of what is opened with it.
 */
import { isPawlError, PawlError } from '../../errors.ts';
import { wipe } from '../../primitives/index.ts';
import { deriveFileKey, type FileKey, type Lock } from '../../storage/index.ts';
import type { CommandContext } from '../context.ts';
import { keyFromAgent } from './agent.ts';
import { isAsked } from './key-source.ts';
import { formsToTry, oddityOf } from './passphrase.ts';
import { type Secret, secretFor } from './secret.ts';

/** How often a passphrase is asked for. */
const TRIES = 3;

/** What a key is wanted for. */
export interface Target {
  /** What the question and errors call it. */
  readonly title: string;
  /** Reads the salt that the key is derived with: 16 bytes. */
  salt(): Promise<Uint8Array>;
}

/** Calls `open` with a key: see `tryKeys`. */
type OpenWith<Opened> = (lock: Lock) => Promise<Opened>;

/**
 * Gets the passphrase or key of an identity, and calls `open` with the key that follows from it, until one fits. A passphrase
 * is tried in each of its forms, and one that is typed may be typed anew. Before that is asked for, an agent is.
 *
 * Asking and deriving take time. They come before the file is opened, so that other commands need not wait for them.
 * @param open throws `wrong-passphrase` for a key that does not fit. It owns the key that fits.
 * @param options.agent what an agent is asked for; `nothing` where it may not be asked.
 * @throws what reading the secret and `open` throw; `wrong-passphrase`.
 */
export async function tryKeys<Opened>(
  context: CommandContext,
  target: Target,
  open: OpenWith<Opened>,
  { agent = 'give' }: { readonly agent?: 'give' | 'peek' | 'nothing' } = {},
): Promise<Opened> {
  // An error that needs no passphrase comes before the question.
  const salt = await target.salt();
  if (agent !== 'nothing' && isAsked(context)) {
    const key = await keyFromAgent(context, salt, agent);
    const found = key && (await tryKey({ key, salt }, open));
    if (found !== undefined) return found.opened;
  }
  for (let attempt = 1; ; attempt++) {
    const before = attempt === 1 ? '' : `wrong, try ${attempt} of ${TRIES}: `;
    try {
      const secret = await secretFor(context, target.title, before);
      // A person may have taken long to give a passphrase, and somebody else may have changed it.
      const present = secret.kind === 'key' ? salt : await target.salt();
      return await tryForms(context, secret, { title: target.title, salt: present, open });
    } catch (error) {
      const isMistyped = isPawlError(error, 'wrong-passphrase') || isPawlError(error, 'empty-passphrase');
      if (!isMistyped || attempt === TRIES || !isAsked(context)) throw error;
    }
  }
}

async function tryForms<Opened>(
  context: CommandContext,
  secret: Secret,
  { title, salt, open }: { readonly title: string; readonly salt: Uint8Array; readonly open: OpenWith<Opened> },
): Promise<Opened> {
  const forms = secret.kind === 'key' ? [secret.bytes] : formsToTry(secret.bytes);
  const flaw = secret.kind === 'key' ? undefined : oddityOf(secret.bytes);
  try {
    for (const bytes of forms) {
      const key = await fileKeyFrom(context, { ...secret, bytes }, salt);
      const found = await tryKey({ key, salt }, open);
      if (found !== undefined) return found.opened;
    }
  } finally {
    if (secret.kind === 'passphrase') wipe(...forms);
  }
  throw new PawlError('wrong-passphrase', { path: title, ...(flaw !== undefined && { flaw }) });
}

/** @returns `undefined` for a key that does not fit, which is overwritten, as it is after any other error. */
async function tryKey<Opened>(lock: Lock, open: OpenWith<Opened>): Promise<{ readonly opened: Opened } | undefined> {
  try {
    return { opened: await open(lock) };
  } catch (error) {
    wipe(lock.key);
    if (!isPawlError(error, 'wrong-passphrase')) throw error;
    return undefined;
  }
}

/** The key of a file of that salt. The passphrase is overwritten. */
export async function fileKeyFrom({ reporter }: CommandContext, secret: Secret, salt: Uint8Array): Promise<FileKey> {
  if (secret.kind === 'key') return secret.bytes as FileKey;
  // The time that the person took to type the passphrase does not count as waiting.
  reporter.progress.clear();
  const key = await reporter.progress.during('deriving the key from the passphrase', deriveFileKey(secret.bytes, salt));
  secret.bytes.fill(0);
  return key;
}
