-- That somebody was reminded of a visit by a rule, once for each start of it. `message`: what was said last;
-- `stage`: 0 reminded, 1 by another way, because nothing was heard, 2 left to the desk; `look_at`: when it is
-- looked at again, if ever.
CREATE TABLE reminder (
  appointment BLOB NOT NULL REFERENCES appointment (id),
  rule BLOB NOT NULL CHECK (length(rule) = 16),
  start INTEGER NOT NULL,
  message BLOB REFERENCES message (id),
  stage INTEGER NOT NULL CHECK (stage BETWEEN 0 AND 2),
  look_at INTEGER,
  PRIMARY KEY (appointment, rule, start)
) STRICT, WITHOUT ROWID;
CREATE INDEX reminder_to_look_at ON reminder (look_at) WHERE look_at IS NOT NULL;
CREATE INDEX reminder_said ON reminder (message) WHERE message IS NOT NULL;
