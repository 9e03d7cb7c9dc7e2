-- What is spoken with one person, by whichever medium. `patient`: who it is, once somebody has made sure.
-- `name`: as they call themselves where they write. `held_by`: who answers, and `why` the desk does.
-- `unread`: messages that wait for a person. `joined_into`: it turned out to be the same person's as another.
CREATE TABLE conversation (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  patient BLOB REFERENCES patient (id),
  name TEXT,
  held_by TEXT NOT NULL CHECK (held_by IN ('reception', 'desk')),
  why TEXT,
  assignee BLOB REFERENCES staff (id),
  language TEXT,
  unread INTEGER NOT NULL CHECK (unread >= 0),
  opened_at INTEGER NOT NULL,
  last_heard_at INTEGER,
  last_said_at INTEGER,
  last_at INTEGER NOT NULL,
  joined_into BLOB REFERENCES conversation (id)
) STRICT;
CREATE INDEX conversation_latest ON conversation (last_at, id) WHERE joined_into IS NULL;
CREATE INDEX conversation_of ON conversation (patient, last_at) WHERE patient IS NOT NULL;
CREATE INDEX conversation_joined ON conversation (joined_into) WHERE joined_into IS NOT NULL;

-- By which address somebody is in which conversation. `family`: a telephone number (E.164) is one address
-- for calls, short messages and WhatsApp.
CREATE TABLE conversation_address (
  family TEXT NOT NULL CHECK (family IN ('phone', 'whatsapp', 'email')),
  address TEXT NOT NULL,
  conversation BLOB NOT NULL REFERENCES conversation (id),
  PRIMARY KEY (family, address)
) STRICT, WITHOUT ROWID;
CREATE INDEX conversation_address_of ON conversation_address (conversation);

-- The last word about whether messages that nobody asked for are wanted at an address.
CREATE TABLE consent (
  family TEXT NOT NULL CHECK (family IN ('phone', 'whatsapp', 'email')),
  address TEXT NOT NULL,
  wanted INTEGER NOT NULL CHECK (wanted IN (0, 1)),
  said_at INTEGER NOT NULL,
  PRIMARY KEY (family, address)
) STRICT, WITHOUT ROWID;

-- A message of a conversation. `number`: in which order the box had them. `content` is JSON. Of one that was heard `handled_at` is null while it waits
-- for reception, and `understood` says (JSON) what reception made of it. Of one that is said, `route` is JSON:
-- by which media and addresses, in order; `at` which of them was begun last; `look_at` when it is to be
-- looked at again, if ever; `why` says why it was not sent.
CREATE TABLE message (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  conversation BLOB NOT NULL REFERENCES conversation (id),
  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  author TEXT NOT NULL CHECK (author IN ('patient', 'reception', 'staff', 'system')),
  staff BLOB REFERENCES staff (id),
  medium TEXT NOT NULL CHECK (medium IN ('whatsapp', 'sms', 'voice', 'voice-agent', 'email')),
  family TEXT NOT NULL CHECK (family IN ('phone', 'whatsapp', 'email')),
  address TEXT NOT NULL,
  content TEXT NOT NULL,
  said_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  reply_to BLOB REFERENCES message (id),
  provider_id TEXT,
  understood TEXT,
  handled_at INTEGER,
  purpose TEXT CHECK (purpose IN ('reply', 'reminder', 'notice', 'desk')),
  route TEXT,
  at INTEGER,
  not_before INTEGER,
  not_after INTEGER,
  collapse_key TEXT,
  state TEXT CHECK (state IN ('waiting', 'handed', 'sent', 'failed', 'delivered', 'read', 'dropped')),
  look_at INTEGER,
  why TEXT,
  CHECK ((direction = 'in') = (author = 'patient')),
  CHECK ((author = 'staff') = (staff IS NOT NULL)),
  CHECK ((direction = 'out') = (purpose IS NOT NULL AND route IS NOT NULL AND state IS NOT NULL)),
  CHECK (direction = 'out' OR (look_at IS NULL AND collapse_key IS NULL)),
  CHECK (direction = 'in' OR (handled_at IS NULL AND provider_id IS NULL))
) STRICT;
CREATE INDEX message_of ON message (conversation, said_at, number);
CREATE UNIQUE INDEX message_heard_once ON message (medium, provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX message_unhandled ON message (said_at, number) WHERE direction = 'in' AND handled_at IS NULL;
CREATE INDEX message_to_look_at ON message (look_at, number) WHERE look_at IS NOT NULL;
CREATE INDEX message_collapsing ON message (collapse_key)
  WHERE state IN ('waiting', 'handed', 'sent');
CREATE INDEX message_failed ON message (said_at, number) WHERE state = 'failed';

-- One try to bring a message to its address. `id`: by which whoever carries it knows the try.
CREATE TABLE delivery (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  message BLOB NOT NULL REFERENCES message (id),
  attempt INTEGER NOT NULL,
  medium TEXT NOT NULL CHECK (medium IN ('whatsapp', 'sms', 'voice', 'voice-agent', 'email')),
  family TEXT NOT NULL CHECK (family IN ('phone', 'whatsapp', 'email')),
  address TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'handed', 'sent', 'failed', 'delivered', 'read')),
  provider_id TEXT,
  error TEXT,
  begun_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  UNIQUE (message, attempt)
) STRICT, WITHOUT ROWID;
CREATE INDEX delivery_queued ON delivery (medium, begun_at, id) WHERE state = 'queued';
CREATE INDEX delivery_known_as ON delivery (medium, provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX delivery_to ON delivery (family, address, begun_at);

-- A telephone call that a voice agent answered, as it was told last. `name`: what the agent calls it;
-- `body`: what it told, to the letter; `version` grows when it tells otherwise.
CREATE TABLE call (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  conversation BLOB REFERENCES conversation (id),
  message BLOB REFERENCES message (id),
  body TEXT NOT NULL,
  told_at INTEGER NOT NULL
) STRICT;
CREATE INDEX call_of ON call (conversation, told_at) WHERE conversation IS NOT NULL;

-- Webhooks that were taken in, so that each is taken in once. `digest`: SHA-256 of the body.
CREATE TABLE webhook (
  name TEXT PRIMARY KEY NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX webhook_age ON webhook (taken_at);

-- What came from the hub by the relay, so that it is taken once. `number`: as the how manieth it was taken.
CREATE TABLE relay_taken (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  taken_at INTEGER NOT NULL
) STRICT;
CREATE INDEX relay_taken_age ON relay_taken (taken_at);

-- What goes to the hub by the relay, in the order of `number`; `id` is the try to deliver that it is for.
-- `had`: as the how manieth the hub took it, by its last word. What it has is kept for a while, for a hub
-- that is put back to an older copy.
CREATE TABLE relay_row (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  body BLOB NOT NULL,
  not_after INTEGER,
  had INTEGER,
  had_at INTEGER,
  CHECK ((had IS NULL) = (had_at IS NULL))
) STRICT;
CREATE INDEX relay_row_waiting ON relay_row (number) WHERE had IS NULL;
CREATE UNIQUE INDEX relay_row_had ON relay_row (had) WHERE had IS NOT NULL;
CREATE INDEX relay_row_age ON relay_row (had_at) WHERE had_at IS NOT NULL;
