import { expect, it } from 'vitest';
import { asTheyCome, checkTrust, placeContext, Troubles } from '../../../src/cli/carrier/places.ts';
import type { CommandContext } from '../../../src/cli/context.ts';
import { PawlError } from '../../../src/errors.ts';
import type { Route } from '../../../src/places/index.ts';

const FOREIGN: readonly [Route, boolean][] = [
  [{ kind: 'dir', path: '/us', mark: '0'.repeat(32) }, true],
  [{ kind: 'exec', command: 'touch evil' }, false],
  // Any file of a line would be sent there as a password.
  [{ kind: 'nats', url: 'nats://evil', credentials: '/home/alice/.pawl-passphrase' }, false],
];

it.each(FOREIGN)('a route %j that came with the file is used: %s', (route, isUsed) => {
  const check = () => checkTrust({ route, isTrusted: false });
  if (isUsed) expect(check).not.toThrow();
  else expect(check).toThrow('untrusted-route');
  expect(() => checkTrust({ route, isTrusted: true })).not.toThrow();
});

it('a route gets no passphrase of pawl, and no password of a database', () => {
  const given = ['PATH', 'PAWL_PASSPHRASE', 'PAWL_HOME', 'PGPASSWORD', 'PGPASSFILE', 'NATS_PASSWORD'];
  const variables = (isMeant: (name: string) => boolean) =>
    Object.fromEntries(given.filter(isMeant).map((name) => [name, 'x']));
  const { environment } = placeContext({ io: { variables } } as unknown as CommandContext);
  expect(Object.keys(environment)).toEqual(['PATH', 'PGPASSFILE', 'NATS_PASSWORD']);
});

it('a trouble that goes on is told once, and again when it comes back', async () => {
  const told: string[] = [];
  const error = async ({ detail }: PawlError, about?: string) => {
    told.push(`${about} ${JSON.stringify(detail)}`);
    return 69;
  };
  const troubles = new Troubles({ reporter: { error } } as unknown as CommandContext);
  const rounds = [['a'], ['a', 'b'], ['a', 'a'], [], ['a']];
  const heard: number[] = [];
  for (const round of rounds) {
    for (const place of round) {
      expect(await troubles.tell(new PawlError('unreachable', { place, reason: 'gone' }), 'fetching')).toBe(69);
    }
    troubles.endRound();
    heard.push(told.length);
  }
  expect(heard).toEqual([1, 2, 2, 2, 3]);
});

it('what is done at the same time is given as it comes, so many at a time', async () => {
  const ends = new Map<number, () => void>();
  let most = 0;
  const work = (item: number) =>
    new Promise<number>((resolve) => {
      ends.set(item, () => {
        ends.delete(item);
        resolve(item);
      });
      most = Math.max(most, ends.size);
    });
  const results = asTheyCome([...Array(20).keys()], work);
  const order: number[] = [];
  for (let next = results.next(); order.length < 20; next = results.next()) {
    // The newest of those that are under way ends first.
    ends.get(Math.max(...ends.keys()))?.();
    const { value } = await next;
    order.push(value as number);
  }
  expect((await results.next()).done).toBe(true);
  expect(most).toBe(8);
  expect(order.slice(0, 3)).toEqual([7, 8, 9]);
  expect(order.toSorted((a, b) => a - b)).toEqual([...Array(20).keys()]);
});
