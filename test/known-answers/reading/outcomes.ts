import { decodeEnvelope, type Envelope } from '../../../src/envelope/index.ts';
import { PawlError } from '../../../src/errors.ts';
import { type Context, type Outcome, receive } from '../../../src/session/index.ts';
import { written } from '../contents.ts';
import type { ReceiveStep } from '../format.ts';

/** The outcome of one envelope, valid or not. `gap`: the limit, where it is not 2,000. */
export async function outcomeOf(context: Context, bytes: Uint8Array, gap: number | undefined): Promise<Outcome> {
  let envelope: Envelope;
  try {
    envelope = decodeEnvelope(bytes);
  } catch (error) {
    if (error instanceof PawlError) return { type: 'refused', from: undefined, error, source: '' };
    throw error;
  }
  if (!('message' in envelope)) throw new Error('an invite is not received');
  const options = gap === undefined ? {} : { gap };
  const { outcomes } = await receive(context, [{ envelope, source: '' }], options);
  const [outcome] = outcomes;
  if (outcome === undefined) throw new Error('an envelope without an outcome');
  return outcome;
}

/** The outcomes of valid messages and openings that are received in one unit of work. */
export async function outcomesOf(context: Context, envelopes: readonly Uint8Array[]): Promise<readonly Outcome[]> {
  const arrivals = envelopes.map((bytes) => {
    const envelope = decodeEnvelope(bytes);
    if (!('message' in envelope)) throw new Error('an invite is not received');
    return { envelope, source: '' };
  });
  return (await receive(context, arrivals, {})).outcomes;
}

/** An outcome as a step states it, but for session and chain, which it does not have. */
export function wordsFor(outcome: Outcome): unknown {
  switch (outcome.type) {
    case 'message':
    case 'announced': {
      const { from, n, late, notices } = outcome;
      const content = outcome.type === 'message' ? outcome.content : outcome.descriptor;
      const lost = notices.find((notice) => notice.kind === 'lost')?.count ?? 0;
      const fork = notices.find((notice) => notice.kind === 'fork')?.reason;
      return { accepted: { from, n, late, lost, content: written(content), ...(fork && { fork }) } };
    }
    case 'waiting':
      throw new Error('all of it can be delivered');
    case 'duplicate':
      return { duplicate: { from: outcome.from, n: outcome.n } };
    case 'too-late':
      return { tooLate: { from: outcome.from, n: outcome.n } };
    case 'forgotten':
      return { forgotten: true };
    case 'refused': {
      const { code, detail } = outcome.error;
      return { refused: code, ...('reason' in detail && { reason: detail.reason }) };
    }
  }
}

/** What a step states of the outcome, without session and chain. */
export function wordsOf({ accepted, duplicate, tooLate, forgotten, refused, reason }: ReceiveStep): unknown {
  if (accepted !== undefined) {
    const { session: _session, chain: _chain, ...words } = accepted;
    return { accepted: words };
  }
  return {
    ...(duplicate && { duplicate }),
    ...(tooLate && { tooLate }),
    ...(forgotten && { forgotten }),
    ...(refused && { refused }),
    ...(reason && { reason }),
  };
}

/** The code of a known error, for `catch`. */
export function codeOf(error: unknown): string {
  if (error instanceof PawlError) return error.code;
  throw error;
}
