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
        cp before .local/share/pawl/alice.db; PAWL_MARKS=none pawl -i alice send bob -m two -o fork.pawl
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
  {
    what: 'a list that there is not',
    code: 'unknown-list',
    exit: 67,
    command: 'pawl -i alice send @ops -m hi $JSON',
  },
  {
    what: 'an editor that fails',
    code: 'editor-failed',
    exit: 66,
    command: 'EDITOR=false pawl -i alice send bob -e $JSON',
  },
  {
    what: 'an envelope that is not in the outbox',
    code: 'not-in-outbox',
    exit: 66,
    command: 'pawl -i bob outbox resend 999 $JSON',
  },
  {
    what: 'a file of our own that was rolled back',
    code: 'rolled-back',
    exit: 76,
    command: 'pawl -i alice send bob -m two $JSON',
    prepare: (home) =>
      home.prepare(`cp .local/share/pawl/alice.db before; pawl -i alice send bob -m one > one.pawl
        cp before .local/share/pawl/alice.db`),
  },
  {
    what: 'a file that was never used on this machine',
    code: 'unmarked',
    exit: 76,
    command: 'XDG_STATE_HOME=$PWD/elsewhere pawl -i alice send bob -m two $JSON',
  },
  {
    what: 'a text from a file that was restored, to somebody who has not been heard since',
    code: 'held',
    exit: 76,
    command: 'pawl -i alice send bob -m two $JSON',
    prepare: (home) =>
      home.prepare(`cp .local/share/pawl/alice.db before; pawl -i alice send bob -m one > one.pawl
        cp before .local/share/pawl/alice.db; pawl -i alice --after-restore recv < /dev/null; true`),
  },
  {
    what: 'the file of another identity',
    code: 'misplaced',
    exit: 74,
    command: 'pawl -i zoe inspect $JSON',
    prepare: (home) => home.prepare('cp .local/share/pawl/bob.db .local/share/pawl/zoe.db'),
  },
  {
    what: 'a part of a content that nobody awaits',
    code: 'unknown-part',
    exit: 65,
    prepare: (home) =>
      home.prepare('head -c 17000000 /dev/zero > big; pawl -i alice send bob big | tail -c 983131 > part.pawl'),
    command: 'pawl -i bob recv part.pawl $JSON',
  },
  {
    what: 'a content that is larger than is taken',
    code: 'over-max-size',
    exit: 65,
    prepare: (home) =>
      home.prepare(
        'head -c 17000000 /dev/zero > big; pawl -i alice send bob big > big.pawl; mkdir dir; pawl -i bob recv big.pawl --out-dir dir --max-size 1M || true; tail -c 983131 big.pawl > part.pawl',
      ),
    command: 'pawl -i bob recv part.pawl --out-dir dir --max-size 1M $JSON',
    changes: 'who takes the parts is noted',
  },
];
