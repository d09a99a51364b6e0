import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

const FOLDER = join(import.meta.dirname, '../../docs/schemas');

const schemas = readdirSync(FOLDER).map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')));
const ajv = new Ajv2020({ allErrors: true, strict: true, strictRequired: false, schemas });
const [{ $id }] = schemas;

/** The types of documents that docs/schemas has a schema for. */
export const TYPES: readonly string[] = readdirSync(FOLDER)
  .map((file) => file.replace(/\.json$/, ''))
  .filter((type) => type !== 'common');

/** Holds a document of `--json` to its schema. */
export function expectValid(document: { readonly type?: unknown }): void {
  const validate = ajv.getSchema(new URL(`${document.type}.json`, $id).href);
  if (validate === undefined) throw new Error(`there is no schema for ${JSON.stringify(document)}`);
  expect(validate(document) ? [] : validate.errors, JSON.stringify(document)).toEqual([]);
}
