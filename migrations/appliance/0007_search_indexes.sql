-- Other systems look for patients by a number whoever gave it, and by the e-mail address.
CREATE INDEX patient_identifier_value ON patient_identifier (value);

CREATE INDEX patient_email ON patient (email COLLATE NOCASE) WHERE email IS NOT NULL;

-- The words and digits of records that are out of use are in no index of the search.
CREATE INDEX patient_out_of_use ON patient (number) WHERE active = 0;

-- Other systems ask again and again for what was changed since they asked last.
CREATE INDEX change_at ON change (noun, at);

-- The resources of a kind, in the order in which they are listed.
CREATE INDEX chart_of_kind ON chart (kind, id);
