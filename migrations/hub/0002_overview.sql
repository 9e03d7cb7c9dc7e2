-- What may be seen of all clinics at once: who they are and how many, and whose something is that has to
-- be of one clinic only. Nothing of their records. Everything else is seen clinic by clinic.

-- For operators.
CREATE VIEW overview AS
  SELECT c.id AS clinic, c.name AS name,
    (SELECT count(*) FROM box b WHERE b.clinic = c.id) AS boxes,
    (SELECT count(*) FROM parked p WHERE p.clinic = c.id) AS parked
  FROM clinic c;

-- Whose code this is: a box that joins knows nothing else.
CREATE VIEW code_owner AS SELECT hash, clinic FROM enrolment_code;

-- Whose box has this hardware or signs with this key.
CREATE VIEW box_owner AS SELECT hardware, sign_key, clinic FROM box;
