/** A store in memory: the reference implementation of what a session needs of one, simple enough to be obviously right. */
export { MemoryStore } from './memory-store.ts';
