/**
 * Places that carry envelopes: folders, commands, servers. Boxes at them have names; what is in an envelope, and whose a
 * box is, is not known here.
 */
export type * from './place.ts';
