-- Other systems ask who wrote a version of a record. Reads are most of the audit and are no part of it.
CREATE INDEX audit_of_writes ON audit (resource, at) WHERE resource IS NOT NULL AND verb <> 'read';
