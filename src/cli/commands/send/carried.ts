/**
 * Chooses where what is sent goes: along the route to the contact, unless a file or a form was asked for.
 * Does not put anything there.
 */

import { checkBoxes } from '../../../session/index.ts';
import { Carrier } from '../../carrier/hand-over.ts';
import { Places } from '../../carrier/places.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import type { EnvelopeFormat } from './output.ts';

/** A format as the options say. */
export interface ChosenFormat extends EnvelopeFormat {
  /** Whether the envelopes themselves were asked for, in a file or in a form. */
  readonly isChosen: boolean;
}

/**
 * Runs `work` with the format that the envelopes for a contact are written in.
 * @throws `no-boxes` before anything is encrypted, and what `work` throws.
 */
export async function withCarrier(
  context: CommandContext,
  identity: OpenIdentity,
  { name, format }: { readonly name: string; readonly format: ChosenFormat },
  work: (format: EnvelopeFormat) => Promise<void>,
): Promise<void> {
  if (format.isChosen) return work(format);
  const places = new Places(context);
  try {
    const carrier = await Carrier.for(places, identity, name);
    if (carrier === undefined) return await work(format);
    await checkBoxes(identity, name);
    await work({ ...format, carrier });
  } finally {
    await places.close();
  }
}
