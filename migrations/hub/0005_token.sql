-- What programs of others may ask, and how they find what lies encrypted.

-- Bearer tokens for programs, each of one clinic; only the SHA-256 of each is kept. `scopes` as SMART
-- writes them.
CREATE TABLE token (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  id BLOB NOT NULL CHECK (length(id) = 16),
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  PRIMARY KEY (clinic, hash)
) STRICT;

-- Which records may be found by a term. A term is a keyed hash: it tells that two records have
-- something in common, not what.
CREATE TABLE record_index (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  term BLOB NOT NULL CHECK (length(term) = 16),
  key BLOB NOT NULL,
  PRIMARY KEY (clinic, term, key)
) STRICT, WITHOUT ROWID;

-- The terms of each record, one after the other, so that what is not said any more is taken out.
CREATE TABLE record_terms (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  key BLOB NOT NULL,
  terms BLOB NOT NULL,
  PRIMARY KEY (clinic, key)
) STRICT;

-- The key that hashes the terms of a clinic, encrypted with the clinic's key, and by which version of the
-- terms its index is made. One that is made anew has come as far
-- as the record `through`; none if it is whole.
CREATE TABLE index_state (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  key BLOB NOT NULL,
  version INTEGER NOT NULL,
  through BLOB
) STRICT;

CREATE INDEX record_by_type ON record (clinic, type, key);

-- Slots that a box has lent, held for somebody until a time: who asks the hub for one of them is told
-- that it is taken. `body` is the appointment as it was answered, encrypted with the clinic's key.
CREATE TABLE hold (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  slot BLOB NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  body BLOB NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (clinic, slot)
) STRICT;
CREATE INDEX hold_id ON hold (clinic, id);

-- What programs asked under keys of theirs, until a time, so that who lost the answer hears it again: a hash
-- of what was asked, the ids of what comes of it, and the answer, encrypted with the clinic's key.
CREATE TABLE idempotency (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
  until INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (clinic, id)
) STRICT;
CREATE INDEX idempotency_until ON idempotency (clinic, until);
