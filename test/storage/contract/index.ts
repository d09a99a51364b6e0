import { describe } from 'vitest';
import type { MakeStore } from '../fixtures.ts';
import { boxes } from './boxes.ts';
import { contacts } from './contacts.ts';
import { copies } from './copies.ts';
import { history } from './history.ts';
import { invites } from './invites.ts';
import { limits } from './limits.ts';
import { lists } from './lists.ts';
import { ratchet } from './ratchet.ts';
import { routes } from './routes.ts';
import { sessions } from './sessions.ts';
import { times } from './times.ts';
import { transactions } from './transactions.ts';
import { transfers } from './transfers.ts';

/** What every store must do, whatever it keeps things in (docs/ARCHITECTURE.md, law 6). */
export function storeContract(name: string, make: MakeStore): void {
  describe(name, () => {
    describe('a transaction', () => transactions(make));
    describe('bytes', () => copies(make));
    describe('contacts', () => contacts(make));
    describe('invites', () => invites(make));
    describe('sessions', () => sessions(make));
    describe('the ratchet', () => ratchet(make));
    describe('limits', () => limits(make));
    describe('outbox and inbox', () => boxes(make));
    describe('contents in parts', () => transfers(make));
    describe('routes', () => routes(make));
    describe('lists', () => lists(make));
    describe('the history', () => history(make));
    describe('times of our own clock', () => times(make));
  });
}
