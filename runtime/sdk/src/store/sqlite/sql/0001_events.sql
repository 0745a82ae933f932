-- Store format 1. Only ever expanded: a later format adds, so that an older SDK may still read.

-- `epoch`: who may write. `min_reader`: the least format number that a reader must know.
CREATE TABLE meta (
  key   TEXT PRIMARY KEY,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (key, value) VALUES ('epoch', 0), ('min_reader', 1);

CREATE TABLE stream (
  id      INTEGER PRIMARY KEY,
  name    TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL
) STRICT;

CREATE TABLE event_type (
  id   INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE event (
  -- AUTOINCREMENT: a position is never given twice, so no reader's checkpoint can hide an event.
  position    INTEGER PRIMARY KEY AUTOINCREMENT,
  stream      INTEGER NOT NULL REFERENCES stream (id),
  version     INTEGER NOT NULL,
  -- The append's id plus the event's place in it: this index is also what makes appends idempotent.
  event_id    BLOB NOT NULL UNIQUE,
  type        INTEGER NOT NULL REFERENCES event_type (id),
  revision    INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  -- How `data` and `meta` are encoded. 1: JSON text.
  codec       INTEGER NOT NULL,
  data        BLOB NOT NULL,
  meta        BLOB NOT NULL,
  UNIQUE (stream, version)
) STRICT;
