// The board's sentences, in all languages of the clinic at once: nobody in the room chooses one.
import { languagesOf, wordsOf, type Say } from '../lib/words';

export type Key = keyof typeof import('../../words/board/en.json');

const FILES = import.meta.glob('../../words/board/*.json', { import: 'default' });

export interface Voice {
  language: string;
  say: Say<Key>;
}

/** The voices of the clinic's languages, in the clinic's order; English if it has none that the board speaks. */
export async function voicesOf(wanted: readonly string[]): Promise<[Voice, ...Voice[]]> {
  const have = languagesOf(FILES);
  const languages = wanted.filter((language) => have.includes(language));
  const [first = 'en', ...others] = languages;
  const voice = async (language: string): Promise<Voice> => ({ language, say: await wordsOf<Key>(FILES, language) });
  return [await voice(first), ...(await Promise.all(others.map(voice)))];
}
