-- Pictures, voice notes and documents, while they are on their way between a provider and the box.

-- What was heard of and is to be fetched from a provider, or was, and lies cut into parts among what goes to the
-- box. `id` is that of the message that named it; `body` is by what the provider knows it, encrypted with the
-- clinic's key. One that is not fetched is tried at `next_at`, by who moves that on first, for a while after `since`.
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

-- Of which clinics something is to be fetched, and when.
CREATE VIEW media_due AS SELECT clinic, next_at FROM media_in WHERE state = 'waiting';

-- Of which picture or sound a message to the box is a part. When the box has it, its body says nothing any more.
ALTER TABLE message_in ADD COLUMN media BLOB;
CREATE INDEX message_in_media ON message_in (clinic, media) WHERE media IS NOT NULL;

-- Parts that a clinic's box wants sent with a message, encrypted with the clinic's key. `id` is that of the part on
-- the way; `first` is the place of its first byte, and `whole` how long all of it is. They are kept until `forget_at`.
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

-- Of which clinics something is to be forgotten, and when.
CREATE VIEW media_over AS SELECT clinic, forget_at FROM media_out;
