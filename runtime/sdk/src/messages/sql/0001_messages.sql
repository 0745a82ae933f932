-- What a plugin has heard, remembers between events, and has still to say. One file for the plugin; the events themselves
-- are in the stores of its divisions.

CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta (key, value) VALUES ('min_reader', 1), ('epoch', 0);

-- Which outbox this is. Listeners begin anew with another one.
CREATE TABLE identity (id BLOB NOT NULL) STRICT;
INSERT INTO identity (id) VALUES (randomblob(16));

-- How far each emitter and process manager has followed the events of its division.
CREATE TABLE follower (
    name     TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Events that a follower could not take in, and later ones of the same key, which wait for them.
CREATE TABLE parked (
    follower TEXT NOT NULL,
    key      TEXT NOT NULL,
    position INTEGER NOT NULL,
    reason   TEXT NOT NULL,
    tries    INTEGER NOT NULL,
    PRIMARY KEY (follower, key, position)
) STRICT, WITHOUT ROWID;

-- Facts that were told: kept for whoever listens later.
CREATE TABLE outbox (
    position    INTEGER PRIMARY KEY AUTOINCREMENT,
    topic       TEXT NOT NULL,
    sequence    INTEGER NOT NULL,
    fact_id     BLOB NOT NULL,
    revision    INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    correlation BLOB,
    causation   BLOB NOT NULL,
    data        BLOB NOT NULL,
    UNIQUE (topic, sequence)
) STRICT;

-- How far each listener has heard each emitter: it keeps all before `position`, and began behind `base`.
CREATE TABLE inbox (
    listener TEXT NOT NULL,
    emitter  TEXT NOT NULL,
    filter   TEXT NOT NULL,
    outbox   TEXT NOT NULL,
    base     INTEGER NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (listener, emitter)
) STRICT, WITHOUT ROWID;

-- The last fact that was heard of each topic: a hole behind it is noticed.
CREATE TABLE heard (
    listener TEXT NOT NULL,
    emitter  TEXT NOT NULL,
    topic    TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (listener, emitter, topic)
) STRICT, WITHOUT ROWID;

-- Facts that a listener could not read.
CREATE TABLE unread (
    listener TEXT NOT NULL,
    emitter  TEXT NOT NULL,
    fact     BLOB NOT NULL,
    reason   TEXT NOT NULL,
    number   INTEGER PRIMARY KEY AUTOINCREMENT
) STRICT;

-- What each instance of a process manager remembers; `step` counts its inputs.
CREATE TABLE process (
    name     TEXT NOT NULL,
    instance TEXT NOT NULL,
    state    BLOB NOT NULL,
    step     INTEGER NOT NULL,
    PRIMARY KEY (name, instance)
) STRICT, WITHOUT ROWID;

CREATE TABLE timer (
    process  TEXT NOT NULL,
    instance TEXT NOT NULL,
    name     TEXT NOT NULL,
    due_at   INTEGER NOT NULL,
    -- Later than `due_at` if the process manager failed to take it in.
    try_at   INTEGER NOT NULL,
    PRIMARY KEY (process, instance, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX timer_by_try ON timer (try_at);

-- Commands and hopes that are still to be sent. Those of one lane go one after the other.
CREATE TABLE outgoing (
    number      INTEGER PRIMARY KEY AUTOINCREMENT,
    id          BLOB NOT NULL UNIQUE,
    lane        TEXT NOT NULL,
    -- The process manager and instance that hear what came of it, if one does.
    process     TEXT,
    instance    TEXT,
    what        BLOB NOT NULL,
    correlation BLOB,
    causation   BLOB
) STRICT;

-- Answers that were given, to be given again.
CREATE TABLE answered (
    hope_id     BLOB PRIMARY KEY,
    outcome     BLOB NOT NULL,
    answered_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX answered_by_time ON answered (answered_at);
