import { describe, expect, it } from 'vitest';
import type { SessionId } from '../../src/ratchet/index.ts';
import { releaseWhere, selectSession } from '../../src/session/select-session.ts';

const session = (id: number, difference = {}) => ({
  id: id as SessionId,
  isTheirs: false,
  isUnanswered: false,
  held: false,
  ...difference,
});

describe('of the sessions of a contact, given the one that was opened last first', () => {
  it('the first is sent on', () => {
    expect(selectSession([])).toBeUndefined();
    expect(selectSession([session(2), session(1)])?.id).toBe(2);
  });

  it('a held one is sent on only where all are held', () => {
    expect(selectSession([session(3, { held: true }), session(2), session(1)])?.id).toBe(2);
    expect(selectSession([session(2, { held: true }), session(1, { held: true })])?.id).toBe(2);
  });

  it('an opening of ours without an answer gives way to one of theirs that was accepted after it', () => {
    const ours = session(1, { isUnanswered: true });
    expect(selectSession([ours, session(2, { isTheirs: true })])?.id).toBe(2);
    expect(selectSession([ours, session(2)])?.id).toBe(1);
    expect(selectSession([session(3, { isUnanswered: true }), session(2, { isTheirs: true })])?.id).toBe(3);
    expect(selectSession([session(1), session(2, { isTheirs: true })])?.id).toBe(1);
  });
});

it('a held session waits for their answer, or for an invite if it is our turn', () => {
  expect([releaseWhere(false), releaseWhere(true)]).toEqual(['answered', 'invited']);
});
