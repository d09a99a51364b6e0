/**
 * The stream of a NATS server in which the boxes are: its settings, and requests to it.
 * Knows no box and no envelope.
 */
import type { Msg, MsgHdrs, Subscription } from '@nats-io/transport-node';
import { PawlError } from '../errors.ts';
import {
  addressOf,
  connectTo,
  loadPackage,
  loginOf,
  type NatsAddress,
  type NatsClient,
  type NatsLogin,
  TooSlow,
} from './nats-client.ts';
import { BadAnswer, CODES, isOfName, Refused, STREAM, TooLarge, wordsOf } from './nats-failures.ts';
import { FIELDS, LARGEST_ANSWER } from './nats-frames.ts';
import { timeFor } from './patience.ts';
import type { MakeOptions, PlaceContext } from './place.ts';

/** What was found about the stream. */
export interface StreamState {
  /** When it was made, as the server writes it: another one is another stream. */
  readonly created: string;
  readonly messages: number;
  readonly first: number;
  /** The sequence number of the newest message that there ever was. */
  readonly last: number;
}

/** What a consumer says of a message. */
export interface Listing {
  readonly subject: string;
  readonly sequence: number;
  /** How many of the consumer's messages come after it. */
  readonly pending: number;
  /** Of its body, in bytes; 0 where it is not known. */
  readonly size: number;
  readonly name: string | undefined;
}

type Core = Awaited<ReturnType<typeof loadPackage>>;
type Settings = Readonly<Record<string, unknown>>;

const SUBJECTS = 'pawl.>';
/** Of a box. As many are listed of one at a time. */
const MOST_ENVELOPES = 10_000;
const DAY = 86_400 * 1e9;
const MOST_BYTES = 2 ** 30;
/** In bytes: what a consumer says of a message is about as long. */
const LISTING = 256;

const SETTINGS: Settings = {
  name: STREAM,
  subjects: [SUBJECTS],
  storage: 'file',
  // A work queue allows one consumer a subject: the first one on all subjects would lock everybody out.
  retention: 'limits',
  // What is full refuses. The other way is to drop the oldest, by which junk would push out what was acknowledged.
  discard: 'new',
  discard_new_per_subject: true,
  max_msgs_per_subject: MOST_ENVELOPES,
  max_msgs: -1,
  max_bytes: MOST_BYTES,
  max_age: 30 * DAY,
  max_msg_size: -1,
  max_consumers: -1,
  num_replicas: 1,
};

/** Without these nothing is kept until it is removed, whatever the person says who runs the server. */
const NEEDED: readonly [(stream: Settings) => boolean, (stream: Settings) => string][] = [
  [
    ({ subjects }) => Array.isArray(subjects) && subjects.some((one) => /^(?:pawl\.)?[>*]$/.test(one) && one !== '*'),
    () => `its subjects are not ${SUBJECTS}`,
  ],
  [({ retention }) => retention === 'limits', ({ retention }) => `its retention is ${retention}, not limits`],
  [({ no_ack }) => no_ack !== true, () => 'it does not acknowledge (no_ack)'],
  [({ sealed }) => sealed !== true, () => 'it is sealed'],
  [({ deny_delete }) => deny_delete !== true, () => 'nothing can be removed from it (deny_delete)'],
  [({ mirror }) => mirror === undefined, () => 'it mirrors another'],
];

const WANTED: typeof NEEDED = [
  [({ storage }) => storage === 'file', () => 'it is kept in memory'],
  [({ discard }) => discard === 'new', () => 'what is full drops the oldest envelopes (discard is not new)'],
  [
    ({ discard_new_per_subject, max_msgs_per_subject }) =>
      discard_new_per_subject === true && isWithin(max_msgs_per_subject, 100, MOST_ENVELOPES),
    () => `one box can fill it (max_msgs_per_subject is not 100 to ${MOST_ENVELOPES}, with discard_new_per_subject)`,
  ],
  [({ max_bytes }) => isWithin(max_bytes, 1, Number.MAX_SAFE_INTEGER), () => 'its size has no limit (max_bytes)'],
  [({ max_msgs }) => max_msgs === -1, () => 'it is full after a number of envelopes (max_msgs)'],
  [
    ({ max_age }) => isWithin(max_age, 30 * DAY, 366 * DAY),
    () => 'it keeps envelopes for less than 30 days, or for ever (max_age)',
  ],
  [({ allow_rollup_hdrs }) => allow_rollup_hdrs !== true, () => 'who sends can empty a box (allow_rollup_hdrs)'],
];

/** Whether it is a number of messages, or that of a message. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}

/** What of a stream does not suit. */
function flawOf(stream: Settings, isAnyTaken: boolean): string | undefined {
  for (const [suits, words] of isAnyTaken ? NEEDED : [...NEEDED, ...WANTED]) {
    if (!suits(stream)) return words(stream);
  }
  return undefined;
}

/** Requests to the server of a route. It is connected to when something is asked, and again when the connection was lost. */
export class NatsStream {
  readonly #core: Core;
  readonly #address: NatsAddress;
  readonly #login: NatsLogin;
  readonly #timeLimit: number;
  readonly #closing = new AbortController();
  #client: Promise<NatsClient> | undefined;

  /** Connects to nothing yet. @throws `no-addon`, `missing-file`, `read-failed`. */
  static async of(url: string, credentials: string | undefined, context: PlaceContext): Promise<NatsStream> {
    const core = await loadPackage();
    return new NatsStream(core, addressOf(url), loginOf(core, credentials, context.environment), context);
  }

  private constructor(core: Core, address: NatsAddress, login: NatsLogin, { timeLimit = 30_000 }: PlaceContext) {
    this.#core = core;
    this.#address = address;
    this.#login = login;
    this.#timeLimit = timeLimit;
  }

  get timeLimit(): number {
    return this.#timeLimit;
  }

  /** Turns what was thrown into `unreachable`, unless it is a known error, or one of ours. */
  failure(error: unknown): unknown {
    if ([PawlError, TypeError, RangeError, ReferenceError].some((kind) => error instanceof kind)) return error;
    return this.unreachable(wordsOf(error, this.#timeLimit), error);
  }

  unreachable(reason: string, cause?: unknown): PawlError {
    return new PawlError('unreachable', { place: this.#address.shown, reason }, { cause });
  }

  /** Runs work that asks the server. @throws `unreachable`. */
  async reach<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** The connection that there is, or a new one. */
  async client(): Promise<NatsClient> {
    if (this.#closing.signal.aborted) throw new Error('connection closed');
    this.#client ??= this.#connect();
    const client = await this.#client;
    if (client.isOver()) throw new Error('connection closed');
    return client;
  }

  #connect(): Promise<NatsClient> {
    const { signal } = this.#closing;
    const made = connectTo(this.#core, this.#address, this.#login, { timeLimit: this.#timeLimit, signal });
    const forget = () => {
      if (this.#client === made) this.#client = undefined;
    };
    made.then(({ connection }) => connection.closed().then(forget), forget);
    return made;
  }

  headers(): MsgHdrs {
    return this.#core.headers();
  }

  /** Sends, and awaits the answer. @throws the package's errors. */
  async request(subject: string, body: Uint8Array | string, headers?: MsgHdrs): Promise<Msg> {
    const client = await this.client();
    const arrived = client.awaitAnswer(body.length);
    let useful = 0;
    try {
      const answer = await client.connection.request(subject, body, {
        timeout: timeFor(LARGEST_ANSWER, this.#timeLimit),
        ...(headers && { headers }),
      });
      useful = body.length + answer.data.length;
      return answer;
    } catch (error) {
      if (isOfName(error, 'TimeoutError')) client.end(new TooSlow());
      throw await this.#why(client, error);
    } finally {
      arrived(useful);
    }
  }

  /** A request fails of a closed connection: tells why it was closed. */
  async #why({ connection }: NatsClient, error: unknown): Promise<unknown> {
    return connection.isClosed() ? ((await connection.closed()) ?? error) : error;
  }

  /**
   * Asks for something of JetStream.
   * @param verb such as `STREAM.INFO`; `rest`: what follows the stream's name.
   * @throws {@link Refused}, the package's errors.
   */
  async ask<Answer>(verb: string, body: Settings, rest = ''): Promise<Partial<Answer>> {
    return answerOf<Answer>(await this.request(`$JS.API.${verb}.${STREAM}${rest}`, JSON.stringify(body)));
  }

  /**
   * Takes messages from a consumer, until there are no more, or `most` of them.
   * @param expires the most milliseconds that the server waits for more.
   * @throws {@link Refused}, {@link BadAnswer}, the package's errors.
   */
  async pull(consumer: string, most: number, expires: number): Promise<Listing[]> {
    const client = await this.client();
    const { connection } = client;
    const arrived = client.awaitAnswer();
    const inbox = this.#core.createInbox();
    // Without their bytes: headers may be as long as whole messages.
    const listings: Listing[] = [];
    let subscription: Subscription | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const take = (message: Msg) => {
          // A status of the server's has no subject for answers. Who sends a message can give it the look of one.
          if (!message.reply) {
            checkEnd(message);
            resolve();
            return;
          }
          if (listings.length === most) return;
          const listing = listingOf(message);
          listings.push(listing);
          if (listings.length === most || listing.pending === 0) resolve();
        };
        subscription = connection.subscribe(inbox, {
          callback: (error, message) => {
            try {
              if (error) throw error;
              take(message);
            } catch (cause) {
              // The package does not expect one.
              reject(cause);
            }
          },
        });
        subscription.closed.then(() => reject(new Error('connection closed')));
        connection.publish(
          `$JS.API.CONSUMER.MSG.NEXT.${STREAM}.${consumer}`,
          JSON.stringify({ batch: most, expires: expires * 1e6 }),
          { reply: inbox },
        );
      });
      return listings;
    } catch (error) {
      throw await this.#why(client, error);
    } finally {
      subscription?.unsubscribe();
      arrived(listings.length * LISTING);
    }
  }

  async state(): Promise<StreamState> {
    const { created, state } = await this.ask<{ created: unknown; state: Settings }>('STREAM.INFO', {});
    const { messages, first_seq: first, last_seq: last } = state ?? {};
    if (typeof created !== 'string' || !isCount(messages) || !isCount(first) || !isCount(last)) throw new BadAnswer();
    return { created, messages, first, last };
  }

  /**
   * Makes the stream where there is none, and checks it.
   * @throws `unreachable`, `unsuited-stream`.
   */
  async make(options: MakeOptions): Promise<void> {
    await this.reach(async () => {
      const config = await this.#config(options);
      const flaw = config && flawOf(config, options.anyStream === true);
      if (flaw !== undefined) throw new PawlError('unsuited-stream', { place: this.#address.shown, reason: flaw });
    });
  }

  /** The settings of the stream; nothing where this user may not see them, because he may only send. */
  async #config(options: MakeOptions): Promise<Settings | undefined> {
    try {
      return configOf(await this.ask<{ config: unknown }>('STREAM.INFO', {}));
    } catch (error) {
      if (isOfName(error, 'PermissionViolationError') && !options.create) return undefined;
      if (isOfName(error, 'NoResponders')) throw this.unreachable('JetStream is not enabled there', error);
      if (!(options.create && error instanceof Refused && error.code === CODES.noStream)) throw error;
    }
    return configOf(await this.ask<{ config: unknown }>('STREAM.CREATE', SETTINGS));
  }

  /** Ends what is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    const client = await this.#client?.catch(() => undefined);
    await client?.connection.close();
  }
}

function configOf({ config }: { readonly config?: unknown }): Settings {
  if (typeof config !== 'object' || config === null) throw new BadAnswer();
  return { ...config };
}

/**
 * Reads the answer of JetStream to a request.
 * @param Answer what it should have; nobody has checked that it does.
 * @throws {@link Refused}, {@link BadAnswer}.
 */
export function answerOf<Answer>({ data }: Msg): Partial<Answer> {
  if (data.length === 0) throw new TooLarge();
  let answer: unknown;
  try {
    answer = JSON.parse(Buffer.from(data.buffer, data.byteOffset, data.length).toString());
  } catch (cause) {
    throw new BadAnswer({ cause });
  }
  if (typeof answer !== 'object' || answer === null) throw new BadAnswer();
  if ('error' in answer && typeof answer.error === 'object') {
    const { err_code, code, description } = { ...answer.error } as Settings;
    throw new Refused(Number(err_code ?? code), typeof description === 'string' ? description : `it refuses (${code})`);
  }
  return answer as Partial<Answer>;
}

/** There are no more, or none came in time. All other statuses are failures. @throws {@link Refused}, {@link BadAnswer}. */
function checkEnd({ headers }: Msg): void {
  const { code = 0, description = '' } = headers ?? {};
  if (code === 0) throw new BadAnswer();
  if (code !== 404 && code !== 408) throw new Refused(code, description);
}

/** @throws {@link BadAnswer}. */
function listingOf({ subject, reply = '', headers }: Msg): Listing {
  // $JS.ACK.STREAM.CONSUMER.DELIVERED.SEQUENCE.CONSUMER'S.TIME.PENDING; newer ones have a domain and an account before.
  const tokens = reply.split('.');
  const from = tokens.length > 9 ? 2 : 0;
  const [sequence, pending] = [Number(tokens[from + 5]), Number(tokens[from + 8])];
  // One whose headers were too long is passed over, with them.
  const size = Number(headers?.get(FIELDS.size) ?? 0);
  if (!reply.startsWith('$JS.ACK.') || !isCount(sequence) || !isCount(pending) || !isCount(size)) throw new BadAnswer();
  return { subject, sequence, pending, size, name: headers?.get(FIELDS.name) };
}
