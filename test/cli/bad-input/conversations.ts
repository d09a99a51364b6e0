import { withDatabase } from '../identity-file.ts';
import type { BadInput } from './bad-input.ts';

export const CONVERSATIONS: readonly BadInput[] = [
  {
    what: 'more missing messages than may be skipped',
    code: 'gap-too-large',
    exit: 65,
    command: 'pawl -i bob recv --max-gap 3 fifth.pawl $JSON',
    prepare: (home) =>
      home.prepare('seq 3 | pawl -i alice send bob --lines > lost.pawl; pawl -i alice send bob -m 5 -o fifth.pawl'),
  },
  {
    what: 'a message of a sender whose file was rolled back',
    code: 'fork',
    exit: 65,
    command: 'pawl -i bob recv fork.pawl $JSON',
    prepare: (home) =>
      home.prepare(`cp .local/share/pawl/alice.db before; pawl -i alice send bob -m one | pawl -i bob recv
        cp before .local/share/pawl/alice.db; pawl -i alice send bob -m two -o fork.pawl
        pawl -i bob recv fork.pawl; true`),
    changes: 'the mark is set again, at another time',
  },
  {
    what: 'a chain at its end',
    code: 'exhausted',
    exit: 65,
    command: 'pawl -i alice send bob -m hi $JSON',
    prepare: (home) =>
      withDatabase(home, 'alice', (database) => database.exec('UPDATE sessions SET sending_n = 4294967295')),
  },
];
