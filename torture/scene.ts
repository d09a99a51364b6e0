/** The interface of a scene. */
import { rmSync, writeFileSync } from 'node:fs';
import type { Box, Call } from './box.ts';
import type { Laws } from './laws.ts';
import type { Ran } from './start.ts';

/** One command in one situation, into which faults are injected step by step. */
export interface Scene {
  /** The command, then what is special about the situation. */
  readonly name: string;
  /** It has texts of some MiB, and thousands of steps. */
  readonly large?: true;
  /** Prepares a new box for the command. */
  prepare(box: Box): Promise<void>;
  /** Finishes the preparation in each copy of that box: what has the path of its folder in it. */
  arrange?(box: Box): Promise<void>;
  /** Exit codes that are allowed where a system call fails, beside 0, 73 and 74. */
  readonly exits?: readonly number[];
  call(box: Box): Call;
  /** Checks the box after the command, however it ended. May run further commands in it. */
  check(box: Box, ran: Ran, laws: Laws): Promise<void>;
}

const OLD = Buffer.from('what was there before');

/**
 * A scene with `-o`, where a file is in the place of its output already, and `--force` is given: either that is still
 * there, whole, or the new one is.
 * @param file the name of the output.
 */
export function replacing(scene: Scene, file: string): Scene {
  return {
    ...scene,
    name: `${scene.name}, replaces a file`,
    async prepare(box) {
      await scene.prepare(box);
      writeFileSync(box.path(file), OLD);
    },
    call: (box) => {
      const { parameters, ...call } = scene.call(box);
      return { ...call, parameters: [...parameters, '--force'] };
    },
    async check(box, ran, laws) {
      const there = box.read(file);
      laws.hold(there !== undefined, `${file} is gone`);
      if (there?.equals(OLD)) {
        laws.hold(ran.code !== 0, `done, but ${file} is the old one`);
        // To the scene itself, it is as if nothing had been written.
        rmSync(box.path(file));
      }
      await scene.check(box, ran, laws);
    },
  };
}
