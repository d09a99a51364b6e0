import { contactReports } from '../../session/index.ts';
import type { Define } from '../context.ts';
import { withIdentity } from '../identity/open.ts';
import { contactFields, contactRow } from '../show/contact.ts';
import { table } from '../terminal/format.ts';

export const defineContacts: Define = (program, act) => {
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
      act(async (shell) => {
        const { tell } = shell;
        const contacts = await withIdentity(shell, contactReports, 'reads');
        if (tell.json)
          for (const contact of contacts) await tell.document({ type: 'contact', ...contactFields(contact) });
        else if (contacts.length > 0)
          await tell.result(table(contacts.map(contactRow)).join('\n'), { type: 'contacts' });
        else await tell.notice('nobody yet: pawl invite NAME, or pawl add NAME FILE');
        return 0;
      }),
    );
};
