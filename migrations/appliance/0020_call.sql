-- What is listed of a call. `phone`: who called (E.164), null if it was hidden; `intent`: what the agent took the caller to
-- want, as it was written.
ALTER TABLE call ADD COLUMN phone TEXT;
ALTER TABLE call ADD COLUMN intent TEXT;
ALTER TABLE call ADD COLUMN duration_seconds INTEGER CHECK (duration_seconds >= 0);
CREATE INDEX call_heard_as ON call (message) WHERE message IS NOT NULL;
CREATE INDEX call_latest ON call (told_at, id);

-- Where the recording of a call may be fetched, and under which id it is kept. `tries`: that failed; `look_at`: when it is tried
-- next, null once it is settled; `entity`: by what the address marks the bytes that are there (ETag).
CREATE TABLE recording (
  call BLOB PRIMARY KEY NOT NULL REFERENCES call (id),
  media BLOB NOT NULL UNIQUE REFERENCES media (id),
  address TEXT NOT NULL,
  tries INTEGER NOT NULL CHECK (tries >= 0),
  look_at INTEGER,
  entity TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX recording_due ON recording (look_at) WHERE look_at IS NOT NULL;
