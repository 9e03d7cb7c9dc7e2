-- The whole database, written by `CAREPOST_WRITE_SCHEMA=1 cargo nextest run -p tests schema`.

CREATE TABLE clinic (
  id BLOB PRIMARY KEY CHECK (length(id) = 16),
  name TEXT NOT NULL,
  wrapped_key BLOB NOT NULL,
  added_at INTEGER NOT NULL,
  life INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX clinic_name ON clinic (lower(name));

CREATE TABLE enrolment_code (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  hash BLOB NOT NULL CHECK (length(hash) = 32),
  expires_at INTEGER NOT NULL,
  used_at INTEGER,
  used_by BLOB,
  PRIMARY KEY (clinic, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX enrolment_code_hash ON enrolment_code (hash);

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

CREATE VIEW overview AS
  SELECT c.id AS clinic, c.name AS name,
    (SELECT count(*) FROM box b WHERE b.clinic = c.id) AS boxes,
    (SELECT count(*) FROM parked p WHERE p.clinic = c.id) AS parked
  FROM clinic c;

CREATE VIEW code_owner AS SELECT hash, clinic FROM enrolment_code;

CREATE VIEW box_owner AS SELECT hardware, sign_key, clinic FROM box;

CREATE TABLE downlink (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  series INTEGER NOT NULL,
  last INTEGER NOT NULL,
  taken INTEGER NOT NULL,
  polled_at INTEGER,
  CHECK (0 <= taken AND taken <= last)
) STRICT;

CREATE TABLE request (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  number INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  put_at INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (clinic, number)
) STRICT;

CREATE INDEX request_of_id ON request (clinic, id);

CREATE TABLE reply (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
  keep_until INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (clinic, id)
) STRICT;

CREATE TABLE loan (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  slot BLOB NOT NULL,
  state BLOB NOT NULL,
  held INTEGER NOT NULL CHECK (held IN (0, 1)),
  due INTEGER NOT NULL CHECK (due IN (0, 1)),
  news INTEGER NOT NULL CHECK (news IN (0, 1)),
  sell_until INTEGER NOT NULL,
  look_at INTEGER NOT NULL,
  PRIMARY KEY (clinic, slot)
) STRICT;

CREATE INDEX loan_due ON loan (clinic, slot) WHERE due = 1;

CREATE INDEX loan_news ON loan (clinic, slot) WHERE news = 1;

CREATE INDEX loan_look ON loan (clinic, held, look_at);

CREATE TABLE sale (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  booking BLOB NOT NULL CHECK (length(booking) = 16),
  slot BLOB NOT NULL,
  generation INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  body BLOB NOT NULL,
  sold_at INTEGER NOT NULL,
  PRIMARY KEY (clinic, booking)
) STRICT;

CREATE INDEX sale_of_slot ON sale (clinic, slot);

CREATE TABLE loan_store (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  store INTEGER NOT NULL,
  sales INTEGER NOT NULL
) STRICT;

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

CREATE TABLE record_index (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  term BLOB NOT NULL CHECK (length(term) = 16),
  key BLOB NOT NULL,
  PRIMARY KEY (clinic, term, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE record_terms (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  key BLOB NOT NULL,
  terms BLOB NOT NULL,
  PRIMARY KEY (clinic, key)
) STRICT;

CREATE TABLE index_state (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  key BLOB NOT NULL,
  version INTEGER NOT NULL,
  through BLOB
) STRICT;

CREATE INDEX record_by_type ON record (clinic, type, key);

CREATE TABLE hold (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  slot BLOB NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  body BLOB NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (clinic, slot)
) STRICT;

CREATE INDEX hold_id ON hold (clinic, id);

CREATE TABLE idempotency (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
  until INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (clinic, id)
) STRICT;

CREATE INDEX idempotency_until ON idempotency (clinic, until);

CREATE TABLE channel (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
  carrier TEXT NOT NULL CHECK (carrier IN ('twilio', 'meta', 'voice-agent')),
  body BLOB NOT NULL,
  added_at INTEGER NOT NULL,
  PRIMARY KEY (clinic, id)
) STRICT;

CREATE TABLE channel_name (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  name BLOB NOT NULL CHECK (length(name) = 32),
  channel BLOB NOT NULL CHECK (length(channel) = 16),
  alone INTEGER NOT NULL CHECK (alone IN (0, 1)),
  PRIMARY KEY (clinic, name, channel)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX channel_name_alone ON channel_name (name) WHERE alone = 1;

CREATE INDEX channel_name_of ON channel_name (name);

CREATE VIEW channel_owner AS SELECT name, clinic, channel FROM channel_name;

CREATE TABLE message_line (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  last INTEGER NOT NULL,
  waiting INTEGER NOT NULL,
  waiting_bytes INTEGER NOT NULL,
  renewed_at INTEGER NOT NULL,
  taken INTEGER NOT NULL
) STRICT;

CREATE VIEW message_waiting AS SELECT clinic, waiting FROM message_line WHERE waiting > 0;

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
  had_as INTEGER, media BLOB,
  PRIMARY KEY (clinic, number)
) STRICT;

CREATE UNIQUE INDEX message_in_id ON message_in (clinic, id);

CREATE INDEX message_in_waiting ON message_in (clinic, number) WHERE had_at IS NULL;

CREATE INDEX message_in_had ON message_in (clinic, had_at);

CREATE INDEX message_in_had_as ON message_in (clinic, had_as);

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

CREATE VIEW message_due AS SELECT clinic, next_at FROM message_out WHERE state = 'waiting';

CREATE TABLE message_peer (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  peer BLOB NOT NULL CHECK (length(peer) = 16),
  channel BLOB NOT NULL CHECK (length(channel) = 16),
  heard_at INTEGER NOT NULL,
  PRIMARY KEY (clinic, peer)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_peer_heard ON message_peer (clinic, heard_at);

CREATE TABLE media_in (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
  channel BLOB NOT NULL CHECK (length(channel) = 16),
  body BLOB NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'cut')),
  since INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  tries INTEGER NOT NULL,
  PRIMARY KEY (clinic, id)
) STRICT;

CREATE INDEX media_in_next ON media_in (next_at) WHERE state = 'waiting';

CREATE INDEX media_in_since ON media_in (clinic, since) WHERE state = 'cut';

CREATE VIEW media_due AS SELECT clinic, next_at FROM media_in WHERE state = 'waiting';

CREATE INDEX message_in_media ON message_in (clinic, media) WHERE media IS NOT NULL;

CREATE TABLE media_out (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
  message BLOB NOT NULL CHECK (length(message) = 16),
  first INTEGER NOT NULL,
  whole INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  body BLOB NOT NULL,
  forget_at INTEGER NOT NULL,
  PRIMARY KEY (clinic, id)
) STRICT;

CREATE UNIQUE INDEX media_out_first ON media_out (clinic, message, first);

CREATE INDEX media_out_forget ON media_out (forget_at);

CREATE VIEW media_over AS SELECT clinic, forget_at FROM media_out;

CREATE TABLE reception_facts (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  body BLOB NOT NULL,
  told_at INTEGER NOT NULL,
  heard_at INTEGER NOT NULL
) STRICT;

CREATE TABLE message_turn (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
  number INTEGER NOT NULL,
  peer BLOB NOT NULL CHECK (length(peer) = 16),
  turn TEXT NOT NULL CHECK (turn IN ('open', 'box', 'done', 'claimed', 'answered', 'noted')),
  received_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL,
  PRIMARY KEY (clinic, id)
) STRICT;

CREATE INDEX message_turn_of ON message_turn (clinic, peer, number);

CREATE INDEX message_turn_open ON message_turn (clinic, number) WHERE turn IN ('open', 'claimed');

CREATE INDEX message_turn_age ON message_turn (clinic, received_at);

CREATE VIEW message_open AS SELECT clinic, received_at FROM message_turn WHERE turn IN ('open', 'claimed');

CREATE TABLE dialogue (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  peer BLOB NOT NULL CHECK (length(peer) = 16),
  number INTEGER NOT NULL,
  body BLOB NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (clinic, peer)
) STRICT, WITHOUT ROWID;

CREATE INDEX dialogue_age ON dialogue (clinic, changed_at);
