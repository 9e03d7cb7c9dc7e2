-- What came in files from other systems: under which name it came, what it is here, and what it last said.
-- `given` is the SHA-256 of what was given, `version` that of the record once it was taken.
CREATE TABLE imported (
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  local TEXT NOT NULL,
  given BLOB NOT NULL CHECK (length(given) = 32),
  version INTEGER NOT NULL,
  merged INTEGER NOT NULL CHECK (merged IN (0, 1)),
  PRIMARY KEY (source, kind, name)
) STRICT, WITHOUT ROWID;

-- Several that came can be one record here.
CREATE INDEX imported_record ON imported (local) WHERE kind IN ('Patient', 'Practitioner', 'PractitionerRole');
