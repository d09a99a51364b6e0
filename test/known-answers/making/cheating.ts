import { encodeContent, encodeEnvelope } from '../../../src/envelope/index.ts';
import { type Agreement, readInvite } from '../../../src/handshake/index.ts';
import { concat, type Random, type SharedSecret } from '../../../src/primitives/index.ts';
import {
  encodeHeader,
  type Header,
  initiatorState,
  nextMessageKey,
  type RatchetState,
  type SealedMessage,
  sealBody,
  sealHeader,
} from '../../../src/ratchet/index.ts';
import { dh1Of, spelledOut } from '../../handshake/spelled-out.ts';
import type { Named } from '../bytes.ts';
import { contentOf } from '../contents.ts';
import type { Content } from '../format.ts';
import type { Person } from './person.ts';
import { drawing } from './telling.ts';

/** What a cheat does otherwise than an honest sender would. */
export interface Cheat {
  readonly header?: (header: Header) => Header;
  /** The plaintext of the body, padded. */
  readonly plaintext?: Uint8Array;
  /** They do as if they had never heard of the KEM key that they owe an answer to, and mix no secret. */
  readonly forgetsOffer?: boolean;
  /** The body is altered before the header is sealed over its digest. */
  readonly spoilt?: boolean;
}

/** What somebody puts into an opening who does not keep to the rules. */
export interface OpeningCheat extends Cheat {
  /** Who they say they are. */
  readonly claimed?: Uint8Array;
  /** What they have to show for it. */
  readonly dh1?: SharedSecret;
  readonly opened?: number;
}

/** The next message of someone's newest session, made with their keys; their state stays what it is. */
export function cheated(person: Person, content: Content, cheat: Cheat): Uint8Array {
  const { state, transcript } = person.session();
  const message = sealed(state, transcript, person, content, cheat);
  return encodeEnvelope({ kind: 'message', message });
}

/** An opening with which `person` answers an invite. */
export function cheatedOpening(person: Person, invite: Named, content: Content, cheat: OpeningCheat): Uint8Array {
  const { identity, now } = person;
  const random = drawing(`cheating ${person.name}`);
  const read = readInvite(invite.bytes);
  const { prefix, agreement } = spelledOut({
    invite: read,
    claimed: cheat.claimed ?? identity.key,
    dh1: cheat.dh1 ?? dh1Of(identity, read),
    opened: cheat.opened ?? now,
    random,
  });
  const state = initiatorState(agreement, read.prekey, { random, now });
  const message = sealed(state, agreement.transcript, person, content, cheat);
  return encodeEnvelope({ kind: 'opening', prefix, message });
}

function sealed(
  state: RatchetState,
  transcript: Agreement['transcript'],
  { name, now }: Person,
  content: Content,
  { header: alter = (header) => header, plaintext, forgetsOffer, spoilt }: Cheat,
): SealedMessage {
  const random: Random = drawing(`cheating ${name}`);
  const next = nextMessageKey(structuredClone(forgetsOffer ? withoutOffer(state) : state), random, now);
  const header = alter(next.header);
  const padded = plaintext ?? encodeContent(contentOf(content));
  const body = sealBody(next.messageKey, random(12), padded, concat(transcript, encodeHeader(header)));
  if (spoilt) body[20] = (body[20] ?? 0) ^ 1;
  return sealHeader(next.state.sending.header, header, body, { associatedData: transcript, salt: random(16) }).message;
}

function withoutOffer(state: RatchetState): RatchetState {
  return { ...state, rekeying: { ...state.rekeying, exchange: { kind: 'idle' } } };
}
