-- What the hub knows of each slot that a box has lent it (`state`, as the protocol writes it). The columns
-- beside it say the same to queries: whether the hub holds the slot now, whether the box has to hear
-- something (`due`) or is to hear news of a sale, until when it may be sold at the latest, and when it is
-- to be looked at because the term may be over, both in milliseconds since 1970 UTC.
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

-- What the hub sold under loans: who bought, encrypted with the clinic's key, and by which loan.
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

-- Which database this is to each clinic, for loans: another one whenever it was put back from a copy that
-- does not know of all sales; and how many sales there were. A file beside the database counts them, too.
CREATE TABLE loan_store (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  store INTEGER NOT NULL,
  sales INTEGER NOT NULL
) STRICT;
