/**
 * The tables in PostgreSQL: identities, and the sealed rows of all their tables (docs/PROTOCOL.md §8).
 */

/** The version of these tables. */
export const LAYOUT = 1;

/**
 * Makes the tables, unless they are there. `record` and `content` are sealed; all the rest is seen by the owner of the
 * database. Sealed bytes cannot be compressed: EXTERNAL keeps PostgreSQL from trying.
 */
export const SCHEMA = `
CREATE SCHEMA IF NOT EXISTS pawl;

CREATE TABLE IF NOT EXISTS pawl.identities (
  id          bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  layout      smallint NOT NULL,
  name        text     NOT NULL UNIQUE,
  salt        bytea    NOT NULL UNIQUE CHECK (octet_length(salt) = 16),
  check_value bytea    NOT NULL CHECK (octet_length(check_value) = 16), -- tells a wrong key
  commit_id   bytea    NOT NULL CHECK (octet_length(commit_id) = 16), -- of the last commit: random
  record      bytea    NOT NULL
);

CREATE TABLE IF NOT EXISTS pawl.rows (
  identity     bigint   NOT NULL REFERENCES pawl.identities ON DELETE CASCADE,
  key          bytea    NOT NULL CHECK (octet_length(key) = 16),
  kind         smallint NOT NULL, -- of which table it is a row
  parent       bytea,             -- the key of the row with which it is deleted
  lookup       bytea CHECK (octet_length(lookup) = 16), -- these three: what it is found by
  other_lookup bytea CHECK (octet_length(other_lookup) = 16),
  ordinal      bigint,
  commit_id    bytea    NOT NULL CHECK (octet_length(commit_id) = 16), -- of the commit that changed it last
  record       bytea    NOT NULL,
  content      bytea,
  PRIMARY KEY (identity, key),
  FOREIGN KEY (identity, parent) REFERENCES pawl.rows ON DELETE CASCADE
);
ALTER TABLE pawl.identities ALTER COLUMN record SET STORAGE EXTERNAL;
ALTER TABLE pawl.rows ALTER COLUMN record SET STORAGE EXTERNAL, ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE INDEX IF NOT EXISTS rows_of_kind ON pawl.rows (identity, kind);
CREATE INDEX IF NOT EXISTS rows_of_parent ON pawl.rows (identity, parent) WHERE parent IS NOT NULL;
CREATE INDEX IF NOT EXISTS rows_by_lookup ON pawl.rows (identity, lookup, ordinal) WHERE lookup IS NOT NULL;
CREATE INDEX IF NOT EXISTS rows_by_other_lookup ON pawl.rows (identity, other_lookup) WHERE other_lookup IS NOT NULL;
`;
