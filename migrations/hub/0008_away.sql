-- What the hub needs to answer in the place of a box that is away.

-- What each clinic lets its hub say, encrypted with its key; `told_at` by the clock of the box, so that what is newer
-- stays. `heard_at`: when any hub last heard the box by the broker.
CREATE TABLE reception_facts (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  body BLOB NOT NULL,
  told_at INTEGER NOT NULL,
  heard_at INTEGER NOT NULL
) STRICT;

-- Who answers what came: nobody yet, the box or the hub. `id` and `number` are those of the message that came, `peer` is a
-- keyed hash of whom it is from. What the hub has claimed is gone on with at `next_at`, by who moves that on first.
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

-- Of which clinics something is to be answered.
CREATE VIEW message_open AS SELECT clinic, received_at FROM message_turn WHERE turn IN ('open', 'claimed');

-- How the dialogue with somebody stands after the message of that number, encrypted with the clinic's key.
CREATE TABLE dialogue (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  peer BLOB NOT NULL CHECK (length(peer) = 16),
  number INTEGER NOT NULL,
  body BLOB NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (clinic, peer)
) STRICT, WITHOUT ROWID;
CREATE INDEX dialogue_age ON dialogue (clinic, changed_at);
