// The telephone's sentences, in the language of whoever looks at it.
import { languagesOf, wordsOf, type Say } from '../lib/words';

type Key = keyof typeof import('../../words/phone/en.json');

const FILES = import.meta.glob('../../words/phone/*.json', { import: 'default' });

export async function ownWords(): Promise<{ language: string; say: Say<Key> }> {
  const have = languagesOf(FILES);
  const wanted = navigator.languages.map((it) => it.slice(0, 2));
  const language = wanted.find((it) => have.includes(it)) ?? 'en';
  return { language, say: await wordsOf<Key>(FILES, language) };
}
