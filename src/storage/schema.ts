/**
 * The SQL of every version of the schema. Released versions never change, not even their SQL comments: they are stored
 * in the file.
 * Does not run it: `migrations.ts` does.
 */

/** The `application_id` of an identity file: "pawl" in ASCII. */
export const APPLICATION_ID = 0x7061776c;

/**
 * Version 1. Times are unix milliseconds unless a comment says otherwise. Each CHECK with a CASE mirrors a
 * discriminated union of `session/store.ts`, `ratchet/state.ts` or `handshake/store.ts`, so that the database refuses
 * meaningless rows.
 */
export const VERSION_1 = `
PRAGMA application_id = ${APPLICATION_ID};

CREATE TABLE identity ( -- who we are
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  name       TEXT    NOT NULL,
  seed       BLOB    NOT NULL CHECK (length(seed) = 32), -- Ed25519, secret
  public_key BLOB    NOT NULL CHECK (length(public_key) = 32),
  created_at INTEGER NOT NULL,
  generation INTEGER NOT NULL DEFAULT 0 -- grows with every commit: an older copy of the file is known by it
) STRICT;

CREATE TABLE invites ( -- invites of ours, and what became of them
  number            INTEGER PRIMARY KEY, -- a later one has a larger number
  id                BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
  contact_name      TEXT    NOT NULL,
  created_at        INTEGER NOT NULL,
  expires           INTEGER NOT NULL, -- unix seconds
  fate              TEXT    NOT NULL,
  bytes             BLOB CHECK (length(bytes) = 1321),
  prekey_public_key BLOB CHECK (length(prekey_public_key) = 32), -- X25519
  prekey_secret_key BLOB CHECK (length(prekey_secret_key) = 32),
  kem_seed          BLOB CHECK (length(kem_seed) = 64),          -- ML-KEM-768, secret
  spent_by          BLOB CHECK (length(spent_by) = 32),          -- the identity that used it
  spent_at          INTEGER,
  CHECK (CASE fate
    WHEN 'open' THEN coalesce(spent_by, spent_at) IS NULL AND bytes IS NOT NULL
      AND prekey_public_key IS NOT NULL AND prekey_secret_key IS NOT NULL AND kem_seed IS NOT NULL
    WHEN 'spent' THEN coalesce(bytes, prekey_public_key, prekey_secret_key, kem_seed) IS NULL
      AND spent_by IS NOT NULL AND spent_at IS NOT NULL
    WHEN 'expired' THEN coalesce(bytes, prekey_public_key, prekey_secret_key, kem_seed, spent_by, spent_at) IS NULL
    ELSE FALSE
  END)
) STRICT;

CREATE TABLE contacts (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  name        TEXT    NOT NULL UNIQUE,
  identity    BLOB    NOT NULL UNIQUE CHECK (length(identity) = 32), -- their Ed25519 public key
  added_at    INTEGER NOT NULL,
  verified_at INTEGER,                           -- when the safety numbers were compared
  invite      BLOB CHECK (length(invite) = 1321), -- one of theirs that the next message will answer
  invite_added_at INTEGER,
  CHECK ((invite IS NULL) = (invite_added_at IS NULL))
) STRICT;

CREATE TABLE sessions ( -- conversations, each with our side of its ratchet; the peer's side is in receiving_chains
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  contact_id      INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  role            TEXT    NOT NULL, -- initiator: we opened it; responder: they did
  invite_id       BLOB CHECK (length(invite_id) = 16),   -- initiator: the invite that we answered
  prefix          BLOB CHECK (length(prefix) = 1208),    -- initiator: goes before each message until the first answer
  prefix_digest   BLOB UNIQUE CHECK (length(prefix_digest) = 16), -- responder: tells a repeated prefix from a new one
  transcript      BLOB    NOT NULL CHECK (length(transcript) = 32),
  opened          INTEGER NOT NULL, -- as the opener says
  created_at      INTEGER NOT NULL,
  last_dh_step_at INTEGER,          -- the peer's last new chain
  received        INTEGER NOT NULL DEFAULT 0, -- messages accepted, ever
  received_order  INTEGER NOT NULL DEFAULT 0, -- the session that received last has the largest
  idle            INTEGER NOT NULL DEFAULT 0, -- messages received over the contact's other sessions since
  lost            INTEGER NOT NULL DEFAULT 0, -- missing messages whose keys are gone
  held            INTEGER NOT NULL DEFAULT 0 CHECK (held IN (0, 1)), -- not to be sent on until their next new chain
  fork_reason     TEXT,
  fork_at         INTEGER,

  root_key                BLOB    NOT NULL CHECK (length(root_key) = 32),
  root_steps              INTEGER NOT NULL, -- in both directions
  sending                 TEXT    NOT NULL, -- awaiting their first message; a new chain is due; a chain
  sending_public_key      BLOB CHECK (length(sending_public_key) = 32),
  sending_secret_key      BLOB CHECK (length(sending_secret_key) = 32),
  sending_remote          BLOB CHECK (length(sending_remote) = 32), -- the peer's ratchet key, for the chain that is due
  sending_chain_key       BLOB CHECK (length(sending_chain_key) = 32),
  sending_header_key      BLOB CHECK (length(sending_header_key) = 32),
  sending_find_key        BLOB CHECK (length(sending_find_key) = 32),
  sending_n               INTEGER CHECK (sending_n BETWEEN 0 AND 0xffffffff),          -- the next position
  sending_previous_n      INTEGER CHECK (sending_previous_n BETWEEN 0 AND 0xffffffff), -- the length of our chain before
  next_sending_header_key BLOB    NOT NULL CHECK (length(next_sending_header_key) = 32),
  next_sending_find_key   BLOB    NOT NULL CHECK (length(next_sending_find_key) = 32),

  CHECK (CASE role
    WHEN 'initiator' THEN prefix_digest IS NULL AND invite_id IS NOT NULL
    WHEN 'responder' THEN coalesce(invite_id, prefix) IS NULL AND prefix_digest IS NOT NULL
    ELSE FALSE
  END),
  CHECK ((fork_reason IS NULL) = (fork_at IS NULL)),
  CHECK (CASE sending
    WHEN 'awaiting' THEN sending_public_key IS NOT NULL AND sending_secret_key IS NOT NULL
      AND coalesce(sending_remote, sending_chain_key, sending_header_key, sending_find_key) IS NULL
      AND coalesce(sending_n, sending_previous_n) IS NULL
    WHEN 'due' THEN sending_remote IS NOT NULL AND sending_previous_n IS NOT NULL
      AND coalesce(sending_public_key, sending_secret_key) IS NULL
      AND coalesce(sending_chain_key, sending_header_key, sending_find_key, sending_n) IS NULL
    WHEN 'chain' THEN sending_public_key IS NOT NULL AND sending_secret_key IS NOT NULL
      AND sending_chain_key IS NOT NULL AND sending_header_key IS NOT NULL AND sending_find_key IS NOT NULL
      AND sending_n IS NOT NULL AND sending_previous_n IS NOT NULL AND sending_remote IS NULL
    ELSE FALSE
  END)
) STRICT;
CREATE INDEX sessions_of_contact ON sessions (contact_id);
CREATE INDEX sessions_by_reception ON sessions (received_order);

CREATE TABLE receiving_chains ( -- the peer's chains, numbered from 0
  session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  chain      INTEGER NOT NULL CHECK (chain >= 0),
  state      TEXT    NOT NULL, -- next: not begun; current; finished: kept while messages of it may still come
  header_key BLOB    NOT NULL CHECK (length(header_key) = 32),
  find_key   BLOB    NOT NULL CHECK (length(find_key) = 32),
  remote     BLOB CHECK (length(remote) = 32), -- the peer's ratchet key
  chain_key  BLOB CHECK (length(chain_key) = 32),
  n          INTEGER CHECK (n BETWEEN 0 AND 0xffffffff), -- the next position
  length     INTEGER CHECK (length BETWEEN 0 AND 0xffffffff),
  PRIMARY KEY (session_id, chain),
  CHECK (CASE state
    WHEN 'next' THEN coalesce(remote, chain_key, n, length) IS NULL
    WHEN 'current' THEN length IS NULL AND remote IS NOT NULL AND chain_key IS NOT NULL AND n IS NOT NULL
    WHEN 'finished' THEN coalesce(chain_key, n) IS NULL AND remote IS NOT NULL AND length IS NOT NULL
    ELSE FALSE
  END)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX unfinished_chains ON receiving_chains (session_id, state) WHERE state <> 'finished';

CREATE TABLE skipped_keys ( -- of messages that are missing
  session_id  INTEGER NOT NULL,
  chain       INTEGER NOT NULL,
  n           INTEGER NOT NULL CHECK (n BETWEEN 0 AND 0xffffffff),
  message_key BLOB    NOT NULL CHECK (length(message_key) = 32),
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (session_id, chain, n),
  FOREIGN KEY (session_id, chain) REFERENCES receiving_chains ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX skipped_keys_by_age ON skipped_keys (created_at);

CREATE TABLE accepted ( -- positions that are taken: what tells a repeated message from a second one
  session_id INTEGER NOT NULL,
  chain      INTEGER NOT NULL,
  n          INTEGER NOT NULL CHECK (n BETWEEN 0 AND 0xffffffff),
  digest     BLOB    NOT NULL CHECK (length(digest) = 16),
  sequence   INTEGER NOT NULL, -- it was the session's so many-th message
  PRIMARY KEY (session_id, chain, n),
  FOREIGN KEY (session_id, chain) REFERENCES receiving_chains ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX accepted_in_order ON accepted (session_id, sequence);

CREATE TABLE outbox ( -- envelopes that are committed and not yet known to be written
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  message_id BLOB    NOT NULL CHECK (length(message_id) = 16),
  process    TEXT    NOT NULL, -- writes it
  created_at INTEGER NOT NULL,
  envelope   BLOB    NOT NULL  -- stands last: the rest is read without it
) STRICT;

CREATE TABLE inbox ( -- texts that are accepted and not yet known to be delivered
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  contact_id  INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  message_id  BLOB    NOT NULL CHECK (length(message_id) = 16),
  n           INTEGER NOT NULL CHECK (n BETWEEN 0 AND 0xffffffff),
  late        INTEGER NOT NULL CHECK (late IN (0, 1)),
  received_at INTEGER NOT NULL,
  process     TEXT, -- delivers it; none: it waits for the next command
  content     BLOB    NOT NULL
) STRICT;
`;

/**
 * Version 2: post-quantum rekeying (docs/PROTOCOL.md §6). For existing sessions, the last KEM secret is the
 * handshake's.
 */
export const VERSION_2 = `
-- the root step that mixed a KEM secret last; 0: the handshake
ALTER TABLE sessions ADD COLUMN kem_mixed_step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN kem_mixed_at   INTEGER NOT NULL DEFAULT 0;
UPDATE sessions SET kem_mixed_at = created_at;
-- idle; offered: their next chain answers our key; owed: our next chain answers theirs
ALTER TABLE sessions ADD COLUMN kem_exchange   TEXT    NOT NULL DEFAULT 'idle';
ALTER TABLE sessions ADD COLUMN kem_seed       BLOB CHECK (length(kem_seed) = 64); -- of our key, secret
ALTER TABLE sessions ADD COLUMN kem_owed       BLOB CHECK (length(kem_owed) = 1184) -- their key
  CHECK (CASE kem_exchange
    WHEN 'idle' THEN coalesce(kem_seed, kem_owed) IS NULL
    WHEN 'offered' THEN kem_seed IS NOT NULL AND kem_owed IS NULL
    WHEN 'owed' THEN kem_seed IS NULL AND kem_owed IS NOT NULL
    ELSE FALSE
  END);
-- goes with every message of our chain: a key of 1,184 bytes that we offer, or a ciphertext of 1,088 that answers
ALTER TABLE sessions ADD COLUMN sending_kem    BLOB
  CHECK (sending_kem IS NULL OR (sending = 'chain' AND length(sending_kem) IN (1184, 1088)));
`;

/** Version 3: reusable invites (docs/PROTOCOL.md §3). Existing invites are single-use. */
export const VERSION_3 = `
-- of a reusable invite: the number of its last user, 0 before the first; none: it is used once
ALTER TABLE invites ADD COLUMN last_user INTEGER CHECK (last_user IS NULL OR (last_user >= 0 AND fate <> 'spent'));

CREATE TABLE ledger ( -- openings that a reusable invite let in: none of them does so again, even if contact or session is gone
  prefix_digest BLOB PRIMARY KEY CHECK (length(prefix_digest) = 16),
  invite        INTEGER NOT NULL REFERENCES invites (number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_of_invite ON ledger (invite);
`;

/**
 * Version 4: large envelopes and texts are split into rows, because SQLite copies a row twice in memory to write it.
 */
export const VERSION_4 = `
CREATE TABLE outbox_rest ( -- what follows on the first mebibyte of an envelope, in the order of the ids
  id    INTEGER PRIMARY KEY,
  entry INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
  bytes BLOB    NOT NULL
) STRICT;
CREATE INDEX outbox_rest_of_entry ON outbox_rest (entry);

CREATE TABLE inbox_rest ( -- the same of a text
  id    INTEGER PRIMARY KEY,
  entry INTEGER NOT NULL REFERENCES inbox (id) ON DELETE CASCADE,
  bytes BLOB    NOT NULL
) STRICT;
CREATE INDEX inbox_rest_of_entry ON inbox_rest (entry);
`;

/** Version 5: the history (docs/PROTOCOL.md §8). `HistoryContent` defines what is stored of a content. */
export const VERSION_5 = `
-- since when delivered and sent texts are kept; none: they are not
ALTER TABLE identity ADD COLUMN history_since INTEGER;
-- for how many milliseconds; none: without end
ALTER TABLE identity ADD COLUMN history_for INTEGER
  CHECK (history_for IS NULL OR (history_for > 0 AND history_since IS NOT NULL));

CREATE TABLE history ( -- delivered and sent texts
  id         INTEGER PRIMARY KEY AUTOINCREMENT, -- in the order in which they were kept
  contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  at         INTEGER NOT NULL, -- when it was sealed or delivered
  direction  TEXT    NOT NULL CHECK (direction IN ('sent', 'received')),
  message_id BLOB    NOT NULL CHECK (length(message_id) = 16),
  n          INTEGER NOT NULL CHECK (n BETWEEN 0 AND 0xffffffff),
  sent_at    INTEGER NOT NULL, -- as its sender says
  kind       TEXT    NOT NULL, -- text; file; bytes: no text, or a long one
  file_name  TEXT,
  length     INTEGER CHECK (length >= 0), -- of what is not kept itself
  text       TEXT CHECK (length(CAST(text AS BLOB)) <= 65536),
  CHECK (CASE kind
    WHEN 'text' THEN coalesce(file_name, length) IS NULL AND text IS NOT NULL
    WHEN 'file' THEN text IS NULL AND file_name IS NOT NULL AND length IS NOT NULL
    WHEN 'bytes' THEN coalesce(file_name, text) IS NULL AND length IS NOT NULL
    ELSE FALSE
  END)
) STRICT;
CREATE INDEX history_of_contact ON history (contact_id);
CREATE INDEX history_by_age ON history (at);
`;

/**
 * Version 6: what waits is counted without its bytes. A count of the tables themselves reads every envelope and text.
 */
export const VERSION_6 = `
CREATE INDEX outbox_of_process ON outbox (process);
CREATE INDEX inbox_of_contact ON inbox (contact_id);
`;

/**
 * The longest content, in bytes, that stands in the row of its entry. A longer one goes into rows of its own, so that
 * the entry is listed and claimed without it.
 */
export const LONGEST_INLINE = 2_048;

/**
 * Version 7: times of a wrong clock, numbers that are never given twice, invites that were withdrawn, contradictions that
 * were acknowledged; the inbox, listed without its contents.
 */
export const VERSION_7 = `
-- ages (tables/times.ts): no time of our own clock in this file is later; none: not known
ALTER TABLE identity ADD COLUMN clock INTEGER;

-- numbers: NAME-1 to NAME-last were given, or may have been; none of them is given again
CREATE TABLE numbers (
  name TEXT    PRIMARY KEY,
  last INTEGER NOT NULL CHECK (last > 0)
) STRICT, WITHOUT ROWID;
-- of a reusable invite: the last number of its name when it was made
ALTER TABLE invites ADD COLUMN numbers_after INTEGER NOT NULL DEFAULT 0 CHECK (numbers_after >= 0);

-- invites: when it was withdrawn; its fate is 'expired' then, whatever its expiry says
ALTER TABLE invites ADD COLUMN withdrawn_at INTEGER CHECK (withdrawn_at IS NULL OR fate = 'expired');

-- forks: when its owner acknowledged it
ALTER TABLE sessions ADD COLUMN fork_acknowledged_at INTEGER
  CHECK (fork_acknowledged_at IS NULL OR fork_at IS NOT NULL);
-- What is left of the numbers that earlier versions gave, which went to 1,000: in invites, and in the names of contacts.
INSERT INTO numbers (name, last)
SELECT name, max(last) FROM (
  SELECT contact_name AS name, last_user AS last FROM invites WHERE last_user > 0
  UNION ALL
  SELECT substr(head, 1, length(head) - 1), CAST(digits AS INTEGER) FROM (
    SELECT rtrim(name, '0123456789') AS head, substr(name, length(rtrim(name, '0123456789')) + 1) AS digits FROM contacts
  ) WHERE head LIKE '_%-' AND digits GLOB '[1-9]*' AND CAST(digits AS INTEGER) <= 1000
) GROUP BY name;

-- The inbox: what a text is, known without reading it, as the head of its content says (docs/PROTOCOL.md §7).
ALTER TABLE inbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'text' -- bytes: no text that can be shown
  CHECK (kind IN ('text', 'bytes', 'file'));
ALTER TABLE inbox ADD COLUMN file_name TEXT CHECK ((kind = 'file') = (file_name IS NOT NULL));
ALTER TABLE inbox ADD COLUMN sent_at INTEGER NOT NULL DEFAULT 0; -- as its sender says
ALTER TABLE inbox ADD COLUMN length INTEGER NOT NULL DEFAULT 0 CHECK (length >= 0); -- in bytes, without a file's name
-- JSON reads hexadecimal digits as a number. Which texts are none is found out when they are shown.
UPDATE inbox SET sent_at = ('0x' || hex(substr(content, 2, 8))) ->> '$', length = ('0x' || hex(substr(content, 10, 4))) ->> '$';
UPDATE inbox SET kind = 'file', length = length - 1 - ('0x' || hex(substr(content, 14, 1))) ->> '$',
  file_name = CAST(substr(content, 15, ('0x' || hex(substr(content, 14, 1))) ->> '$') AS TEXT)
WHERE substr(content, 1, 1) = x'02';
-- A negative id precedes those of the rows that hold the rest.
INSERT INTO inbox_rest (id, entry, bytes) SELECT -id, id, content FROM inbox WHERE length(content) > ${LONGEST_INLINE};
UPDATE inbox SET content = x'' WHERE length(content) > ${LONGEST_INLINE};
-- claims: since when the process has it
ALTER TABLE inbox ADD COLUMN claimed_at INTEGER NOT NULL DEFAULT 0;
UPDATE inbox SET claimed_at = received_at;
DROP INDEX inbox_of_contact;
CREATE INDEX inbox_of_contact ON inbox (contact_id, process, length);
`;

/**
 * Version 8: contents that come or go in parts (docs/PROTOCOL.md §7.1).
 */
export const VERSION_8 = `
CREATE TABLE incoming ( -- contents of which parts are missing
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  contact_id  INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  message_id  BLOB    NOT NULL CHECK (length(message_id) = 16),
  n           INTEGER NOT NULL CHECK (n BETWEEN 0 AND 0xffffffff),
  late        INTEGER NOT NULL CHECK (late IN (0, 1)),
  received_at INTEGER NOT NULL,
  name        TEXT,             -- of a file
  sent_at     INTEGER NOT NULL, -- as its sender says
  size        INTEGER CHECK (size >= 0), -- in bytes; none: the last part tells
  part_size   INTEGER NOT NULL CHECK (part_size BETWEEN 65536 AND 16777216),
  key         BLOB    NOT NULL UNIQUE CHECK (length(key) = 32), -- secret
  process     TEXT,             -- takes its parts
  claimed_at  INTEGER,          -- when it took the last ones
  path        TEXT,             -- of the partial file
  inode       TEXT,
  target      TEXT,             -- what it is to be called, once it is complete
  all_below   INTEGER NOT NULL DEFAULT 0 CHECK (all_below >= 0), -- all parts below this one are there
  CHECK ((process IS NULL) = (claimed_at IS NULL)),
  CHECK ((path IS NULL) = (inode IS NULL)),
  CHECK (target IS NULL OR path IS NOT NULL)
) STRICT;
CREATE INDEX incoming_of_contact ON incoming (contact_id);

CREATE TABLE incoming_parts ( -- parts whose data are in the partial file, on the disk
  incoming INTEGER NOT NULL REFERENCES incoming (id) ON DELETE CASCADE,
  part     INTEGER NOT NULL CHECK (part BETWEEN 0 AND 0xffffffff),
  is_last  INTEGER NOT NULL CHECK (is_last IN (0, 1)),
  digest   BLOB    NOT NULL CHECK (length(digest) = 16),
  link     BLOB    NOT NULL CHECK (length(link) = 32),
  next     BLOB    NOT NULL CHECK (length(next) = 32), -- the link of the part behind it
  length   INTEGER NOT NULL CHECK (length >= 0),
  PRIMARY KEY (incoming, part)
) STRICT, WITHOUT ROWID;

CREATE TABLE outgoing ( -- contents of which parts are not yet known to be written
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  message_id BLOB    NOT NULL CHECK (length(message_id) = 16),
  n          INTEGER NOT NULL CHECK (n BETWEEN 0 AND 0xffffffff),
  created_at INTEGER NOT NULL,
  process    TEXT    NOT NULL, -- writes it
  advanced_at INTEGER NOT NULL, -- when it wrote the last parts
  name       TEXT,
  sent_at    INTEGER NOT NULL,
  size       INTEGER CHECK (size >= 0),
  part_size  INTEGER NOT NULL CHECK (part_size BETWEEN 65536 AND 16777216),
  key        BLOB    NOT NULL UNIQUE CHECK (length(key) = 32), -- secret
  path       TEXT, -- the file that it is read from; none: a stream, which cannot be read again
  inode      TEXT,
  modified   TEXT, -- unix nanoseconds
  parts      INTEGER NOT NULL CHECK (parts BETWEEN 0 AND 0xffffffff), -- are written
  link       BLOB    NOT NULL CHECK (length(link) = 32),              -- of the next part
  envelope   BLOB    NOT NULL, -- with the descriptor
  CHECK ((path IS NULL) = (inode IS NULL) AND (path IS NULL) = (modified IS NULL))
) STRICT;
CREATE INDEX outgoing_of_contact ON outgoing (contact_id);
`;

/**
 * Version 9: routes, by which envelopes are carried to boxes at places (docs/PROTOCOL.md §4).
 */
export const VERSION_9 = `
-- The boxes of a session; none for those of before.
ALTER TABLE sessions ADD COLUMN outgoing_box BLOB CHECK (length(outgoing_box) = 16);
ALTER TABLE sessions ADD COLUMN incoming_box BLOB
  CHECK (length(incoming_box) = 16 AND (incoming_box IS NULL) = (outgoing_box IS NULL));
ALTER TABLE sessions ADD COLUMN invite_box BLOB -- of the invite that was answered; the opener's goes with the first answer
  CHECK (length(invite_box) = 16 AND (invite_box IS NULL OR outgoing_box IS NOT NULL));
ALTER TABLE sessions ADD COLUMN read_with INTEGER; -- the contact's newest session when the incoming box was last read empty
ALTER TABLE outbox ADD COLUMN box BLOB CHECK (length(box) = 16);
ALTER TABLE outgoing ADD COLUMN box BLOB CHECK (length(box) = 16);

-- The inbox: how often a command was given a text and failed (recv --exec), and when it did so last.
ALTER TABLE inbox ADD COLUMN tries    INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0);
ALTER TABLE inbox ADD COLUMN tried_at INTEGER CHECK ((tried_at IS NULL) = (tries = 0));
CREATE INDEX inbox_by_tries ON inbox (tries, contact_id) WHERE tries > 0;

CREATE TABLE routes (
  contact_id  INTEGER UNIQUE REFERENCES contacts (id) ON DELETE CASCADE,
  invite_name TEXT    UNIQUE,   -- of open invites: who comes in by one takes it over
  kind        TEXT    NOT NULL, -- dir: a folder; exec: a command; nats: a server
  place       TEXT    NOT NULL, -- path; command; URL
  mark        TEXT,             -- of a folder
  credentials TEXT,             -- for a server: the path of a file with them
  set_at      INTEGER NOT NULL,
  trusted     INTEGER NOT NULL CHECK (trusted IN (0, 1)), -- typed on this machine
  CHECK ((contact_id IS NULL) <> (invite_name IS NULL)),
  CHECK (CASE kind
    WHEN 'dir'  THEN mark IS NOT NULL AND credentials IS NULL
    WHEN 'exec' THEN coalesce(mark, credentials) IS NULL
    WHEN 'nats' THEN mark IS NULL
    ELSE FALSE
  END)
) STRICT;

CREATE TABLE left_entries ( -- envelopes that were left at their place, and are read again
  box      BLOB    NOT NULL CHECK (length(box) = 16),
  name     TEXT    NOT NULL, -- these three are the place's own
  size     INTEGER NOT NULL,
  version  TEXT    NOT NULL,
  code     TEXT    NOT NULL, -- of the error
  tries    INTEGER NOT NULL CHECK (tries > 0),
  tried_at INTEGER NOT NULL,
  PRIMARY KEY (box, name)
) STRICT, WITHOUT ROWID;

-- Parts along routes: the place where those are that are known to be written; none: a file.
ALTER TABLE outgoing ADD COLUMN parts_at TEXT;

CREATE TABLE spent_boxes ( -- boxes of contents in parts that are finished, which may not be empty yet
  box        BLOB    PRIMARY KEY CHECK (length(box) = 16),
  contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  spent_at   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_boxes_of_contact ON spent_boxes (contact_id);
`;

/** Version 10: lists of contacts. */
export const VERSION_10 = `
CREATE TABLE list_members ( -- who is sent to together; a list that nobody is in is none
  list       TEXT    NOT NULL,
  contact_id INTEGER NOT NULL REFERENCES contacts (id) ON DELETE CASCADE,
  PRIMARY KEY (list, contact_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX list_members_of_contact ON list_members (contact_id);
`;

/**
 * Version 11: an identity that is moved elsewhere, or used by several machines; the length of an envelope, which is listed
 * without its bytes.
 */
export const VERSION_11 = `
ALTER TABLE identity ADD COLUMN moving_to TEXT; -- the place where it may be used already; none: here
ALTER TABLE identity ADD COLUMN moving_from TEXT; -- the machine that may make it there; none: it may have been made
ALTER TABLE identity ADD COLUMN move_id BLOB CHECK (length(move_id) = 16); -- of the last move, also where it has come by it
ALTER TABLE identity ADD COLUMN holds INTEGER NOT NULL DEFAULT 0; -- how often all sessions were held, after a rollback

-- The machines that files are on; none: of an older pawl.
ALTER TABLE incoming ADD COLUMN host TEXT CHECK (host IS NULL OR path IS NOT NULL); -- has the partial file
ALTER TABLE outgoing ADD COLUMN host TEXT CHECK (host IS NULL OR path IS NOT NULL); -- has the file that is read

ALTER TABLE outbox ADD COLUMN length INTEGER NOT NULL DEFAULT 0 CHECK (length >= 0); -- of the whole envelope
UPDATE outbox SET length = length(envelope)
  + (SELECT coalesce(sum(length(bytes)), 0) FROM outbox_rest WHERE entry = outbox.id);
`;
