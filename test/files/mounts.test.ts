import { describe, expect, it } from 'vitest';
import { isReadOnlyIn } from '../../src/files/mounts.ts';

const MOUNTS = String.raw`22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /run rw,nosuid shared:5 - tmpfs tmpfs rw,mode=755
31 30 0:26 / /run/secrets ro,relatime - tmpfs tmpfs rw
32 30 0:27 / /run/sealed rw,relatime master:3 - squashfs /dev/loop0 ro
33 22 0:28 /key /etc/pawl.key ro - ext4 /dev/sda1 rw
34 22 0:29 / /mnt/with\040blank ro - tmpfs tmpfs rw
35 22 0:30 / /mnt/twice ro - tmpfs tmpfs rw
36 22 0:31 / /mnt/twice rw - tmpfs tmpfs rw
37 22 0:32 / /mnt/errors rw,errors=remount-ro - ext4 /dev/sdb rw
`;

describe('a read-only mount', () => {
  it.each([
    ['/run/secrets/key', true],
    ['/run/secrets/..data/key', true],
    ['/run/secrets', true],
    ['/run/sealed/key', true],
    ['/etc/pawl.key', true],
    ['/mnt/with blank/key', true],
    ['/run/secretsfile', false],
    ['/run/key', false],
    ['/etc/pawl.key2', false],
    ['/etc/other', false],
    ['/mnt/twice/key', false],
    ['/mnt/errors/key', false],
  ])('has %s: %s', (path, expected) => {
    expect(isReadOnlyIn(MOUNTS, path)).toBe(expected);
  });

  it('is none where the list has nothing', () => {
    expect(isReadOnlyIn('', '/key')).toBe(false);
  });
});
