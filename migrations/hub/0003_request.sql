-- What goes down to the box of each clinic, as the protocol counts it: the series, the last number that
-- was put in, the last that the box has; and when the box began to ask last.
CREATE TABLE downlink (
  clinic BLOB PRIMARY KEY REFERENCES clinic (id),
  series INTEGER NOT NULL,
  last INTEGER NOT NULL,
  taken INTEGER NOT NULL,
  polled_at INTEGER,
  CHECK (0 <= taken AND taken <= last)
) STRICT;

-- What was asked of boxes, without a gap in its numbers, encrypted like records: what a box does not have
-- yet, and what it has but may lose.
CREATE TABLE request (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  number INTEGER NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  put_at INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (clinic, number)
) STRICT;

CREATE INDEX request_of_id ON request (clinic, id);

-- What boxes answered, encrypted like records, as long as somebody may ask for it.
CREATE TABLE reply (
  clinic BLOB NOT NULL REFERENCES clinic (id),
  id BLOB NOT NULL CHECK (length(id) = 16),
  keep_until INTEGER NOT NULL,
  body BLOB NOT NULL,
  PRIMARY KEY (clinic, id)
) STRICT;
