/** The known answers of pawl/1: what makes test/vectors/pawl-1.json. */
export { vectors } from './vectors.ts';
export { written } from './written.ts';
