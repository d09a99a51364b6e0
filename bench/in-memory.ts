/** The ratchet in memory, beside libsignal and olm where these are installed. */
import { RULES, type Rules } from '../src/ratchet/index.ts';
import { meet } from './conversation.ts';
import type { Figure } from './measure.ts';
import { INSTALL, installedPeers } from './peers.ts';
import { Conversation, sideBySide, type Times } from './side-by-side.ts';

const TEXT = new Uint8Array(100).fill(0x61);

/** @returns µs a message of pawl, and of the peers that are installed with their ratio to pawl. */
export async function inMemory(): Promise<readonly Figure[]> {
  const pawl = talk(RULES);
  const withoutKem = talk({ ...RULES, offerAfterSteps: Number.POSITIVE_INFINITY });
  const peers = await installedPeers(TEXT.length);
  if (peers === undefined) process.stdout.write(`\nTo measure libsignal and olm side by side: ${INSTALL}\n`);
  const others = Object.entries(peers ?? {});
  await sideBySide([pawl, withoutKem, ...others.map(([, peer]) => peer)]);

  const { pingPong } = pawl.medians();
  const plain = withoutKem.medians();
  const figure = (name: string, of: Pick<typeof pawl, 'medians' | 'minima'>, part: keyof Times): Figure => ({
    name,
    value: of.medians()[part],
    best: of.minima()[part],
  });
  const beside = (own: typeof pawl, part: keyof Times): Figure[] =>
    others.map(([name, peer]) => ({
      ...figure(`    ${name}`, peer, part),
      ratio: peer.medians()[part] / own.medians()[part],
    }));
  return [
    figure('same chain, send', withoutKem, 'send'),
    ...beside(withoutKem, 'send'),
    figure('same chain, receive', withoutKem, 'receive'),
    ...beside(withoutKem, 'receive'),
    figure('ping-pong, send and receive', pawl, 'pingPong'),
    ...beside(pawl, 'pingPong'),
    { name: '  of it the two DH steps', value: plain.pingPong - plain.send - plain.receive },
    { name: '  of it ML-KEM, on average', value: pingPong - plain.pingPong },
  ];
}

function talk(rules: Rules): Conversation<Uint8Array, Uint8Array> {
  return new Conversation(TEXT, meet(TEXT, rules));
}
