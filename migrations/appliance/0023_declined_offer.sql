-- The time that somebody on the list was offered last and did not want: it is not offered to them again.
ALTER TABLE waitlist ADD COLUMN declined_schedule BLOB;
ALTER TABLE waitlist ADD COLUMN declined_minute INTEGER;
