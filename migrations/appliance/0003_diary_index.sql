-- One index of the diary instead of two: each booking writes a page of every index that is not in
-- the order of booking. A practitioner's days are read from the days of all, without their rows.
DROP INDEX appointment_day;
DROP INDEX appointment_diary;
CREATE INDEX appointment_day ON appointment (start, practitioner);
