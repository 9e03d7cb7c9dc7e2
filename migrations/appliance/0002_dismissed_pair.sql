-- Two records that look like one person's and of which staff said that they are of two people.
-- `compared` is the SHA-256 of what was compared (names, birth dates, telephone numbers): when
-- that is another, the pair is listed again.
CREATE TABLE dismissed_pair (
  a BLOB NOT NULL REFERENCES patient (id),
  b BLOB NOT NULL REFERENCES patient (id),
  compared BLOB NOT NULL CHECK (length(compared) = 32),
  at INTEGER NOT NULL,
  PRIMARY KEY (a, b),
  CHECK (a < b)
) STRICT, WITHOUT ROWID;
