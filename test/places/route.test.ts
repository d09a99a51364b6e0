import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPawlError, type PawlError } from '../../src/errors.ts';
import { formatRoute, parseRoute } from '../../src/places/index.ts';

const HOME = '/home/alice';

function refusal(text: string): PawlError {
  try {
    parseRoute(text, HOME);
  } catch (error) {
    if (isPawlError(error, 'bad-route') || isPawlError(error, 'not-utf8')) return error;
    throw error;
  }
  throw new Error(`${text} is a route`);
}

describe('a route', () => {
  it('to a folder is absolute', () => {
    const pathOf = (text: string) => parseRoute(text, HOME);
    expect(pathOf('dir:/mnt/us')).toEqual({ kind: 'dir', path: '/mnt/us' });
    expect(pathOf('dir:~/Sync/us/')).toEqual({ kind: 'dir', path: '/home/alice/Sync/us' });
    expect(pathOf('dir:~')).toEqual({ kind: 'dir', path: HOME });
    expect(pathOf('dir:us/../them')).toEqual({ kind: 'dir', path: join(process.cwd(), 'them') });
    expect(pathOf('dir:./~bob')).toEqual({ kind: 'dir', path: join(process.cwd(), '~bob') });
    expect(pathOf("dir:/a b/it's:é@x")).toEqual({ kind: 'dir', path: "/a b/it's:é@x" });
  });

  it('by a command is the command', () => {
    expect(parseRoute('exec:ssh relay pawl-box', HOME)).toEqual({ kind: 'exec', command: 'ssh relay pawl-box' });
    expect(parseRoute('exec: ~/bin/mail  --to x ', undefined)).toEqual({ kind: 'exec', command: '~/bin/mail  --to x' });
  });

  it('to a server has its credentials in a file', () => {
    const server = (text: string) => parseRoute(text, HOME);
    const credentials = undefined;
    expect(server('nats://relay.example')).toEqual({ kind: 'nats', url: 'nats://relay.example', credentials });
    expect(server('NATS://Relay:4222/'.replace('NATS', 'nats'))).toEqual({
      kind: 'nats',
      url: 'nats://relay:4222',
      credentials,
    });
    expect(server('nats://[::1]:4222')).toEqual({ kind: 'nats', url: 'nats://[::1]:4222', credentials });
    expect(server('nats://relay?creds=~/me@home.creds')).toEqual({
      kind: 'nats',
      url: 'nats://relay',
      credentials: '/home/alice/me@home.creds',
    });
  });

  it.each([
    ['', 'no kind'],
    ['~/Sync', 'no kind that there is; did you mean dir:~/Sync?'],
    ['dir:/', 'the root'],
    ['dir:/mnt/..', 'the root'],
    ['DIR:/mnt', 'no kind'],
    ['https://relay', 'no kind'],
    ['dir:', 'no folder'],
    ['dir:~bob/us', 'only ~ and ~/'],
    ['dir:/mnt\n/us', 'control character'],
    ['dir:/mnt\0', 'control character'],
    ['exec:', 'no command'],
    ['exec:  ', 'no command'],
    ['exec:ssh relay\nrm -rf /', 'control character'],
    [`exec:${'x'.repeat(4_097)}`, 'more than 4096'],
    ['nats://', 'not nats://HOST'],
    ['nats:relay', 'not nats://HOST'],
    ['nats://relay/stream', 'not nats://HOST'],
    ['nats://relay?tls=no', 'not nats://HOST'],
    ['nats://relay#x', 'not nats://HOST'],
    ['nats://re lay', 'not nats://HOST'],
    ['nats://-oProxy', 'not nats://HOST'],
    ['nats://relay:0', 'a port'],
    ['nats://relay:65536', 'a port'],
    ['nats://relay:123456', 'not nats://HOST'],
    ['nats://relay?creds=', 'no folder or file'],
  ])('%j is none', (text, reason) => {
    const { code, detail } = refusal(text) as PawlError<'bad-route'>;
    expect(code).toBe('bad-route');
    expect(detail.reason).toContain(reason);
  });

  it('has no home without one, and no bytes that Node has replaced', () => {
    expect(() => parseRoute('dir:~/us', undefined)).toThrow('bad-route');
    expect(parseRoute('dir:/mnt', undefined)).toEqual({ kind: 'dir', path: '/mnt' });
    for (const text of ['dir:/caf\ufffd', 'exec:caf\ufffd', 'nats://caf\ufffd'])
      expect(refusal(text).code).toBe('not-utf8');
  });

  it('never shows a password, also where it is none', () => {
    for (const text of [
      'nats://alice:secret@relay',
      'nats://secret@relay',
      'nats://alice:se/secret?@x@relay:4222',
      'nats://alice:secret?creds=x@relay',
      'nats://alice:\ufffdsecret@relay',
      'nats:alice:secret@relay',
      'tls://alice:secret@relay',
      'alice:secret@relay',
      'nats://alice:secret\n@relay',
    ]) {
      const { code, detail } = refusal(text);
      expect(JSON.stringify([code, detail]), text).not.toContain('secret');
    }
    expect((refusal('nats://secret@relay') as PawlError<'bad-route'>).detail).toEqual({
      route: 'nats://…@relay',
      reason: expect.stringContaining('?creds=FILE'),
    });
  });

  it('is shown as it can be typed again, without where credentials are', () => {
    for (const text of ['dir:/mnt/us', 'exec:ssh relay pawl-box', 'nats://relay:4222']) {
      expect(formatRoute(parseRoute(text, HOME))).toBe(text);
    }
    expect(formatRoute(parseRoute('nats://relay?creds=/etc/x', HOME))).toBe('nats://relay');
    expect(formatRoute({ kind: 'dir', path: '/mnt/us' })).toBe('dir:/mnt/us');
  });

  it('is one, or a known error, whatever is typed', () => {
    const any = fc.tuple(fc.constantFrom('dir:', 'exec:', 'nats:', 'nats://', 'nats://relay?creds=', ''), fc.string());
    fc.assert(
      fc.property(any, ([kind, text]) => {
        try {
          const route = parseRoute(kind + text, HOME);
          expect(parseRoute(formatRoute(route), HOME)).toMatchObject(
            route.kind === 'nats' ? { ...route, credentials: undefined } : route,
          );
        } catch (error) {
          expect(isPawlError(error, 'bad-route') || isPawlError(error, 'not-utf8'), `${error}`).toBe(true);
        }
      }),
    );
  });
});
