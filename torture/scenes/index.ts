/** All scenes and situations. */
import type { Scene } from '../scene.ts';
import { CARRIED } from './carried.ts';
import { KEEPING } from './keeping.ts';
import { RECEIVING } from './receiving.ts';
import { SENDING } from './sending.ts';
import { SEVERAL } from './several.ts';
import { UNLOCKING } from './unlocking.ts';

export { IN_DATABASE } from './database.ts';
export { readOnly, smallDisks } from './disks.ts';
export { failingPlaces } from './failing.ts';
export { MOVING } from './moving.ts';
export { OUTSIDE } from './outside.ts';
export { SERVERS } from './servers.ts';
export { STANDBYS } from './standbys.ts';
export { parallel, TOGETHER } from './together.ts';
export { twoHosts } from './two-hosts.ts';

/** Every command that writes, in each situation that makes a difference for it. */
export const SCENES: readonly Scene[] = [...KEEPING, ...UNLOCKING, ...SENDING, ...RECEIVING, ...CARRIED, ...SEVERAL];
