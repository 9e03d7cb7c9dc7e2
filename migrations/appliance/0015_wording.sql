-- The clinic's own wording of a sentence of reception, one for each language.
CREATE TABLE template (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  sentence TEXT NOT NULL,
  language TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (sentence, language)
) STRICT, WITHOUT ROWID;

-- What is often asked, and what the clinic answers. `questions` is a JSON array: one question in several wordings.
CREATE TABLE faq (
  number INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  language TEXT NOT NULL,
  questions TEXT NOT NULL,
  answer TEXT NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;

-- Each wording of the questions in use, romanised. `rowid` is the number of the question times 16, plus the wording's place.
CREATE VIRTUAL TABLE faq_question USING fts5 (words, tokenize = 'porter ascii');

-- How long before a visit people are reminded, and by which media, in order of preference (a JSON array).
CREATE TABLE reminder_rule (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  healthcare_service BLOB REFERENCES healthcare_service (id),
  before_minutes INTEGER NOT NULL,
  media TEXT NOT NULL,
  confirm INTEGER NOT NULL CHECK (confirm IN (0, 1)),
  active INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT, WITHOUT ROWID;
