// JSON whose numbers keep their digits: to FHIR 1.50 is not 1.5.

/** A string of JSON, or a number outside of one. */
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Marks the digits of a number; no text of FHIR may hold this character. */
const MARKED = /"\\u0001([^"]*)"/g;

/** The value of a JSON text; each number is a marked string of its digits. 1E+2 and 1e2 have the same. */
export function parse(text) {
  const digits = (token) => token.toLowerCase().replace('+', '');
  const marked = (token) => (token.startsWith('"') ? token : `"\\u0001${digits(token)}"`);
  return JSON.parse(text.replace(TOKEN, marked));
}

/** The JSON text of a value that `parse` made, or of any other. */
export function write(value) {
  return JSON.stringify(value).replace(MARKED, '$1');
}
