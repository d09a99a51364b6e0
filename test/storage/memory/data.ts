import type { StoredInvite } from '../../../src/handshake/index.ts';
import type { PartRecord } from '../../../src/parts/index.ts';
import type { FinishedChain, RatchetState, SkippedKey } from '../../../src/ratchet/index.ts';
import type {
  Contact,
  ContactList,
  HistoryEntry,
  HistoryId,
  HistorySetting,
  LeftEntry,
  ListedInboxEntry,
  OutboxEntry,
  OutboxId,
  Session,
  SpentBox,
  StoredIncoming,
  StoredOutgoing,
  StoredRoute,
} from '../../../src/session/store.ts';
import type { NewIdentity } from '../../../src/storage/identity-file.ts';

/** All that a store holds, as one value: never changed in place, so that two versions can share what is the same. */
export interface Data {
  readonly record: NewIdentity;
  readonly contacts: readonly Contact[];
  readonly sessions: readonly StoredSession[];
  readonly invites: readonly StoredInvite[];
  /** The openings that reusable invites let in. */
  readonly ledger: readonly { readonly prefixDigest: Uint8Array; readonly inviteId: Uint8Array }[];
  /** The last numbers that were given for names. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly outbox: readonly (OutboxEntry & { readonly id: OutboxId })[];
  readonly inbox: readonly (ListedInboxEntry & { readonly content: Uint8Array })[];
  readonly incoming: readonly (StoredIncoming & { readonly parts: readonly PartRecord[] })[];
  readonly outgoing: readonly StoredOutgoing[];
  readonly routes: readonly StoredRoute[];
  readonly leftEntries: readonly LeftEntry[];
  readonly spentBoxes: readonly SpentBox[];
  /** In the order of their names. */
  readonly lists: readonly ContactList[];
  readonly historySetting: HistorySetting | undefined;
  /** In the order in which they were kept. */
  readonly history: readonly (HistoryEntry & { readonly id: HistoryId })[];
  /** Ids are never given twice, whatever they name. */
  readonly lastId: number;
  /** How often messages were saved over all sessions. */
  readonly receptions: number;
}

export interface StoredSession extends Session {
  readonly state: RatchetState;
  /** Oldest first, as are the keys, which are gained in the order of chain and position. */
  readonly finished: readonly FinishedChain[];
  readonly skipped: readonly (SkippedKey & { readonly keptSince: number })[];
  readonly accepted: readonly AcceptedPosition[];
  readonly received: number;
  /** Which of all receptions was the last of this session. */
  readonly lastReception: number;
}

export interface AcceptedPosition {
  readonly chain: number;
  readonly n: number;
  readonly digest: Uint8Array;
  /** It was the session's so many-th. */
  readonly sequence: number;
}

/** One transaction's own version of the data. */
export class MemoryTransaction {
  #data: Data | undefined;

  constructor(data: Data) {
    this.#data = data;
  }

  get data(): Data {
    if (this.#data === undefined) throw new Error('the transaction is over');
    return this.#data;
  }

  change(difference: Partial<Data>): void {
    this.#data = { ...this.data, ...difference };
  }

  nextId(): number {
    this.change({ lastId: this.data.lastId + 1 });
    return this.data.lastId;
  }

  end(): void {
    this.#data = undefined;
  }
}

/**
 * A deep copy of plain data whose bytes share no memory with the original. Everything goes in and out through it:
 * callers wipe what they hand in and what they are given.
 */
export function copyOf<Value>(value: Value): Value;
export function copyOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map((element) => copyOf(element));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, copyOf(field)]));
}
