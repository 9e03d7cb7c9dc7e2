// Every sentence on a screen, from its language's file of ICU messages, fetched when the language is chosen.
// A key that en.json does not have is an error of the type checker.
import { IntlMessageFormat } from 'intl-messageformat';

export type Values = Record<string, string | number | Date>;
export type Say<Key extends string> = (key: Key, values?: Values) => string;
/** What `import.meta.glob('../../words/<screen>/*.json', { import: 'default' })` answers. */
export type WordFiles = Record<string, () => Promise<unknown>>;

/** The codes of the languages that have a file, from the files' names. */
export function languagesOf(files: WordFiles): string[] {
  return Object.keys(files).map(codeOf);
}

/** Reads the words of a language; one that has no file is answered in English. */
export async function wordsOf<Key extends string>(files: WordFiles, language: string): Promise<Say<Key>> {
  const found = Object.entries(files).find(([path]) => codeOf(path) === language);
  if (!found) return wordsOf<Key>(files, 'en');
  const messages = (await found[1]()) as Record<Key, string>;
  const ready = new Map<Key, IntlMessageFormat>();
  return (key, values) => {
    let message = ready.get(key);
    if (!message) ready.set(key, (message = new IntlMessageFormat(messages[key], language)));
    return message.format(values) as string;
  };
}

function codeOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1, -'.json'.length);
}
