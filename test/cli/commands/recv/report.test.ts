import { expect, it } from 'vitest';
import { deliveryDocument } from '../../../../src/cli/commands/recv/report.ts';
import type { Delivery, InboxId, Notice } from '../../../../src/session/index.ts';
import { START } from '../../../session/party.ts';
import { expectValid } from '../../schemas.ts';

function delivered(...notices: readonly Notice[]): Delivery {
  return {
    ...{
      type: 'message',
      inboxId: 1 as InboxId,
      claimedAt: 0,
      from: 'alice',
      verified: true,
      id: new Uint8Array(16),
      n: 0,
    },
    ...{ late: false, again: false, content: { type: 'text', sentAt: START, bytes: Buffer.from('hi') }, notices },
  };
}

it('a text that contradicts an earlier one says so in its document: why, and when that was found', () => {
  const fork = { kind: 'fork', reason: 'chain-shorter-than-received', at: START + 5 } as const;
  const document = deliveryDocument(delivered({ kind: 'lost', count: 2 }, fork));
  expect(document).toMatchObject({ text: 'hi', fork: { reason: fork.reason, at: '2026-01-01T00:00:00.005Z' } });
  expectValid({ v: 1, ...document } as { type: string });
  expect(deliveryDocument(delivered({ kind: 'lost', count: 2 }))).not.toHaveProperty('fork');
});
