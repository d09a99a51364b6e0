/**
 * `send --out-dir`: writes what each of several contacts gets into a file of its own.
 * Encrypts nothing but parts.
 */
import { join } from 'node:path';
import { PawlError } from '../../../errors.ts';
import type { OutputFile } from '../../../files/index.ts';
import { acknowledgeSent, readEnvelope } from '../../../session/index.ts';
import type { CommandContext } from '../../context.ts';
import type { OpenIdentity } from '../../identity/open.ts';
import { outputFileAt, outputFolderAt } from '../../identity/output.ts';
import { acknowledgeOrWarn } from '../../stream/write.ts';
import { describe, encoded } from './output.ts';
import { envelopesOf, finishParts, giveUpStream } from './parts.ts';
import type { Parcel, Parcels, Ways } from './to-several.ts';

export class FilesForEach implements Ways {
  readonly #context: CommandContext;
  readonly #identity: OpenIdentity;
  readonly #armored: boolean;
  readonly #files: ReadonlyMap<string, OutputFile>;

  /** @throws `no-folder`; `exists` and the like for any of the files. */
  constructor(
    context: CommandContext,
    identity: OpenIdentity,
    {
      names,
      folder,
      armored,
      force,
      inputs,
    }: {
      readonly names: readonly string[];
      readonly folder: string;
      readonly armored: boolean;
      readonly force: boolean;
      readonly inputs: readonly string[];
    },
  ) {
    this.#context = context;
    this.#identity = identity;
    this.#armored = armored;
    outputFolderAt(context, folder, inputs);
    this.#files = new Map(
      names.map((name) => [name, outputFileAt(context, join(folder, `${name}.pawl`), { force, inputs })]),
    );
  }

  async deliver(parcels: Parcels): Promise<number> {
    const { reporter } = this.#context;
    let exit = 0;
    for (const [name, parcelsOfOne] of parcels) {
      const file = this.#files.get(name);
      if (file === undefined) throw new Error('there is a file for each');
      try {
        await this.#write(file, parcelsOfOne);
        if (!reporter.json) await reporter.lines(file.path);
      } catch (error) {
        if (!(error instanceof PawlError)) throw error;
        await giveUp(parcelsOfOne);
        const code = await reporter.error(error, `the file for ${name}`);
        exit ||= code;
      } finally {
        reporter.progress.clear();
      }
    }
    return exit;
  }

  async endEarly(parcels: Parcels): Promise<void> {
    for (const parcelsOfOne of parcels.values()) await giveUp(parcelsOfOne);
    const canGoOn = (parcel: Parcel) => 'message' in parcel || parcel.content.source !== undefined;
    if ([...parcels.values()].flat().some(canGoOn)) {
      await this.#context.reporter.warn('no file is written; what was encrypted before this waits: pawl outbox');
    }
  }

  /** The file is in its place when it is complete. */
  async #write(file: OutputFile, parcels: readonly Parcel[]): Promise<void> {
    const context = this.#context;
    const format = { armored: this.#armored, file };
    await file.writePieces(encoded(this.#envelopesOf(file, parcels), format));
    const messages = parcels.flatMap((parcel) => ('message' in parcel ? parcel.message : []));
    const ids = messages.map(({ outboxId }) => outboxId);
    await acknowledgeOrWarn(context.reporter, () => acknowledgeSent(this.#identity, ids));
    const fate = { path: file.path };
    for (const parcel of parcels) {
      if ('content' in parcel) await finishParts(context, parcel.content, format, fate);
      else await describe(context, format, { ...parcel.message, bytes: parcel.message.length, fate });
    }
  }

  async *#envelopesOf(file: OutputFile, parcels: readonly Parcel[]): AsyncGenerator<Uint8Array, void, undefined> {
    for (const parcel of parcels) {
      if ('content' in parcel) {
        const { content, large } = parcel;
        yield* envelopesOf(this.#context, content, { large, format: { armored: this.#armored, file } });
      } else {
        const envelope = await readEnvelope(this.#identity, parcel.message.outboxId);
        // The contact was forgotten meanwhile.
        if (envelope === undefined) throw new PawlError('unknown-contact', { name: parcel.message.to });
        yield envelope;
      }
    }
  }
}

/** What was begun, and cannot be read again, is given up. */
async function giveUp(parcels: readonly Parcel[]): Promise<void> {
  for (const parcel of parcels) {
    if (!('content' in parcel)) continue;
    await giveUpStream(parcel.content);
    parcel.content.wipe();
  }
}
