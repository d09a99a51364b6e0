/**
 * Reading, creating and replacing files, each atomically.
 * Knows no file format. Turns the errors of the system into `PawlError`s, except where a function says otherwise.
 */
export { inheritedDescriptors, readInherited } from './descriptor.ts';
export { Folder } from './folder.ts';
export { isOnReadOnlyMount } from './mounts.ts';
export { isStream, OutputFile, type OutputOptions } from './output-file.ts';
export { checkRoom, hasName, PartialFile, removePartialFile } from './partial-file.ts';
export { chunksOfFile, Gathered, readAtOnce, readDescriptor, readFile, readFileIf } from './read.ts';
export { REPLACEMENT, realPath } from './real-path.ts';
export { ScratchFolder } from './scratch-folder.ts';
export {
  filesOf,
  isFolder,
  isTaken,
  makeSharedFile,
  namesOf,
  putSharedFile,
  type RegularFile,
  readRegularFile,
  removeSharedFile,
  timeOfDisk,
} from './shared-folder.ts';
export { sleep } from './sleep.ts';
export { codeOf, reasonOf } from './system-error.ts';
export {
  Draft,
  type IsPrecious,
  inodeAt,
  inodeOf,
  makeFile,
  makeFileSlowly,
  makeFolder,
  removeDeadDrafts,
  removeDraft,
  withDraft,
} from './write.ts';
