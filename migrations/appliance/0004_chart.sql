-- What other systems gave of a record, as they gave it; from which version of the record on.
CREATE TABLE given (
  kind TEXT NOT NULL,
  resource BLOB NOT NULL CHECK (length(resource) = 16),
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, resource, version)
) STRICT, WITHOUT ROWID;

-- Records as they were before they were changed.
CREATE TABLE past (
  noun TEXT NOT NULL,
  resource BLOB NOT NULL CHECK (length(resource) = 16),
  version INTEGER NOT NULL,
  image TEXT NOT NULL,
  PRIMARY KEY (noun, resource, version)
) STRICT, WITHOUT ROWID;

-- The versions of one record, and when each was made.
CREATE INDEX change_of ON change (resource, version);

-- What other systems know about patients and the box only keeps.
CREATE TABLE chart (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  patient BLOB REFERENCES patient (id),
  body TEXT,
  UNIQUE (kind, name)
) STRICT;

CREATE INDEX chart_of_patient ON chart (patient, kind) WHERE patient IS NOT NULL;

-- By what resources that are kept as given are found.
CREATE TABLE chart_value (
  kind TEXT NOT NULL,
  parameter TEXT NOT NULL,
  code TEXT NOT NULL,
  system TEXT NOT NULL,
  low INTEGER NOT NULL,
  high INTEGER NOT NULL,
  resource BLOB NOT NULL CHECK (length(resource) = 16),
  PRIMARY KEY (kind, parameter, code, low, high, system, resource)
) STRICT, WITHOUT ROWID;

CREATE INDEX chart_value_of ON chart_value (resource);

-- Other systems look for patients by the date of birth.
CREATE INDEX patient_birth ON patient (birth_date);
