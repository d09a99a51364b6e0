/** Targets that run whole commands on identity files. */
import { concat, fromUtf8, utf8 } from '../../src/primitives/index.ts';
import type { Run } from '../desk.ts';
import type { Dice } from '../dice.ts';
import { mangle } from '../mangle.ts';
import { mutate } from '../mutate.ts';
import { type Office, openOffice } from '../office.ts';
import { demand, type Target, type Verdicts } from '../target.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: these characters must not reach a terminal
const ACTS_ON_TERMINAL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** How a command is run. */
const WAYS = ['plain', 'json', 'terminal'] as const;
type Way = (typeof WAYS)[number];

function command(
  name: string,
  share: number,
  parameters: readonly string[],
  from: (office: Office) => readonly Uint8Array[],
): Target {
  return {
    name: `pawl ${name}`,
    share,
    async prepare(setup) {
      const office = await openOffice(setup);
      const samples = from(office);
      return {
        make: (dice) => concat(...Array.from({ length: dice.pick([1, 1, 1, 2, 3]) }, () => altered(dice, samples))),
        async run(input) {
          const way = WAYS[input.length % WAYS.length] ?? 'plain';
          const options = way === 'json' ? ['--json'] : [];
          return verdictsOf(
            await office.desk.run('bob', [...options, ...parameters], input, way === 'terminal'),
            way,
            office,
          );
        },
        close: office.close,
      };
    },
  };
}

export const commands: readonly Target[] = [
  command('inspect --envelope', 4_000, ['inspect', '--envelope', '-'], ({ envelopes, invites }) => [
    ...envelopes,
    ...invites,
  ]),
  command('add', 2_000, ['add', 'alice'], ({ envelopes, invites }) => [...invites, ...invites, ...envelopes]),
  command('recv', 1_500, ['recv'], ({ envelopes, invites }) => [...envelopes, ...invites]),
];

function altered(dice: Dice, samples: readonly Uint8Array[]): Uint8Array {
  const sample = dice.pick(samples);
  if (dice.oneIn(6)) return sample;
  const text = fromUtf8(sample);
  return text === undefined || dice.oneIn(2) ? mutate(dice, sample, dice.pick(samples)) : utf8(mangle(dice, text));
}

function verdictsOf({ exit, output, errors }: Run, way: Way, { texts }: Office): Verdicts {
  demand(exit !== 1 && !errors.includes('this is a bug'), `no bug: ${errors}`);
  const text = Buffer.from(output).toString();
  if (way === 'terminal') demand(!ACTS_ON_TERMINAL.test(text + errors), 'nothing acts on the terminal');
  if (way === 'json') {
    const documents = [...text.split('\n'), ...errors.split('\n')].filter(Boolean).map((line) => JSON.parse(line));
    const strange = documents.some((document) => document.type === 'message' && !texts.has(document.text));
    demand(!strange, 'only what was written is accepted');
    demand(!documents.some(({ code }) => code === 'fork'), 'an outsider raises no fork');
  }
  return [exit === 0 ? 'accepted' : `exit ${exit}`];
}
