/**
 * `pawl contacts`: lists the contacts.
 */
import { contactReports } from '../../session/index.ts';
import type { DefineCommand } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { contactFields, contactRow } from '../show/contact.ts';
import { table } from '../terminal/format.ts';

export const defineContacts: DefineCommand = (program, makeAction) => {
  program
    .command('contacts')
    .description('list the contacts: name, fingerprint, verified or not, sessions')
    .addHelpText(
      'after',
      `
A contact is verified once you have compared the safety number: pawl verify NAME.

Examples:
  $ pawl contacts
  $ pawl contacts --json | jq -r 'select(.verified | not).name'`,
    )
    .action(
      makeAction(async (context) => {
        const { reporter } = context;
        const contacts = await withIdentity(context, contactReports, 'reads');
        if (reporter.json) {
          for (const contact of contacts) await reporter.document({ type: 'contact', ...contactFields(contact) });
        } else if (contacts.length > 0) {
          await reporter.result(table(contacts.map(contactRow)).join('\n'), { type: 'contacts' });
        } else {
          await reporter.notice('nobody yet: pawl invite NAME, or pawl add NAME FILE');
        }
        return 0;
      }),
    );
};
