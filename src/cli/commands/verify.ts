/**
 * `pawl verify`: shows the safety number of a contact, or compares it with the one that the contact sees.
 */
import { PawlError } from '../../errors.ts';
import { type Verification, verification, verify } from '../../session/index.ts';
import type { CommandContext, DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { drawQrCode, qrCodeOfDigits } from '../show/qr-code.ts';
import { instant, iso } from '../terminal/format.ts';

const DIGITS = 60;
const GROUPS_A_LINE = 4;

export const defineVerify: DefineCommand = (program, makeAction) => {
  program
    .command('verify <name> [number...]')
    .description('show the safety number of you and NAME, or compare it with theirs')
    .option('--qr', 'draw it as a QR code, too')
    .addHelpText(
      'after',
      `
Both of you see the same 60 digits, unless somebody stands between you. Compare them by voice or in person, never over
the channel that the messages take. With NUMBER, which they read to you, marks NAME verified; a number that is not the
same takes the mark away.

Examples:
  $ pawl verify bob
  $ pawl verify bob "13345 26372 63678 20219 78584 38874 43854 60724 64692 16544 97764 85214"`,
    )
    .action(
      makeAction(async (context, name: string, number: string[], { qr }: { qr?: true }) => {
        if (qr && context.reporter.json)
          throw new PawlError('usage', { problem: '--qr and --json do not go together' });
        const digits = number.length === 0 ? undefined : parseDigits(name, number.join(''));
        const known =
          digits === undefined
            ? await withIdentity(context, (identity) => verification(identity, name), 'reads')
            : await withIdentity(context, (identity) => verify(identity, name, digits));
        await showSafetyNumber(context, known, qr === true);
        await context.reporter.notice(
          digits !== undefined
            ? `${name} is verified`
            : known.verifiedAt !== undefined
              ? `${name} was verified on ${instant(known.verifiedAt)}`
              : `let ${name} read to you what pawl verify shows there, by voice or in person, and type it: pawl verify ${name} NUMBER; if it differs, somebody stands between you`,
        );
        return 0;
      }),
    );
};

/**
 * Takes the digits of a safety number that may be grouped by white space.
 * @throws `usage`.
 */
function parseDigits(name: string, number: string): string {
  const digits = number.replace(/\s/g, '');
  if (/^\d*$/.test(digits) && digits.length === DIGITS) return digits;
  const found = /^\d*$/.test(digits) ? `this has ${digits.length}` : 'there is something else in this';
  throw new PawlError('usage', {
    problem: `a safety number is ${DIGITS} digits, and ${found}`,
    hint: `it is what the other side sees by pawl verify; yours: pawl verify ${name}`,
  });
}

async function showSafetyNumber(
  context: CommandContext,
  { name, fingerprint, safetyNumber, verifiedAt }: Verification,
  qr: boolean,
) {
  await context.reporter.result(groupsInLines(safetyNumber), {
    type: 'safety-number',
    contact: name,
    fingerprint,
    safety_number: safetyNumber,
    verified: verifiedAt !== undefined,
    verified_at: verifiedAt === undefined ? null : iso(verifiedAt),
  });
  if (qr) await drawQrCode(context, await qrCodeOfDigits(safetyNumber.replaceAll(' ', '')));
}

/** Breaks a safety number into lines of four groups, for reading aloud. */
function groupsInLines(safetyNumber: string): string {
  const groups = safetyNumber.split(' ');
  const lines = groups.map((_, at) => groups.slice(at, at + GROUPS_A_LINE).join(' '));
  return lines.filter((_, at) => at % GROUPS_A_LINE === 0).join('\n');
}
