-- The whole database, written by `CAREPOST_WRITE_SCHEMA=1 cargo nextest run -p tests schema`.

CREATE TABLE clinic (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  name TEXT NOT NULL UNIQUE COLLATE NOCASE,
  wrapped_key BLOB NOT NULL,
  added_at INTEGER NOT NULL
) STRICT;

CREATE TABLE enrolment_code (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  used_by BLOB,
  PRIMARY KEY (clinic, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE box (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  hardware TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  sign_key BLOB NOT NULL UNIQUE CHECK (length(sign_key) = 32),
  seal_key BLOB NOT NULL CHECK (length(seal_key) = 32),
  enrolled_at INTEGER NOT NULL,
  revoked_at INTEGER,
  may_begin INTEGER NOT NULL CHECK (may_begin IN (0, 1)),
  ledger BLOB,
  statement INTEGER NOT NULL,
  heard_at INTEGER
) STRICT;

CREATE TABLE record (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  key BLOB NOT NULL,
  type TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  statement INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (clinic, key)
) STRICT;

CREATE TABLE parked (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  key BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('unreadable', 'invalid', 'unknown', 'too-long')),
  body BLOB,
  PRIMARY KEY (clinic, key)
) STRICT;
