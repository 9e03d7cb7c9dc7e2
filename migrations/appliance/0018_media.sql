-- A picture, a voice note, a document, a recording. What it holds lies encrypted in the folder `media`, in a file that is
-- called like `id`. `message`: to which it belongs; null where there is none, as with the recording of a call from a hidden
-- number. `reference`: by what whoever carries it knows it. `why`: why it is not there, by a stable word.
CREATE TABLE media (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  message BLOB REFERENCES message (id),
  reference TEXT,
  media_type TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'kept', 'refused')),
  bytes INTEGER CHECK (bytes >= 0),
  sha256 BLOB CHECK (length(sha256) = 32),
  why TEXT,
  expected_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  CHECK ((state = 'kept') = (bytes IS NOT NULL AND sha256 IS NOT NULL)),
  CHECK ((state = 'refused') = (why IS NOT NULL))
) STRICT;
CREATE INDEX media_of ON media (message) WHERE message IS NOT NULL;
CREATE INDEX media_known_as ON media (reference) WHERE reference IS NOT NULL;
CREATE INDEX media_waiting_age ON media (expected_at) WHERE state = 'waiting';
CREATE INDEX media_kept ON media (bytes) WHERE state = 'kept';

-- What has come of something that is not whole yet, whether or not it is known already to whom it belongs. `whole`: how
-- long all of it is; 0 if it will never come, and `media_type` then says why.
CREATE TABLE media_part (
  number INTEGER PRIMARY KEY,
  reference TEXT NOT NULL,
  at INTEGER NOT NULL CHECK (at >= 0),
  whole INTEGER NOT NULL CHECK (whole >= 0),
  media_type TEXT NOT NULL,
  taken_at INTEGER NOT NULL,
  length INTEGER NOT NULL CHECK (length = length(bytes)),
  bytes BLOB NOT NULL,
  UNIQUE (reference, at)
) STRICT;
CREATE INDEX media_part_age ON media_part (taken_at);

-- A row that is a part of what a try to deliver says: it goes before it, and is forgotten with it.
ALTER TABLE relay_row ADD COLUMN part_of BLOB;
CREATE INDEX relay_row_part ON relay_row (part_of) WHERE part_of IS NOT NULL;
