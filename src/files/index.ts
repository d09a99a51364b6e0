/** Files: read, made, and replaced, each all at once or not at all, and the system's errors as pawl's own. */
export { Folder } from './folder.ts';
export { Gathered } from './gathered.ts';
export { inodeOf } from './inode.ts';
export { makeFile } from './make-file.ts';
export { makeFolder } from './make-folder.ts';
export { sync, syncFolderOf, withDraft } from './put-in-place.ts';
export { readAtOnce } from './read-at-once.ts';
export { chunksOfFile, readDescriptor, readFile } from './read-file.ts';
export { replaceFile } from './replace-file.ts';
export { codeOf, reasonOf } from './system-error.ts';
