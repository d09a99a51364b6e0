/** The known answers of pawl/1: what makes test/vectors/pawl-1.json. */

export { printed } from './printed.ts';
export { vectors } from './vectors.ts';
