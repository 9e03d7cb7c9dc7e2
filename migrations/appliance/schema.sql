-- The whole database, written by `CAREPOST_WRITE_SCHEMA=1 cargo nextest run -p tests schema`.

CREATE TABLE clinic (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  id BLOB NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  timezone TEXT NOT NULL,
  country TEXT NOT NULL CHECK (length(country) = 2),
  walk_in_wait_minutes INTEGER NOT NULL CHECK (walk_in_wait_minutes BETWEEN 0 AND 240),
  demo INTEGER NOT NULL CHECK (demo IN (0, 1))
) STRICT;

CREATE TABLE log (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  id BLOB NOT NULL CHECK (length(id) = 16),
  started_at INTEGER NOT NULL
) STRICT;

CREATE TABLE change (
  sequence INTEGER PRIMARY KEY,
  noun TEXT NOT NULL,
  resource BLOB NOT NULL CHECK (length(resource) = 16),
  version INTEGER NOT NULL,
  verb TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  actor_kind TEXT NOT NULL,
  actor BLOB,
  channel TEXT NOT NULL,
  verb TEXT NOT NULL,
  noun TEXT NOT NULL,
  resource BLOB,
  patient BLOB,
  mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

CREATE INDEX audit_of_patient ON audit (patient, sequence) WHERE patient IS NOT NULL;

CREATE TABLE audit_head (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  sequence INTEGER NOT NULL,
  mac BLOB NOT NULL CHECK (length(mac) = 32)
) STRICT;

CREATE TABLE idempotency (
  actor TEXT NOT NULL,
  key TEXT NOT NULL,
  request BLOB NOT NULL CHECK (length(request) = 32),
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_age ON idempotency (at);

CREATE TABLE patient (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL,
  birth_date TEXT,
  birth_year INTEGER,
  sex TEXT NOT NULL CHECK (sex IN ('male', 'female', 'other', 'unknown')),
  language TEXT,
  email TEXT,
  address_line TEXT,
  city TEXT,
  district TEXT,
  state TEXT,
  postal_code TEXT,
  country TEXT,
  channels TEXT NOT NULL,
  reminders INTEGER NOT NULL CHECK (reminders IN (0, 1)),
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  merged_into BLOB REFERENCES patient (id),
  created_at INTEGER NOT NULL,
  CHECK (active = 0 OR merged_into IS NULL)
) STRICT;

CREATE INDEX patient_sound ON patient (name_key, birth_year) WHERE active = 1;

CREATE TABLE patient_name (
  patient BLOB NOT NULL REFERENCES patient (id),
  position INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (patient, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE patient_identifier (
  system TEXT NOT NULL,
  value TEXT NOT NULL,
  patient BLOB NOT NULL REFERENCES patient (id),
  PRIMARY KEY (system, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX patient_identifier_of ON patient_identifier (patient);

CREATE TABLE patient_phone (
  patient BLOB NOT NULL REFERENCES patient (id),
  position INTEGER NOT NULL,
  number TEXT NOT NULL,
  use TEXT NOT NULL CHECK (use IN ('mobile', 'home', 'work')),
  PRIMARY KEY (patient, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX patient_phone_number ON patient_phone (number);

CREATE TABLE patient_relation (
  patient BLOB NOT NULL REFERENCES patient (id),
  related BLOB NOT NULL REFERENCES patient (id),
  relationship TEXT NOT NULL,
  PRIMARY KEY (patient, related)
) STRICT, WITHOUT ROWID;

CREATE INDEX patient_relation_back ON patient_relation (related);

CREATE TABLE patient_merge (
  sequence INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  kept BLOB NOT NULL REFERENCES patient (id),
  duplicate BLOB NOT NULL REFERENCES patient (id),
  moved TEXT NOT NULL,
  at INTEGER NOT NULL,
  undone_at INTEGER
) STRICT;

CREATE INDEX patient_merge_standing ON patient_merge (kept) WHERE undone_at IS NULL;

CREATE TABLE patient_likeness (
  a BLOB NOT NULL REFERENCES patient (id),
  b BLOB NOT NULL REFERENCES patient (id),
  score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
  reasons TEXT NOT NULL,
  PRIMARY KEY (a, b),
  CHECK (a < b)
) STRICT, WITHOUT ROWID;

CREATE INDEX patient_likeness_back ON patient_likeness (b);

CREATE INDEX patient_likeness_best ON patient_likeness (score);

CREATE TABLE patient_search (
  number INTEGER PRIMARY KEY,
  names TEXT NOT NULL,
  digits TEXT NOT NULL,
  sounds TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE patient_word USING fts5 (
  tokens, content = '', contentless_delete = 1, detail = 'none', tokenize = 'ascii', prefix = '2 3 4 5'
);

CREATE VIRTUAL TABLE patient_digits USING fts5 (
  digits, content = '', contentless_delete = 1, tokenize = 'trigram'
);

CREATE TABLE name_sound (
  id INTEGER PRIMARY KEY,
  sound TEXT NOT NULL UNIQUE,
  skeleton TEXT NOT NULL,
  patients INTEGER NOT NULL CHECK (patients > 0)
) STRICT;

CREATE INDEX name_sound_skeleton ON name_sound (skeleton, sound);

CREATE VIRTUAL TABLE name_sound_part USING fts5 (
  sound, content = '', contentless_delete = 1, tokenize = 'trigram'
);

CREATE TABLE location (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('room', 'equipment', 'site')),
  active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

CREATE TABLE practitioner (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  token_prefix TEXT NOT NULL UNIQUE,
  location BLOB REFERENCES location (id),
  active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

CREATE TABLE practitioner_specialty (
  practitioner BLOB NOT NULL REFERENCES practitioner (id),
  position INTEGER NOT NULL,
  specialty TEXT NOT NULL,
  PRIMARY KEY (practitioner, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE healthcare_service (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  duration_minutes INTEGER NOT NULL CHECK (duration_minutes BETWEEN 5 AND 720 AND duration_minutes % 5 = 0),
  buffer_minutes INTEGER NOT NULL CHECK (buffer_minutes BETWEEN 0 AND 240 AND buffer_minutes % 5 = 0),
  active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

CREATE TABLE healthcare_service_practitioner (
  healthcare_service BLOB NOT NULL REFERENCES healthcare_service (id),
  practitioner BLOB NOT NULL REFERENCES practitioner (id),
  PRIMARY KEY (healthcare_service, practitioner)
) STRICT, WITHOUT ROWID;

CREATE TABLE healthcare_service_location (
  healthcare_service BLOB NOT NULL REFERENCES healthcare_service (id),
  location BLOB NOT NULL REFERENCES location (id),
  PRIMARY KEY (healthcare_service, location)
) STRICT, WITHOUT ROWID;

CREATE TABLE schedule (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  practitioner BLOB NOT NULL REFERENCES practitioner (id),
  location BLOB REFERENCES location (id),
  weekdays INTEGER NOT NULL CHECK (weekdays BETWEEN 1 AND 127),
  start_minute INTEGER NOT NULL CHECK (start_minute BETWEEN 0 AND 1435 AND start_minute % 5 = 0),
  end_minute INTEGER NOT NULL CHECK (end_minute BETWEEN 5 AND 1440 AND end_minute % 5 = 0),
  slot_minutes INTEGER NOT NULL CHECK (slot_minutes BETWEEN 5 AND 720 AND slot_minutes % 5 = 0),
  slot_capacity INTEGER NOT NULL CHECK (slot_capacity BETWEEN 1 AND 100),
  session_capacity INTEGER CHECK (session_capacity BETWEEN 1 AND 1000),
  valid_from TEXT,
  valid_to TEXT,
  active INTEGER NOT NULL CHECK (active IN (0, 1)), loan_share_percent INTEGER CHECK (loan_share_percent BETWEEN 0 AND 100), loan_cutoff_hours INTEGER CHECK (loan_cutoff_hours BETWEEN 1 AND 720), loan_horizon_days INTEGER CHECK (loan_horizon_days BETWEEN 1 AND 35),
  CHECK (end_minute - start_minute >= slot_minutes)
) STRICT;

CREATE INDEX schedule_of_practitioner ON schedule (practitioner);

CREATE TABLE leave (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  practitioner BLOB NOT NULL REFERENCES practitioner (id),
  from_date TEXT NOT NULL,
  to_date TEXT NOT NULL,
  reason TEXT,
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  CHECK (from_date <= to_date)
) STRICT;

CREATE INDEX leave_of_practitioner ON leave (practitioner, to_date) WHERE active = 1;

CREATE TABLE closed_day (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  date TEXT NOT NULL,
  reason TEXT NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

CREATE UNIQUE INDEX closed_day_date ON closed_day (date) WHERE active = 1;

CREATE TABLE appointment (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('pending', 'booked', 'arrived', 'checked-in', 'fulfilled', 'cancelled', 'noshow', 'entered-in-error')),
  patient BLOB NOT NULL REFERENCES patient (id),
  practitioner BLOB NOT NULL REFERENCES practitioner (id),
  location BLOB REFERENCES location (id),
  healthcare_service BLOB REFERENCES healthcare_service (id),
  schedule BLOB NOT NULL REFERENCES schedule (id),
  start INTEGER NOT NULL,
  end INTEGER NOT NULL,
  blocked_to INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  reason TEXT,
  cancel_reason TEXT,
  overbook_reason TEXT,
  confirmed_at INTEGER,
  hold_until INTEGER,
  series BLOB,
  created_at INTEGER NOT NULL,
  CHECK (start < end AND end <= blocked_to),
  CHECK ((status = 'pending') = (hold_until IS NOT NULL))
) STRICT;

CREATE INDEX appointment_of_patient ON appointment (patient, start);

CREATE INDEX appointment_held ON appointment (hold_until) WHERE status = 'pending';

CREATE TABLE queue_entry (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  date TEXT NOT NULL,
  prefix TEXT NOT NULL,
  number INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('booked', 'walk-in', 'desk')),
  status TEXT NOT NULL CHECK (status IN ('waiting', 'called', 'skipped', 'finished', 'left')),
  patient BLOB REFERENCES patient (id),
  practitioner BLOB REFERENCES practitioner (id),
  location BLOB REFERENCES location (id),
  appointment BLOB UNIQUE REFERENCES appointment (id),
  joined_at INTEGER NOT NULL,
  due INTEGER NOT NULL,
  called_at INTEGER,
  calls INTEGER NOT NULL,
  finished_at INTEGER,
  priority_reason TEXT,
  UNIQUE (date, prefix, number)
) STRICT;

CREATE INDEX queue_entry_line ON queue_entry (date, practitioner, status, due);

CREATE INDEX queue_entry_of_patient ON queue_entry (patient) WHERE patient IS NOT NULL;

CREATE TABLE staff (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  username TEXT NOT NULL UNIQUE COLLATE NOCASE,
  name TEXT NOT NULL,
  role TEXT NOT NULL CHECK (role IN ('admin', 'clerk', 'practitioner', 'auditor')),
  practitioner BLOB REFERENCES practitioner (id),
  password_hash TEXT NOT NULL,
  disabled INTEGER NOT NULL CHECK (disabled IN (0, 1))
) STRICT;

CREATE TABLE session (
  token_hash BLOB PRIMARY KEY NOT NULL CHECK (length(token_hash) = 32),
  staff BLOB NOT NULL REFERENCES staff (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE signin_failure (
  username TEXT NOT NULL,
  source TEXT NOT NULL,
  failures INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (username, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('kiosk', 'board')),
  name TEXT,
  status TEXT NOT NULL CHECK (status IN ('offered', 'pending', 'paired', 'revoked')),
  code TEXT UNIQUE,
  secret_hash BLOB UNIQUE CHECK (length(secret_hash) = 32),
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  paired_at INTEGER
) STRICT;

CREATE TABLE dismissed_pair (
  a BLOB NOT NULL REFERENCES patient (id),
  b BLOB NOT NULL REFERENCES patient (id),
  compared BLOB NOT NULL CHECK (length(compared) = 32),
  at INTEGER NOT NULL,
  PRIMARY KEY (a, b),
  CHECK (a < b)
) STRICT, WITHOUT ROWID;

CREATE INDEX appointment_day ON appointment (start, practitioner);

CREATE TABLE given (
  kind TEXT NOT NULL,
  resource BLOB NOT NULL CHECK (length(resource) = 16),
  version INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, resource, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE past (
  noun TEXT NOT NULL,
  resource BLOB NOT NULL CHECK (length(resource) = 16),
  version INTEGER NOT NULL,
  image TEXT NOT NULL,
  PRIMARY KEY (noun, resource, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX change_of ON change (resource, version);

CREATE TABLE chart (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  patient BLOB REFERENCES patient (id),
  body TEXT,
  UNIQUE (kind, name)
) STRICT;

CREATE INDEX chart_of_patient ON chart (patient, kind) WHERE patient IS NOT NULL;

CREATE TABLE chart_value (
  kind TEXT NOT NULL,
  parameter TEXT NOT NULL,
  code TEXT NOT NULL,
  system TEXT NOT NULL,
  low INTEGER NOT NULL,
  high INTEGER NOT NULL,
  resource BLOB NOT NULL CHECK (length(resource) = 16),
  PRIMARY KEY (kind, parameter, code, low, high, system, resource)
) STRICT, WITHOUT ROWID;

CREATE INDEX chart_value_of ON chart_value (resource);

CREATE INDEX patient_birth ON patient (birth_date);

CREATE TABLE "token" (
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

CREATE TABLE access_token (
  token_hash BLOB PRIMARY KEY NOT NULL CHECK (length(token_hash) = 32),
  client BLOB NOT NULL REFERENCES token (id),
  scopes TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX access_token_of ON access_token (client);

CREATE INDEX access_token_end ON access_token (expires_at);

CREATE TABLE assertion (
  client BLOB NOT NULL REFERENCES token (id),
  jti_hash BLOB NOT NULL CHECK (length(jti_hash) = 32),
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (client, jti_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX assertion_end ON assertion (expires_at);

CREATE TABLE imported (
  source TEXT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  local TEXT NOT NULL,
  given BLOB NOT NULL CHECK (length(given) = 32),
  version INTEGER NOT NULL,
  merged INTEGER NOT NULL CHECK (merged IN (0, 1)),
  PRIMARY KEY (source, kind, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX imported_record ON imported (local) WHERE kind IN ('Patient', 'Practitioner', 'PractitionerRole');

CREATE INDEX patient_identifier_value ON patient_identifier (value);

CREATE INDEX patient_email ON patient (email COLLATE NOCASE) WHERE email IS NOT NULL;

CREATE INDEX patient_out_of_use ON patient (number) WHERE active = 0;

CREATE INDEX change_at ON change (noun, at);

CREATE INDEX chart_of_kind ON chart (kind, id);

CREATE INDEX audit_of_writes ON audit (resource, at) WHERE resource IS NOT NULL AND verb <> 'read';

CREATE TABLE hub (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  url TEXT NOT NULL,
  clinic BLOB NOT NULL CHECK (length(clinic) = 16),
  box BLOB NOT NULL CHECK (length(box) = 16),
  clinic_name TEXT NOT NULL,
  verifying_key BLOB NOT NULL CHECK (length(verifying_key) = 32),
  sealing_key BLOB NOT NULL CHECK (length(sealing_key) = 32),
  enrolled_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sync_state (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  log BLOB NOT NULL CHECK (length(log) = 16),
  generation INTEGER,
  whole INTEGER NOT NULL CHECK (whole IN (0, 1)),
  through INTEGER NOT NULL,
  mark BLOB CHECK (length(mark) = 32),
  stop TEXT,
  stop_at INTEGER,
  receipt_at INTEGER,
  parked INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  fault TEXT,
  fault_at INTEGER,
  CHECK ((fault IS NULL) = (fault_at IS NULL))
) STRICT;

CREATE TABLE sync_parked (
  key TEXT PRIMARY KEY NOT NULL,
  sequence INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sync_mark (
  sequence INTEGER PRIMARY KEY,
  mark BLOB NOT NULL CHECK (length(mark) = 32)
) STRICT;

CREATE TABLE loan (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  schedule BLOB NOT NULL REFERENCES schedule (id),
  practitioner BLOB NOT NULL REFERENCES practitioner (id),
  start INTEGER NOT NULL,
  end INTEGER NOT NULL,
  lane INTEGER NOT NULL CHECK (lane BETWEEN 0 AND 99),
  holder TEXT NOT NULL CHECK (holder IN ('here', 'away')),
  due INTEGER NOT NULL CHECK (due IN (0, 1)),
  sale BLOB CHECK (length(sale) = 16),
  state BLOB NOT NULL,
  override_reason TEXT,
  UNIQUE (schedule, start, lane),
  CHECK (start < end)
) STRICT;

CREATE INDEX loan_due ON loan (id) WHERE due = 1;

CREATE INDEX loan_away ON loan (start, id) WHERE holder = 'away';

CREATE INDEX loan_over ON loan (end);

CREATE TABLE loan_sale (
  booking BLOB PRIMARY KEY NOT NULL CHECK (length(booking) = 16),
  body BLOB NOT NULL,
  heard_at INTEGER NOT NULL
) STRICT;

CREATE TABLE loan_shown (
  booking BLOB PRIMARY KEY NOT NULL CHECK (length(booking) = 16),
  slot BLOB NOT NULL,
  generation INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  shown_at INTEGER NOT NULL
) STRICT;

CREATE TABLE displaced (
  booking BLOB PRIMARY KEY NOT NULL CHECK (length(booking) = 16),
  loan BLOB REFERENCES loan (id),
  patient BLOB NOT NULL REFERENCES patient (id),
  start INTEGER NOT NULL,
  said_at INTEGER NOT NULL,
  done_at INTEGER,
  done_how TEXT,
  CHECK ((done_at IS NULL) = (done_how IS NULL))
) STRICT;

CREATE INDEX displaced_open ON displaced (said_at) WHERE done_at IS NULL;

CREATE TABLE loan_standing (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  log BLOB NOT NULL CHECK (length(log) = 16),
  box BLOB NOT NULL CHECK (length(box) = 16),
  generation INTEGER NOT NULL
) STRICT;

CREATE TABLE claim (
  actor BLOB NOT NULL CHECK (length(actor) = 16),
  tick INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  appointment BLOB REFERENCES appointment (id),
  until INTEGER,
  loan BLOB REFERENCES loan (id),
  PRIMARY KEY (actor, tick, lane),
  CHECK ((appointment IS NULL) <> (loan IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE downlink (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  series INTEGER NOT NULL,
  taken INTEGER NOT NULL,
  last BLOB CHECK (length(last) = 16),
  lost INTEGER NOT NULL
) STRICT;

CREATE TABLE taken_request (
  place INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16)
) STRICT;

CREATE TABLE request (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  kind TEXT NOT NULL CHECK (kind IN ('sale', 'operation', 'proposal')),
  body BLOB NOT NULL,
  taken_at INTEGER NOT NULL,
  deadline INTEGER,
  appointment TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX request_of_kind ON request (kind, taken_at, id);

CREATE TABLE reply (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  status INTEGER NOT NULL,
  body BLOB NOT NULL,
  made_at INTEGER NOT NULL,
  until INTEGER
, sent INTEGER) STRICT, WITHOUT ROWID;

CREATE TABLE conflict (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  patient BLOB NOT NULL REFERENCES patient (id),
  field TEXT NOT NULL,
  base TEXT NOT NULL,
  here TEXT NOT NULL,
  there TEXT NOT NULL,
  edited_by TEXT NOT NULL,
  edited_at INTEGER NOT NULL,
  noted_at INTEGER NOT NULL,
  ruling TEXT CHECK (ruling IN ('kept', 'taken')),
  ruled_at INTEGER,
  CHECK ((ruling IS NULL) = (ruled_at IS NULL))
) STRICT;

CREATE INDEX conflict_open ON conflict (noted_at, id) WHERE ruling IS NULL;

CREATE TABLE sync_spent (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  day INTEGER NOT NULL,
  bytes INTEGER NOT NULL CHECK (bytes >= 0),
  budget INTEGER CHECK (budget > 0),
  waits INTEGER NOT NULL CHECK (waits IN (0, 1))
) STRICT;

CREATE INDEX reply_unsent ON reply (made_at, id) WHERE sent IS NULL;

CREATE UNIQUE INDEX reply_sent ON reply (sent) WHERE sent IS NOT NULL;

CREATE TABLE conversation (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  patient BLOB REFERENCES patient (id),
  name TEXT,
  held_by TEXT NOT NULL CHECK (held_by IN ('reception', 'desk')),
  why TEXT,
  assignee BLOB REFERENCES staff (id),
  language TEXT,
  unread INTEGER NOT NULL CHECK (unread >= 0),
  opened_at INTEGER NOT NULL,
  last_heard_at INTEGER,
  last_said_at INTEGER,
  last_at INTEGER NOT NULL,
  joined_into BLOB REFERENCES conversation (id)
) STRICT;

CREATE INDEX conversation_latest ON conversation (last_at, id) WHERE joined_into IS NULL;

CREATE INDEX conversation_of ON conversation (patient, last_at) WHERE patient IS NOT NULL;

CREATE INDEX conversation_joined ON conversation (joined_into) WHERE joined_into IS NOT NULL;

CREATE TABLE conversation_address (
  family TEXT NOT NULL CHECK (family IN ('phone', 'whatsapp', 'email')),
  address TEXT NOT NULL,
  conversation BLOB NOT NULL REFERENCES conversation (id),
  PRIMARY KEY (family, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX conversation_address_of ON conversation_address (conversation);

CREATE TABLE consent (
  family TEXT NOT NULL CHECK (family IN ('phone', 'whatsapp', 'email')),
  address TEXT NOT NULL,
  wanted INTEGER NOT NULL CHECK (wanted IN (0, 1)),
  said_at INTEGER NOT NULL,
  PRIMARY KEY (family, address)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  conversation BLOB NOT NULL REFERENCES conversation (id),
  direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
  author TEXT NOT NULL CHECK (author IN ('patient', 'reception', 'staff', 'system')),
  staff BLOB REFERENCES staff (id),
  medium TEXT NOT NULL CHECK (medium IN ('whatsapp', 'sms', 'voice', 'voice-agent', 'email')),
  family TEXT NOT NULL CHECK (family IN ('phone', 'whatsapp', 'email')),
  address TEXT NOT NULL,
  content TEXT NOT NULL,
  said_at INTEGER NOT NULL,
  received_at INTEGER NOT NULL,
  reply_to BLOB REFERENCES message (id),
  provider_id TEXT,
  understood TEXT,
  handled_at INTEGER,
  purpose TEXT CHECK (purpose IN ('reply', 'reminder', 'notice', 'desk')),
  route TEXT,
  at INTEGER,
  not_before INTEGER,
  not_after INTEGER,
  collapse_key TEXT,
  state TEXT CHECK (state IN ('waiting', 'handed', 'sent', 'failed', 'delivered', 'read', 'dropped')),
  look_at INTEGER,
  why TEXT,
  CHECK ((direction = 'in') = (author = 'patient')),
  CHECK ((author = 'staff') = (staff IS NOT NULL)),
  CHECK ((direction = 'out') = (purpose IS NOT NULL AND route IS NOT NULL AND state IS NOT NULL)),
  CHECK (direction = 'out' OR (look_at IS NULL AND collapse_key IS NULL)),
  CHECK (direction = 'in' OR (handled_at IS NULL AND provider_id IS NULL))
) STRICT;

CREATE INDEX message_of ON message (conversation, said_at, number);

CREATE UNIQUE INDEX message_heard_once ON message (medium, provider_id) WHERE provider_id IS NOT NULL;

CREATE INDEX message_to_look_at ON message (look_at, number) WHERE look_at IS NOT NULL;

CREATE INDEX message_collapsing ON message (collapse_key)
  WHERE state IN ('waiting', 'handed', 'sent');

CREATE INDEX message_failed ON message (said_at, number) WHERE state = 'failed';

CREATE TABLE delivery (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  message BLOB NOT NULL REFERENCES message (id),
  attempt INTEGER NOT NULL,
  medium TEXT NOT NULL CHECK (medium IN ('whatsapp', 'sms', 'voice', 'voice-agent', 'email')),
  family TEXT NOT NULL CHECK (family IN ('phone', 'whatsapp', 'email')),
  address TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('queued', 'handed', 'sent', 'failed', 'delivered', 'read')),
  provider_id TEXT,
  error TEXT,
  begun_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_at INTEGER,
  UNIQUE (message, attempt)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_queued ON delivery (medium, begun_at, id) WHERE state = 'queued';

CREATE INDEX delivery_known_as ON delivery (medium, provider_id) WHERE provider_id IS NOT NULL;

CREATE INDEX delivery_to ON delivery (family, address, begun_at);

CREATE TABLE call (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  name TEXT NOT NULL UNIQUE,
  conversation BLOB REFERENCES conversation (id),
  message BLOB REFERENCES message (id),
  body TEXT NOT NULL,
  told_at INTEGER NOT NULL
, phone TEXT, intent TEXT, duration_seconds INTEGER CHECK (duration_seconds >= 0)) STRICT;

CREATE INDEX call_of ON call (conversation, told_at) WHERE conversation IS NOT NULL;

CREATE TABLE webhook (
  name TEXT PRIMARY KEY NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  taken_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_age ON webhook (taken_at);

CREATE TABLE relay_taken (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  taken_at INTEGER NOT NULL
) STRICT;

CREATE INDEX relay_taken_age ON relay_taken (taken_at);

CREATE TABLE relay_row (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  body BLOB NOT NULL,
  not_after INTEGER,
  had INTEGER,
  had_at INTEGER, part_of BLOB,
  CHECK ((had IS NULL) = (had_at IS NULL))
) STRICT;

CREATE INDEX relay_row_waiting ON relay_row (number) WHERE had IS NULL;

CREATE UNIQUE INDEX relay_row_had ON relay_row (had) WHERE had IS NOT NULL;

CREATE INDEX relay_row_age ON relay_row (had_at) WHERE had_at IS NOT NULL;

CREATE TABLE template (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  sentence TEXT NOT NULL,
  language TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (sentence, language)
) STRICT, WITHOUT ROWID;

CREATE TABLE faq (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  language TEXT NOT NULL,
  questions TEXT NOT NULL,
  answer TEXT NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

CREATE VIRTUAL TABLE faq_question USING fts5 (words, tokenize = 'porter ascii');

CREATE TABLE reminder_rule (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  healthcare_service BLOB REFERENCES healthcare_service (id),
  before_minutes INTEGER NOT NULL,
  media TEXT NOT NULL,
  confirm INTEGER NOT NULL CHECK (confirm IN (0, 1)),
  active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE TABLE ticket (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  reason TEXT NOT NULL,
  subject TEXT NOT NULL,
  patient BLOB REFERENCES patient (id),
  conversation BLOB CHECK (length(conversation) = 16),
  due INTEGER,
  assignee BLOB REFERENCES staff (id),
  status TEXT NOT NULL CHECK (status IN ('open', 'done')),
  opened_at INTEGER NOT NULL,
  done_at INTEGER,
  CHECK ((status = 'done') = (done_at IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX ticket_open ON ticket (due, opened_at, id) WHERE status = 'open';

CREATE INDEX ticket_done ON ticket (done_at) WHERE status = 'done';

CREATE INDEX ticket_of_patient ON ticket (patient) WHERE patient IS NOT NULL;

CREATE INDEX ticket_of_conversation ON ticket (conversation) WHERE conversation IS NOT NULL;

CREATE TABLE waitlist (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  patient BLOB NOT NULL REFERENCES patient (id),
  practitioner BLOB REFERENCES practitioner (id),
  specialty TEXT,
  healthcare_service BLOB REFERENCES healthcare_service (id),
  first_day TEXT NOT NULL,
  last_day TEXT NOT NULL,
  part_of_day TEXT CHECK (part_of_day IN ('morning', 'afternoon', 'evening')),
  note TEXT,
  status TEXT NOT NULL CHECK (status IN ('waiting', 'offered', 'booked', 'withdrawn')),
  joined_at INTEGER NOT NULL,
  offered_schedule BLOB,
  offered_minute INTEGER,
  offered_until INTEGER,
  appointment BLOB REFERENCES appointment (id), declined_schedule BLOB, declined_minute INTEGER,
  CHECK ((status = 'offered') = (offered_until IS NOT NULL)),
  CHECK ((offered_schedule IS NULL) = (offered_until IS NULL)),
  CHECK ((offered_minute IS NULL) = (offered_until IS NULL)),
  CHECK ((status = 'booked') = (appointment IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX waitlist_open ON waitlist (joined_at, id) WHERE status IN ('waiting', 'offered');

CREATE INDEX waitlist_of_patient ON waitlist (patient);

CREATE TABLE reminder (
  appointment BLOB NOT NULL REFERENCES appointment (id),
  rule BLOB NOT NULL CHECK (length(rule) = 16),
  start INTEGER NOT NULL,
  message BLOB REFERENCES message (id),
  stage INTEGER NOT NULL CHECK (stage BETWEEN 0 AND 2),
  look_at INTEGER,
  PRIMARY KEY (appointment, rule, start)
) STRICT, WITHOUT ROWID;

CREATE INDEX reminder_to_look_at ON reminder (look_at) WHERE look_at IS NOT NULL;

CREATE INDEX reminder_said ON reminder (message) WHERE message IS NOT NULL;

CREATE TABLE media (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  message BLOB REFERENCES message (id),
  reference TEXT,
  media_type TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'kept', 'refused')),
  bytes INTEGER CHECK (bytes >= 0),
  sha256 BLOB CHECK (length(sha256) = 32),
  why TEXT,
  expected_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  CHECK ((state = 'kept') = (bytes IS NOT NULL AND sha256 IS NOT NULL)),
  CHECK ((state = 'refused') = (why IS NOT NULL))
) STRICT;

CREATE INDEX media_of ON media (message) WHERE message IS NOT NULL;

CREATE INDEX media_known_as ON media (reference) WHERE reference IS NOT NULL;

CREATE INDEX media_waiting_age ON media (expected_at) WHERE state = 'waiting';

CREATE INDEX media_kept ON media (bytes) WHERE state = 'kept';

CREATE TABLE media_part (
  number INTEGER PRIMARY KEY,
  reference TEXT NOT NULL,
  at INTEGER NOT NULL CHECK (at >= 0),
  whole INTEGER NOT NULL CHECK (whole >= 0),
  media_type TEXT NOT NULL,
  taken_at INTEGER NOT NULL,
  length INTEGER NOT NULL CHECK (length = length(bytes)),
  bytes BLOB NOT NULL,
  UNIQUE (reference, at)
) STRICT;

CREATE INDEX media_part_age ON media_part (taken_at);

CREATE INDEX relay_row_part ON relay_row (part_of) WHERE part_of IS NOT NULL;

CREATE TABLE canned_answer (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  title TEXT NOT NULL,
  language TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (title, language)
) STRICT, WITHOUT ROWID;

CREATE TABLE patient_instruction (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  healthcare_service BLOB NOT NULL REFERENCES healthcare_service (id),
  language TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (healthcare_service, language)
) STRICT, WITHOUT ROWID;

CREATE INDEX call_heard_as ON call (message) WHERE message IS NOT NULL;

CREATE INDEX call_latest ON call (told_at, id);

CREATE TABLE recording (
  call BLOB PRIMARY KEY NOT NULL REFERENCES call (id),
  media BLOB NOT NULL UNIQUE REFERENCES media (id),
  address TEXT NOT NULL,
  tries INTEGER NOT NULL CHECK (tries >= 0),
  look_at INTEGER,
  entity TEXT
) STRICT, WITHOUT ROWID;

CREATE INDEX recording_due ON recording (look_at) WHERE look_at IS NOT NULL;

CREATE TABLE message_asked (
  item BLOB PRIMARY KEY NOT NULL CHECK (length(item) = 16),
  message BLOB NOT NULL UNIQUE REFERENCES message (id),
  number INTEGER NOT NULL,
  given_at INTEGER,
  dialogue TEXT,
  CHECK (given_at IS NOT NULL OR dialogue IS NULL)
) STRICT, WITHOUT ROWID;

CREATE INDEX message_in_doubt ON message_asked (number, item, given_at) WHERE given_at IS NULL;

CREATE TABLE told_facts (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  told_at INTEGER NOT NULL
) STRICT;

CREATE INDEX message_unhandled_of ON message (conversation, said_at, number)
  WHERE direction = 'in' AND handled_at IS NULL;
