-- Short texts that the desk writes often. `title`: by which somebody finds it; `text` has places such as { $patient }.
CREATE TABLE canned_answer (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  title TEXT NOT NULL,
  language TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (title, language)
) STRICT, WITHOUT ROWID;

-- What a patient is to know before coming for a healthcare service, one text for each language.
CREATE TABLE patient_instruction (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  healthcare_service BLOB NOT NULL REFERENCES healthcare_service (id),
  language TEXT NOT NULL,
  text TEXT NOT NULL,
  UNIQUE (healthcare_service, language)
) STRICT, WITHOUT ROWID;
