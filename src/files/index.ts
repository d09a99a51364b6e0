/** Files: read, made, and replaced, each all at once or not at all, and the system's errors as pawl's own. */
export { Folder } from './folder.ts';
export { chunksOfFile, Gathered, readAtOnce, readDescriptor, readFile } from './read.ts';
export { codeOf, reasonOf } from './system-error.ts';
export { inodeOf, makeFile, makeFolder, replaceFile, sync, syncFolderOf, withDraft } from './write.ts';
