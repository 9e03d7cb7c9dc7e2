-- A program's right to call the API: by a bearer token, of which only the hash is kept, or as a client
-- with keys of its own, of which only the public half is known here or where it is published.
-- Without scopes the role says all that it may do.
CREATE TABLE token_with_scopes (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('admin', 'clerk', 'practitioner', 'kiosk', 'auditor', 'integrator', 'hub')),
  token_hash BLOB UNIQUE CHECK (length(token_hash) = 32),
  jwks TEXT,
  jwks_uri TEXT,
  scopes TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  revoked_at INTEGER,
  CHECK ((token_hash IS NOT NULL) + (jwks IS NOT NULL) + (jwks_uri IS NOT NULL) = 1),
  CHECK (token_hash IS NOT NULL OR scopes IS NOT NULL)
) STRICT;

INSERT INTO token_with_scopes (id, version, name, role, token_hash, created_at, expires_at, revoked_at)
  SELECT id, version, name, role, token_hash, created_at, expires_at, revoked_at FROM token ORDER BY rowid;
DROP TABLE token;
ALTER TABLE token_with_scopes RENAME TO token;

-- What a client got for an assertion: good for minutes, and only as long as the client is.
CREATE TABLE access_token (
  token_hash BLOB PRIMARY KEY NOT NULL CHECK (length(token_hash) = 32),
  client BLOB NOT NULL REFERENCES token (id),
  scopes TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX access_token_of ON access_token (client);
CREATE INDEX access_token_end ON access_token (expires_at);

-- Assertions that were used, until they would have ended: each is good once.
CREATE TABLE assertion (
  client BLOB NOT NULL REFERENCES token (id),
  jti_hash BLOB NOT NULL CHECK (length(jti_hash) = 32),
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (client, jti_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX assertion_end ON assertion (expires_at);
