/** Measures several conversations in turn, so that all meet the same speed of the machine. */
import type { Party } from './conversation.ts';
import { median } from './measure.ts';

const ROUNDS = 15;
const CHAIN = 500;
/** Turns in a round: enough for ten exchanges of KEM keys. */
const TURNS = 100;

/** µs a message. */
export interface Times {
  readonly send: number;
  readonly receive: number;
  /** Sending and receiving, the direction changes after each message. */
  readonly pingPong: number;
}

/** Two parties, and the times of their messages in each round. */
export class Conversation<Text, Message> {
  readonly #text: Text;
  #sender: Party<Text, Message>;
  #receiver: Party<Text, Message>;
  readonly #rounds: Times[] = [];

  constructor(text: Text, [sender, receiver]: readonly [Party<Text, Message>, Party<Text, Message>]) {
    this.#text = text;
    this.#sender = sender;
    this.#receiver = receiver;
  }

  async round(): Promise<void> {
    const messages: Message[] = [];
    const send = await microseconds(CHAIN, async () => {
      messages.push(await this.#sender.send(this.#text));
    });
    const receive = await microseconds(CHAIN, async (n) => {
      await this.#receiver.receive(messages[n] as Message);
    });
    const pingPong = await microseconds(TURNS, async () => {
      [this.#sender, this.#receiver] = [this.#receiver, this.#sender];
      await this.#receiver.receive(await this.#sender.send(this.#text));
    });
    this.#rounds.push({ send, receive, pingPong });
  }

  medians(): Times {
    return this.#summary(median);
  }

  minima(): Times {
    return this.#summary((values) => Math.min(...values));
  }

  /** Without the first round, which warms up. */
  #summary(summarize: (values: readonly number[]) => number): Times {
    const of = (part: keyof Times) => summarize(this.#rounds.slice(1).map((times) => times[part]));
    return { send: of('send'), receive: of('receive'), pingPong: of('pingPong') };
  }
}

/** One round of each conversation after the other, several times. */
export async function sideBySide(
  conversations: readonly Pick<Conversation<unknown, unknown>, 'round'>[],
): Promise<void> {
  for (let round = 0; round <= ROUNDS; round++) {
    for (const conversation of conversations) await conversation.round();
  }
}

async function microseconds(calls: number, call: (n: number) => Promise<void>): Promise<number> {
  const start = process.hrtime.bigint();
  for (let n = 0; n < calls; n++) await call(n);
  return Number(process.hrtime.bigint() - start) / calls / 1_000;
}
