-- What patients write to a clinic by way of providers, and what it writes to them, while it is on its way
-- between a provider and the box.

-- The accounts of clinics at providers: what each is called there and its secrets, encrypted with the
-- clinic's key.
CREATE TABLE channel (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
  carrier TEXT NOT NULL CHECK (carrier IN ('twilio', 'meta', 'voice-agent')),
  body BLOB NOT NULL,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (clinic, id)
) STRICT;

-- By what the requests of providers name an account: a SHA-256 of it. One that is `alone` names no other
-- account of any clinic.
CREATE TABLE channel_name (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  name BLOB NOT NULL CHECK (length(name) = 32),
  channel BLOB NOT NULL CHECK (length(channel) = 16),
  alone INTEGER NOT NULL CHECK (alone IN (0, 1)),
  PRIMARY KEY (clinic, name, channel)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX channel_name_alone ON channel_name (name) WHERE alone = 1;
CREATE INDEX channel_name_of ON channel_name (name);

-- Whose account is named so: who gets a request of a provider knows nothing else.
CREATE VIEW channel_owner AS SELECT name, clinic, channel FROM channel_name;

-- How the messages of each clinic are, as the protocol counts them: the last number that was given to one that
-- came, how many wait for the box, and of how many bytes; when those that wait were last made due because the
-- box had connected; and how many were taken from the box.
CREATE TABLE message_line (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  last INTEGER NOT NULL,
  waiting INTEGER NOT NULL,
  waiting_bytes INTEGER NOT NULL,
  renewed_at INTEGER NOT NULL,
  taken INTEGER NOT NULL
) STRICT;

-- Of which clinics something waits for the box.
CREATE VIEW message_waiting AS SELECT clinic, waiting FROM message_line WHERE waiting > 0;

-- What came for a clinic, encrypted with its key: `id` is a hash of what the provider calls it, so that what
-- comes twice is there once. What the box has is kept, with the number under which it has it, for a box that is
-- restored. `sent_at` and `tries` are of the connection that the box has.
CREATE TABLE message_in (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  number INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  medium TEXT NOT NULL,
  body BLOB NOT NULL,
  received_at INTEGER NOT NULL,
  sent_at INTEGER,
  tries INTEGER NOT NULL,
  had_at INTEGER,
  had_as INTEGER,
  PRIMARY KEY (clinic, number)
) STRICT;
CREATE UNIQUE INDEX message_in_id ON message_in (clinic, id);
CREATE INDEX message_in_waiting ON message_in (clinic, number) WHERE had_at IS NULL;
CREATE INDEX message_in_had ON message_in (clinic, had_at);
CREATE INDEX message_in_had_as ON message_in (clinic, had_as);

-- What a clinic's box wants said, encrypted with the clinic's key until the provider has it. `message` is what the
-- box calls it, and `number` as which it was taken. `peer` is a keyed hash of whom it is for: to one person
-- messages go in the order of their numbers. `carrier` is a hash of what the provider calls it. One that waits is
-- tried at `next_at`, by who moves that on first.
CREATE TABLE message_out (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
  message BLOB NOT NULL CHECK (length(message) = 16),
  number INTEGER NOT NULL,
  medium TEXT NOT NULL,
  peer BLOB NOT NULL CHECK (length(peer) = 16),
  body BLOB,
  taken_at INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'delivered', 'read', 'failed')),
  next_at INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  carrier BLOB,
  PRIMARY KEY (clinic, id)
) STRICT;
CREATE INDEX message_out_message ON message_out (clinic, message);
CREATE INDEX message_out_number ON message_out (clinic, number);
CREATE INDEX message_out_waiting ON message_out (clinic, peer, number) WHERE state = 'waiting';
CREATE INDEX message_out_next ON message_out (next_at) WHERE state = 'waiting';
CREATE INDEX message_out_carrier ON message_out (clinic, carrier);
CREATE INDEX message_out_taken ON message_out (clinic, taken_at);

-- Of which clinics something waits to be said, and when it is to be tried.
CREATE VIEW message_due AS SELECT clinic, next_at FROM message_out WHERE state = 'waiting';

-- By which account somebody wrote to the clinic last, and when: within a day anything may be answered there.
-- `peer` is a keyed hash.
CREATE TABLE message_peer (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  peer BLOB NOT NULL CHECK (length(peer) = 16),
  channel BLOB NOT NULL CHECK (length(channel) = 16),
  heard_at INTEGER NOT NULL,
  PRIMARY KEY (clinic, peer)
) STRICT, WITHOUT ROWID;
CREATE INDEX message_peer_heard ON message_peer (clinic, heard_at);
