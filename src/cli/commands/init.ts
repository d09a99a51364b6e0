import type { Define } from '../shell.ts';
import { createIdentity } from '../unlock.ts';

export const defineInit: Define = (program, act) => {
  program
    .command('init <identity>')
    .description('make an identity and its encrypted file')
    .addHelpText(
      'after',
      `
With --key-file FILE, makes FILE as well unless it exists; keep it apart from the identity file.

Examples:
  $ pawl init alice
  $ pawl init alice --key-file /media/stick/alice.key`,
    )
    .action(
      act(async (shell, name: string) => {
        const { path, fingerprint } = await createIdentity(shell, name);
        await shell.tell.result(`${path}\n${fingerprint}`, { type: 'created', name, path, fingerprint });
        await shell.tell.notice('without this file and its passphrase or key, nobody can read what is sent to you');
        return 0;
      }),
    );
};
