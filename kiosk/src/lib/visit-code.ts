// The code of a visit: what its QR holds, and what a patient without a picture is sent in words.

const PREFIX = 'CP1:';

/** Whether a text is such a code. Scanners and people write its letters large or small. */
export function isVisitCode(text: string): boolean {
  return text.trimStart().slice(0, PREFIX.length).toUpperCase() === PREFIX;
}
