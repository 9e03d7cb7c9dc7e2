-- Answers that the hub has are kept, too: a hub that was put back to an older copy may have them no more.
-- `sent`: in which order the hub took them.
ALTER TABLE reply ADD COLUMN sent INTEGER;

CREATE INDEX reply_unsent ON reply (made_at, id) WHERE sent IS NULL;
CREATE UNIQUE INDEX reply_sent ON reply (sent) WHERE sent IS NOT NULL;
