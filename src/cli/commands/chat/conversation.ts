/**
 * The conversation of `pawl chat`: sends what is typed, hands it over, and shows what comes. What comes of others stays in the
 * inbox.
 * Knows nothing of keys and lines.
 */
import { encodeContent } from '../../../envelope/index.ts';
import { PawlError } from '../../../errors.ts';
import { REPLACEMENT } from '../../../files/index.ts';
import { pause } from '../../../places/index.ts';
import { fromUtf8 } from '../../../primitives/index.ts';
import {
  type Arrival,
  acknowledgeDelivered,
  acknowledgeSent,
  type Claim,
  checkBoxes,
  claim,
  contactReports,
  HeldTexts,
  type InboxId,
  listWaiting,
  type Mailboxes,
  mailboxes,
  nameOf,
  type Outcome,
  readClaimed,
  receive,
  recentHistory,
  type Sent,
  type WaitingText,
} from '../../../session/index.ts';
import { Carrier, HandOverQueue, isOfPlace, stillWaiting } from '../../carrier/hand-over.ts';
import { waitForNews } from '../../carrier/news.ts';
import { Places } from '../../carrier/places.ts';
import { type CarriedItem, Round } from '../../carrier/round.ts';
import { isAway, type OpenIdentity } from '../../identity/open.ts';
import { logLines } from '../../show/history.ts';
import { Batches } from '../../stream/batches.ts';
import type { InputItem } from '../../stream/envelopes.ts';
import { acknowledgeOrWarn } from '../../stream/write.ts';
import { explain } from '../../terminal/error-messages.ts';
import { bytesInWords, count, TEXT_INDENT } from '../../terminal/format.ts';
import { bytesTyped } from '../../terminal/typed-keys.ts';
import { wrap } from '../../terminal/wrap.ts';
import { inInputOrder, isArrival, isPart, lengthOf, reportGaps } from '../recv/receive.ts';
import { Repeats } from '../recv/repeats.ts';
import { reportNotices, reportOutcome, reportWaiting, textForTerminal } from '../recv/report.ts';
import { encrypt } from '../send/encrypt.ts';
import type { ChatScreen } from './screen.ts';

/** Milliseconds after which a place is tried again that could not be reached: at first, and at most. */
const FIRST_RETRY = 1_000;
const LAST_RETRY = 10_000;
/** Milliseconds after which what a place did not take is tried again, while it takes others. */
const RETRY_OF_LARGE = 60_000;
/** Milliseconds after which receiving is tried again when the identity cannot be had. */
const AWAY_PAUSE = 1_000;
/** Rows that the history leaves to what is said at the beginning, and to the line. */
const ROWS_LEFT = 4;
const DEFAULT_ROWS = 24;

const NOTHING_SETTLED = { delivered: [], deferred: [] } as const;

export class Conversation {
  readonly #screen: ChatScreen;
  readonly #identity: OpenIdentity;
  readonly #name: string;
  readonly #places: Places;
  readonly #over = new AbortController();
  /** What was typed is sent one after the other. */
  #sending: Promise<void> = Promise.resolve();
  /** Is told of an error that ends the conversation. */
  #fail: (error: unknown) => void = () => undefined;
  readonly #failed: Promise<never>;
  #following: Promise<void> = Promise.resolve();
  /** Committed, and not handed over yet, that of earlier commands too; `undefined`: nothing was to be handed over yet. */
  #queue: HandOverQueue | undefined;
  /** Whether it was told that something of earlier commands still waits. */
  #hasToldEarlier = false;
  #retry: NodeJS.Timeout | undefined;
  #delay = FIRST_RETRY;
  /** What was told to wait. */
  readonly #told = new Set<InboxId>();

  constructor(screen: ChatScreen, identity: OpenIdentity, name: string) {
    this.#screen = screen;
    this.#identity = identity;
    this.#name = name;
    this.#places = new Places(screen.context);
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
  }

  /** Shows the end of the history, and what is to be known before anything is typed. */
  async begin(): Promise<void> {
    const { context, columns, rows = DEFAULT_ROWS } = this.#screen;
    const { reporter } = context;
    const contact = (await contactReports(this.#identity)).find(({ name }) => name === this.#name);
    const recent = contact && (await recentHistory(this.#identity, this.#name, rows));
    let page = '';
    for (const logged of recent?.toReversed() ?? []) {
      const lines = `${wrap(logLines(logged).join('\n'), columns, TEXT_INDENT)}\n`;
      if (page !== '' && `${lines}${page}`.split('\n').length > rows - ROWS_LEFT) break;
      page = lines + page;
    }
    if (page !== '') await this.#screen.show(page);
    if (contact === undefined) {
      await reporter.notice(`nobody has come in by the invite for ${this.#name} yet: they write first`);
    } else if (recent === undefined) {
      await reporter.notice('history is off, so nothing that is said here is kept (pawl history 30d)');
    }
    if (contact?.verified === false) {
      await reporter.warn(
        `${this.#name} is unverified: it may be anyone until you compare safety numbers (pawl verify ${this.#name})`,
      );
    }
    await reporter.notice('Ctrl-D ends it');
  }

  /** Sends a line, unless it is blank. Returns at once. */
  say(line: string): void {
    if (line.trim() !== '') this.#inTurn(() => this.#send(line));
  }

  /**
   * Shows what waits and what comes, until `end` is called.
   * @throws what receiving and sending throw.
   */
  async follow(): Promise<never> {
    this.#following = this.#fetchOnAndOn();
    this.#following.catch(this.#fail);
    return this.#failed;
  }

  /** Hands over what was typed last. */
  async finish(): Promise<void> {
    await this.#sending;
  }

  /** Ends what is under way. What was typed is encrypted, and what is not handed over is told to wait. */
  async end(): Promise<void> {
    const { reporter } = this.#screen.context;
    clearTimeout(this.#retry);
    reporter.end();
    this.#over.abort();
    await this.#places.close();
    await Promise.allSettled([this.#following, this.#sending]);
    const left = this.#queue?.size ?? 0;
    if (left === 0) return;
    const [wait, go] = left === 1 ? ['waits', 'it goes'] : ['wait', 'they go'];
    await reporter.notice(
      `${count(left, 'message')} for ${this.#name} ${wait}: ${go} with the next pawl send, recv or chat`,
    );
  }

  /** Does one thing after the other. A known error is told, and the conversation goes on. */
  #inTurn(work: () => Promise<void>): void {
    const { reporter } = this.#screen.context;
    this.#sending = this.#sending.then(work).catch(async (error) => {
      if (error instanceof PawlError) await reporter.error(error);
      else this.#fail(error);
    });
  }

  /** @throws `not-utf8`, and what sending throws. */
  async #send(line: string): Promise<void> {
    const { context } = this.#screen;
    const bytes = bytesTyped(line);
    if (fromUtf8(bytes)?.includes(REPLACEMENT) !== false) throw new PawlError('not-utf8', { what: 'what was typed' });
    await checkBoxes(this.#identity, this.#name);
    const content = encodeContent({ type: 'text', sentAt: this.#identity.now(), bytes });
    const sent = await encrypt(context, this.#identity, { name: this.#name, plaintexts: [content] });
    this.#queue ??= await HandOverQueue.for(this.#identity, this.#name);
    this.#queue.add(sent);
    await this.#handOver(this.#queue, sent);
    if (sent.some(({ box }) => box === undefined)) throw new PawlError('no-boxes', { name: this.#name });
  }

  /** Hands over what waits, and what was just typed. What cannot be is tried again after a while. */
  async #handOver(queue: HandOverQueue, typed: readonly Sent[]): Promise<void> {
    const { reporter } = this.#screen.context;
    const { signal } = this.#over;
    clearTimeout(this.#retry);
    if (signal.aborted) return;
    try {
      const carrier = await Carrier.for(this.#places, this.#identity, this.#name);
      if (carrier === undefined) {
        throw new PawlError('usage', {
          problem: `there is no route to ${this.#name} any more`,
          hint: `pawl route ${this.#name} dir:FOLDER`,
        });
      }
      // With each line the place is tried, but not what it did not take while it took others.
      if (typed.length === 0 || !queue.isReached) queue.tryAgain();
      const isTyped = new Set(typed.map(({ outboxId }) => outboxId));
      let waited = 0;
      for await (const { outboxId } of queue.handOver(carrier, signal)) {
        if (!isTyped.has(outboxId)) waited += 1;
        await acknowledgeOrWarn(reporter, () => acknowledgeSent(this.#identity, [outboxId]));
      }
      if (waited > 0) {
        await reporter.notice(`handed over to ${carrier.title}: ${count(waited, 'message')} that had to wait`);
      }
      if (queue.failure !== undefined) throw queue.failure;
      this.#delay = FIRST_RETRY;
    } catch (error) {
      if (!isOfPlace(error) && !isAway(error)) throw error;
      if (signal.aborted) return;
      const { message } = explain(error);
      if (typed.some(({ outboxId }) => queue.has(outboxId))) {
        await reporter.warn(`it waits: ${message}; it is handed over once it can be`);
      } else if (typed.length > 0 && !this.#hasToldEarlier) {
        this.#hasToldEarlier = true;
        await reporter.warn(stillWaiting(queue, this.#name));
      }
      const delay = queue.isReached ? RETRY_OF_LARGE : this.#delay;
      this.#retry = setTimeout(() => this.#inTurn(() => this.#handOver(queue, [])), delay);
      this.#delay = Math.min(2 * this.#delay, LAST_RETRY);
    }
  }

  async #fetchOnAndOn(): Promise<void> {
    const { signal } = this.#over;
    while (!signal.aborted) {
      try {
        const { read, untilNext } = await this.#fetch();
        const boxesNow = () => mailboxes(this.#identity);
        await waitForNews(this.#places, { read }, { boxesNow, most: untilNext, signal });
      } catch (error) {
        if (!isAway(error)) throw error;
        await this.#places.troubles.tell(error);
        this.#places.troubles.endRound();
        await pause(AWAY_PAUSE, signal);
      }
    }
  }

  /** Shows what waits, and takes what has come at all places. */
  async #fetch(): Promise<{ readonly read: readonly Mailboxes[]; readonly untilNext: number | undefined }> {
    const { context } = this.#screen;
    await this.#showWaiting();
    const round = new Round(context, this.#identity, this.#places);
    const read = await mailboxes(this.#identity);
    try {
      const batches = new Batches(round.items(read), { lengthOf });
      for (let batch = await batches.next(); batch !== undefined; batch = await batches.next()) {
        await this.#take(batch, round);
      }
    } finally {
      await round.finish();
    }
    this.#places.troubles.endRound();
    return { read, untilNext: round.untilNext };
  }

  /** Takes messages into the inbox. Parts of large contents stay where they are: there is no place for them here. */
  async #take(batch: readonly CarriedItem[], round: Round): Promise<void> {
    const items = batch.filter((item): item is InputItem<Arrival> => !isPart(item));
    const { context } = this.#screen;
    while (items.length > 0) {
      const received = await receive(this.#identity, items.filter(isArrival), { delivers: () => false });
      const outcomes = inInputOrder(items, received.outcomes);
      const told = await round.settle(items, outcomes);
      items.splice(0, outcomes.length);
      for (const outcome of told) await this.#tell(outcome);
      await reportGaps(context, this.#identity, received.gaps);
      await this.#showWaiting();
    }
  }

  /** Tells what became of an envelope. The texts themselves are shown by `#showWaiting`. */
  async #tell(outcome: Outcome): Promise<void> {
    const { context } = this.#screen;
    switch (outcome.type) {
      case 'message':
      case 'waiting':
        return reportNotices(context, { again: false, ...outcome }, { hasHead: true });
      case 'announced': {
        await reportOutcome(context, outcome);
        const { size } = outcome.descriptor;
        const what = `${nameOf(outcome.descriptor)}${size === undefined ? '' : ` (${bytesInWords(size)})`}`;
        return context.reporter.warn(`${outcome.from} sends ${what}: pawl recv --fetch --out-dir DIR`);
      }
      case 'refused':
        await reportOutcome(context, outcome);
        return;
      default: {
        const repeats = new Repeats(context.reporter);
        await repeats.add(outcome);
        return repeats.report();
      }
    }
  }

  /** Shows the texts of the contact that are in the inbox, and says once of everything else there that it waits. */
  async #showWaiting(): Promise<void> {
    const { context } = this.#screen;
    const waiting = await listWaiting(this.#identity);
    const isShown = ({ from, head }: WaitingText) => from === this.#name && head.kind === 'text';
    await this.#tellWaiting(waiting.filter((text) => !isShown(text)));
    const texts = waiting.filter(isShown);
    if (texts.length === 0) return;
    const claims: Claim[] = await claim(this.#identity, texts, NOTHING_SETTLED);
    const held = new HeldTexts(this.#identity);
    held.add(claims);
    const delivered: InboxId[] = [];
    try {
      while (claims.length > 0) {
        for (const delivery of await readClaimed(this.#identity, claims)) {
          if (await held.renew({ delivered, deferred: [] })) delivered.length = 0;
          // Another process has taken it over.
          if (!held.has(delivery.inboxId)) continue;
          // Whether it is verified was said at the beginning.
          await this.#screen.show(textForTerminal({ ...delivery, verified: true }, this.#screen.columns));
          delivered.push(delivery.inboxId);
        }
      }
    } finally {
      const settled = { delivered, deferred: claims.map(({ inboxId }) => inboxId) };
      await acknowledgeOrWarn(context.reporter, () => acknowledgeDelivered(this.#identity, settled));
    }
  }

  /** Tells what has come to wait; of others, how much of theirs waits by now. */
  async #tellWaiting(texts: readonly WaitingText[]): Promise<void> {
    const { context } = this.#screen;
    const untold = texts.filter(({ inboxId }) => !this.#told.has(inboxId));
    for (const { inboxId } of untold) this.#told.add(inboxId);
    await reportWaiting(
      context,
      untold.filter(({ from }) => from === this.#name),
    );
    for (const from of new Set(untold.map((text) => text.from).filter((name) => name !== this.#name))) {
      const number = texts.filter((text) => text.from === from).length;
      const wait = number === 1 ? 'waits' : 'wait';
      await context.reporter.warn(`${count(number, 'message')} of ${from} ${wait}: pawl recv --waiting`);
    }
  }
}
