/** Files: read, made, and replaced, each all at once or not at all, and the system's errors as pawl's own. */
export { Gathered } from './gathered.ts';
export { makeFile, withDraft } from './make-file.ts';
export { makeFolder } from './make-folder.ts';
export { readAtOnce } from './read-at-once.ts';
export { chunksOfFile, readDescriptor, readFile } from './read-file.ts';
export { replaceFile } from './replace-file.ts';
export { codeOf, reasonOf } from './system-error.ts';
