-- Store format 2. A reader of format 1 does not see what is added here, and loses nothing by it.

-- What was answered to an append, under its id. An append without events has nothing else.
CREATE TABLE reply (
  append_id BLOB PRIMARY KEY,
  body      BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- The state of a thing after the first `version` events of its stream. May be removed at any time: it is made of events.
CREATE TABLE snapshot (
  stream      INTEGER PRIMARY KEY REFERENCES stream (id),
  version     INTEGER NOT NULL,
  -- Of the state's form: one that its reader does not know is not read.
  fingerprint INTEGER NOT NULL,
  body        BLOB NOT NULL
) STRICT;
