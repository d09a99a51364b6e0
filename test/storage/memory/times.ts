import type { InviteFate } from '../../../src/handshake/index.ts';
import type { RatchetState } from '../../../src/ratchet/index.ts';
import type { Times } from '../../../src/session/store.ts';
import type { MemoryTransaction } from './data.ts';

export function timesOf(transaction: MemoryTransaction): Times {
  return {
    async correctTimes(now, ahead) {
      const right = <Time extends number | undefined>(time: Time): Time =>
        (time !== undefined && time > now + ahead ? now : time) as Time;
      const rightFate = (fate: InviteFate): InviteFate => ('at' in fate ? { ...fate, at: right(fate.at) } : fate);
      const rightState = (state: RatchetState): RatchetState => {
        const { mixed, exchange } = state.rekeying;
        const at = right(mixed.at);
        return at === mixed.at ? state : { ...state, rekeying: { mixed: { ...mixed, at }, exchange } };
      };
      const seconds = (time: number) => Math.floor(time / 1_000) * 1_000;
      const {
        record,
        contacts,
        sessions,
        invites,
        outbox,
        inbox,
        incoming,
        outgoing,
        spentBoxes,
        historySetting,
        history,
      } = transaction.data;
      transaction.change({
        record: { ...record, createdAt: right(record.createdAt) },
        contacts: contacts.map((contact) => ({
          ...contact,
          addedAt: right(contact.addedAt),
          verifiedAt: right(contact.verifiedAt),
          invite: contact.invite && { ...contact.invite, addedAt: right(contact.invite.addedAt) },
        })),
        sessions: sessions.map((session) => ({
          ...session,
          createdAt: right(session.createdAt),
          lastDhStepAt: right(session.lastDhStepAt),
          fork: session.fork && {
            ...session.fork,
            at: right(session.fork.at),
            acknowledgedAt: right(session.fork.acknowledgedAt),
          },
          skipped: session.skipped.map((key) => ({ ...key, keptSince: right(key.keptSince) })),
          state: rightState(session.state),
        })),
        invites: invites.map((invite) => {
          const { createdAt, expiresAt, fate } = invite;
          const made = right(createdAt);
          const expires = made === createdAt ? expiresAt : seconds(made) + expiresAt - seconds(createdAt);
          return { ...invite, createdAt: made, expiresAt: expires, fate: rightFate(fate) };
        }),
        outbox: outbox.map((entry) => ({ ...entry, createdAt: right(entry.createdAt) })),
        inbox: inbox.map((entry) => ({
          ...entry,
          receivedAt: right(entry.receivedAt),
          triedAt: right(entry.triedAt),
        })),
        incoming: incoming.map((row) => ({
          ...row,
          receivedAt: right(row.receivedAt),
        })),
        outgoing: outgoing.map((row) => ({
          ...row,
          createdAt: right(row.createdAt),
        })),
        spentBoxes: spentBoxes.map((spent) => ({ ...spent, spentAt: right(spent.spentAt) })),
        historySetting: historySetting && { ...historySetting, since: right(historySetting.since) },
        history: history.map((entry) => ({ ...entry, at: right(entry.at) })),
      });
    },
  };
}
