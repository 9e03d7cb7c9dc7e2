-- How far the box has the requests of its hub, and how many of them were lost at the hub.
CREATE TABLE downlink (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  series INTEGER NOT NULL,
  taken INTEGER NOT NULL,
  last BLOB CHECK (length(last) = 16),
  lost INTEGER NOT NULL
) STRICT;

-- The ids of the latest requests, by which one is recognised that comes in another series.
CREATE TABLE taken_request (
  place INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16)
) STRICT;

-- What the hub asked for and what is not done yet. `appointment`: what an operation made whose answer is
-- not written yet.
CREATE TABLE request (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('sale', 'operation', 'proposal')),
  body BLOB NOT NULL,
  taken_at INTEGER NOT NULL,
  deadline INTEGER,
  appointment TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX request_of_kind ON request (kind, taken_at, id);

-- Answers to requests that the hub does not have yet; after `until` nobody waits for one any more.
CREATE TABLE reply (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  status INTEGER NOT NULL,
  body BLOB NOT NULL,
  made_at INTEGER NOT NULL,
  until INTEGER
) STRICT, WITHOUT ROWID;

-- What was edited here and at the hub, each otherwise. Values are JSON; null is an element that is not
-- there. What stands in the record is what was said here, until somebody takes the other.
CREATE TABLE conflict (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  patient BLOB NOT NULL REFERENCES patient (id),
  field TEXT NOT NULL,
  base TEXT NOT NULL,
  here TEXT NOT NULL,
  there TEXT NOT NULL,
  edited_by TEXT NOT NULL,
  edited_at INTEGER NOT NULL,
  noted_at INTEGER NOT NULL,
  ruling TEXT CHECK (ruling IN ('kept', 'taken')),
  ruled_at INTEGER,
  CHECK ((ruling IS NULL) = (ruled_at IS NULL))
) STRICT;

CREATE INDEX conflict_open ON conflict (noted_at, id) WHERE ruling IS NULL;
