-- The hub's database, format 1. Whatever belongs to a clinic has the clinic first in its key.
-- Times are milliseconds since 1970 UTC.

-- Clinics, each with the keys of its records, wrapped by the hub's master key. `life` is drawn anew when
-- the clinic is put back from a backup: what was lent to it before is not sold by it again.
CREATE TABLE clinic (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  name TEXT NOT NULL,
  wrapped_key BLOB NOT NULL,
  added_at INTEGER NOT NULL,
  life INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX clinic_name ON clinic (lower(name));

-- Codes with which a box joins; only the SHA-256 of each is kept. `used_by` is the signing key of the
-- box that used it, so that a box which did not hear the answer may ask again.
CREATE TABLE enrolment_code (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  used_by BLOB,
  PRIMARY KEY (clinic, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolment_code_hash ON enrolment_code (hash);

-- The box of each clinic that has joined, and what is held of its log (`ledger`, as the protocol
-- writes it; none before its first bundle). `may_begin`: a person allowed that a new log takes over.
-- `statement` counts the full statements that have begun.
CREATE TABLE box (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
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

-- The records of clinics as they were last said, encrypted with the clinic's key. `statement` says in
-- which full statement, or after it, each was said last: when one is whole, those of before are gone.
CREATE TABLE record (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  key BLOB NOT NULL,
  type TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  statement INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (clinic, key)
) STRICT;

-- What came and could not be taken, encrypted like records; no body where it was too long to be sent.
CREATE TABLE parked (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  key BLOB NOT NULL,
  sequence INTEGER NOT NULL,
  reason TEXT NOT NULL CHECK (reason IN ('unreadable', 'invalid', 'unknown', 'too-long')),
  body BLOB,
  PRIMARY KEY (clinic, key)
) STRICT;
