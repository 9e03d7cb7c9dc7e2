-- Something that the desk has to do. `conversation` is where it came from, if it came from one.
CREATE TABLE ticket (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  reason TEXT NOT NULL,
  subject TEXT NOT NULL,
  patient BLOB REFERENCES patient (id),
  conversation BLOB CHECK (length(conversation) = 16),
  due INTEGER,
  assignee BLOB REFERENCES staff (id),
  status TEXT NOT NULL CHECK (status IN ('open', 'done')),
  opened_at INTEGER NOT NULL,
  done_at INTEGER,
  CHECK ((status = 'done') = (done_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_open ON ticket (due, opened_at, id) WHERE status = 'open';
CREATE INDEX ticket_done ON ticket (done_at) WHERE status = 'done';
CREATE INDEX ticket_of_patient ON ticket (patient) WHERE patient IS NOT NULL;
CREATE INDEX ticket_of_conversation ON ticket (conversation) WHERE conversation IS NOT NULL;

-- Who wants a time that is not free yet. Days are local dates; `last_day` is the last that will do.
CREATE TABLE waitlist (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  patient BLOB NOT NULL REFERENCES patient (id),
  practitioner BLOB REFERENCES practitioner (id),
  specialty TEXT,
  healthcare_service BLOB REFERENCES healthcare_service (id),
  first_day TEXT NOT NULL,
  last_day TEXT NOT NULL,
  part_of_day TEXT CHECK (part_of_day IN ('morning', 'afternoon', 'evening')),
  note TEXT,
  status TEXT NOT NULL CHECK (status IN ('waiting', 'offered', 'booked', 'withdrawn')),
  joined_at INTEGER NOT NULL,
  offered_schedule BLOB,
  offered_minute INTEGER,
  offered_until INTEGER,
  appointment BLOB REFERENCES appointment (id),
  CHECK ((status = 'offered') = (offered_until IS NOT NULL)),
  CHECK ((offered_schedule IS NULL) = (offered_until IS NULL)),
  CHECK ((offered_minute IS NULL) = (offered_until IS NULL)),
  CHECK ((status = 'booked') = (appointment IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX waitlist_open ON waitlist (joined_at, id) WHERE status IN ('waiting', 'offered');
CREATE INDEX waitlist_of_patient ON waitlist (patient);
