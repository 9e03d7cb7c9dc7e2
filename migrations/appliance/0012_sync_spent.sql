-- What the line to the hub has cost on a day of the clinic, counted coarsely: `day` is days since 1970,
-- `budget` what a day may cost, `waits` whether something waits for the next day because of it.
CREATE TABLE sync_spent (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  day INTEGER NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  budget INTEGER CHECK (budget > 0),
  waits INTEGER NOT NULL CHECK (waits IN (0, 1))
) STRICT;
