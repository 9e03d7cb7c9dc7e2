-- Messages that came by the relay and of which the hub decides whether the box answers them. `item`: what the relay calls it.
-- `number`: that of the message.
-- `given_at`: since when the box is to answer; null while that is not known. `dialogue` (JSON): how it stands before that
-- message, where the hub spoke last. Gone once the message is answered, by whomever.
CREATE TABLE message_asked (
  item BLOB PRIMARY KEY NOT NULL CHECK (length(item) = 16),
  message BLOB NOT NULL UNIQUE REFERENCES message (id),
  number INTEGER NOT NULL,
  given_at INTEGER,
  dialogue TEXT,
  CHECK (given_at IS NOT NULL OR dialogue IS NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_in_doubt ON message_asked (number, item, given_at) WHERE given_at IS NULL;

-- What the hub was told last of what it may say while the box is away, as a digest (SHA-256) of it and of which hub that was.
CREATE TABLE told_facts (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  told_at INTEGER NOT NULL
) STRICT;

-- What waits in each conversation, and in which order there.
DROP INDEX message_unhandled;
CREATE INDEX message_unhandled_of ON message (conversation, said_at, number)
  WHERE direction = 'in' AND handled_at IS NULL;
