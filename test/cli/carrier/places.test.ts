import { expect, it } from 'vitest';
import { checkTrust } from '../../../src/cli/carrier/places.ts';
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
