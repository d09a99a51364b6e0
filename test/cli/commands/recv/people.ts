import type { CommandContext } from '../../../../src/cli/context.ts';
import type { OpenIdentity } from '../../../../src/cli/identity/open.ts';
import type { InputItem } from '../../../../src/cli/stream/envelopes.ts';
import { Reporter } from '../../../../src/cli/terminal/reporter.ts';
import { decodeEnvelope } from '../../../../src/envelope/index.ts';
import { PawlError } from '../../../../src/errors.ts';
import type { Arrival, InboxId } from '../../../../src/session/index.ts';
import { meet, type Party } from '../../../session/party.ts';
import { CollectedOutput, type FakeIo, fakeIo } from '../../fake-io.ts';

/** Alice sends to bob, who is to receive: his identity, what the command is given, and what he still has to deliver. */
export async function aliceAndBob(given: Partial<FakeIo> = {}, { json = false } = {}) {
  const { alice, bob } = await meet();
  const io = fakeIo(given);
  const context: CommandContext = {
    io,
    options: { input: true, wait: 0 },
    reporter: new Reporter(io, { json, quiet: false }),
  };
  const identity = { ...bob.context, name: 'bob', path: 'bob.db' } as OpenIdentity;
  const inbox = async (): Promise<InboxId[]> => (await bob.store.snapshot((view) => view.inbox())).map(({ id }) => id);
  return { alice, bob, io, context, identity, inbox };
}

/** The next messages of alice, as they are found in the input. */
export async function messages(alice: Party, ...texts: readonly string[]): Promise<Arrival[]> {
  const arrivals: Arrival[] = [];
  for (const text of texts) {
    const envelope = decodeEnvelope((await alice.send('bob', text)).envelope);
    if (!('message' in envelope)) throw new Error('an invite is no message');
    arrivals.push({ source: text, envelope });
  }
  return arrivals;
}

export function broken(source: string): InputItem<Arrival> {
  return { source, error: new PawlError('corrupt', { what: 'envelope' }) };
}

/** An output that takes a number of writes, and fails then. */
export class FailingOutput extends CollectedOutput {
  #left: number;

  constructor(writes: number) {
    super();
    this.#left = writes;
  }

  override async write(bytes: Uint8Array | string): Promise<void> {
    if (this.#left-- <= 0) throw new PawlError('closed-pipe', {});
    await super.write(bytes);
  }
}
