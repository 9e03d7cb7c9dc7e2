-- How much of a session is lent to the hub for booking online; null is as the settings say.
ALTER TABLE schedule ADD COLUMN loan_share_percent INTEGER CHECK (loan_share_percent BETWEEN 0 AND 100);
ALTER TABLE schedule ADD COLUMN loan_cutoff_hours INTEGER CHECK (loan_cutoff_hours BETWEEN 1 AND 720);
ALTER TABLE schedule ADD COLUMN loan_horizon_days INTEGER CHECK (loan_horizon_days BETWEEN 1 AND 35);

-- Slots that were lent to the hub: each lane of a slot, once, from its first loan on. `state` is what
-- the protocol knows of it, in the protocol's own encoding; the columns beside it say the same to
-- queries. While `holder` is 'away' the loan holds its claims. `due`: the hub has to hear something.
-- `sale` is the appointment for which the hub sold it, as far as is known; `override_reason` why a person
-- took the slot last without the hub.
CREATE TABLE loan (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  schedule BLOB NOT NULL REFERENCES schedule (id),
  practitioner BLOB NOT NULL REFERENCES practitioner (id),
  start INTEGER NOT NULL,
  end INTEGER NOT NULL,
  lane INTEGER NOT NULL CHECK (lane BETWEEN 0 AND 99),
  holder TEXT NOT NULL CHECK (holder IN ('here', 'away')),
  due INTEGER NOT NULL CHECK (due IN (0, 1)),
  sale BLOB CHECK (length(sale) = 16),
  state BLOB NOT NULL,
  override_reason TEXT,
  UNIQUE (schedule, start, lane),
  CHECK (start < end)
) STRICT;
CREATE INDEX loan_due ON loan (id) WHERE due = 1;
CREATE INDEX loan_away ON loan (start, id) WHERE holder = 'away';
CREATE INDEX loan_over ON loan (end);

-- Who bought what the hub sold, as FHIR resources, from when it is heard until it is in the diary.
CREATE TABLE loan_sale (
  booking BLOB PRIMARY KEY NOT NULL CHECK (length(booking) = 16),
  body BLOB NOT NULL,
  heard_at INTEGER NOT NULL
) STRICT;

-- Confirmations that patients showed here of sales that cannot be adopted before it is known who bought:
-- the slot and the loan, as the protocol names them.
CREATE TABLE loan_shown (
  booking BLOB PRIMARY KEY NOT NULL CHECK (length(booking) = 16),
  slot BLOB NOT NULL,
  generation INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  shown_at INTEGER NOT NULL
) STRICT;

-- Patients who have a confirmation of the hub for a slot that somebody else has, because a person took
-- the slot back before the sale came to light, or because the box was restored and has no such session
-- (then there is no loan). Work for the desk until it is done.
CREATE TABLE displaced (
  booking BLOB PRIMARY KEY NOT NULL CHECK (length(booking) = 16),
  loan BLOB REFERENCES loan (id),
  patient BLOB NOT NULL REFERENCES patient (id),
  start INTEGER NOT NULL,
  said_at INTEGER NOT NULL,
  done_at INTEGER,
  done_how TEXT,
  CHECK ((done_at IS NULL) = (done_how IS NULL))
) STRICT;
CREATE INDEX displaced_open ON displaced (said_at) WHERE done_at IS NULL;

-- In which life of the box, and by which log, it knows what its hub sold before; a box that has
-- joined a hub and is not named here has still to learn it.
CREATE TABLE loan_standing (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  log BLOB NOT NULL CHECK (length(log) = 16),
  box BLOB NOT NULL CHECK (length(box) = 16),
  generation INTEGER NOT NULL
) STRICT;

ALTER TABLE claim RENAME TO claim_before;
-- Who or what is taken in which five minutes, by an appointment or because the slot is lent: the primary
-- key makes double booking impossible, also with what is lent. `tick` is the start divided by five
-- minutes, since 1970. Lanes from 1000 on are deliberate overbookings. `until` ends the claim of a hold.
CREATE TABLE claim (
  actor BLOB NOT NULL CHECK (length(actor) = 16),
  tick INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  appointment BLOB REFERENCES appointment (id),
  until INTEGER,
  loan BLOB REFERENCES loan (id),
  PRIMARY KEY (actor, tick, lane),
  CHECK ((appointment IS NULL) <> (loan IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO claim (actor, tick, lane, appointment, until)
  SELECT actor, tick, lane, appointment, until FROM claim_before;
DROP TABLE claim_before;
