-- Of a try that the box carries itself (e-mail): how often it was tried, and before when it is not tried again.
ALTER TABLE delivery ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN next_at INTEGER;
