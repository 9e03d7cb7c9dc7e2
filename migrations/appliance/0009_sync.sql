-- The hub that this box has joined, its public keys, and who the box is to it; one at the most.
CREATE TABLE hub (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  url TEXT NOT NULL,
  clinic BLOB NOT NULL CHECK (length(clinic) = 16),
  box BLOB NOT NULL CHECK (length(box) = 16),
  clinic_name TEXT NOT NULL,
  verifying_key BLOB NOT NULL CHECK (length(verifying_key) = 32),
  sealing_key BLOB NOT NULL CHECK (length(sealing_key) = 32),
  enrolled_at INTEGER NOT NULL
) STRICT;

-- How far the hub holds the log, as its last receipt says, and what went wrong since.
CREATE TABLE sync_state (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  log BLOB NOT NULL CHECK (length(log) = 16),
  generation INTEGER,
  whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
  through INTEGER NOT NULL,
  mark BLOB CHECK (length(mark) = 32),
  stop TEXT,
  stop_at INTEGER,
  receipt_at INTEGER,
  parked INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  fault TEXT,
  fault_at INTEGER,
  CHECK ((fault IS NULL) = (fault_at IS NULL))
) STRICT;

-- The entries that the hub could not take, as its last receipt names them.
CREATE TABLE sync_parked (
  key TEXT PRIMARY KEY NOT NULL,
  sequence INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The hash of the log through some of its entries, so that it is not computed from the beginning.
CREATE TABLE sync_mark (
  sequence INTEGER PRIMARY KEY,
  mark BLOB NOT NULL CHECK (length(mark) = 32)
) STRICT;
