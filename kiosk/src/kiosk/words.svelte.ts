// The kiosk's sentences. Every language is fetched soon after the start, so that choosing one never waits.
import { languagesOf, wordsOf, type Say } from '../lib/words';

export type Key = keyof typeof import('../../words/kiosk/en.json');

const FILES = import.meta.glob('../../words/kiosk/*.json', { import: 'default' });

class Words {
  #says = $state.raw<Record<string, Say<Key>>>({});

  /** The clinic's languages that the kiosk can speak, in the clinic's order; all of them if it named none of these. */
  spoken(wanted: readonly string[]): string[] {
    const have = languagesOf(FILES);
    const both = wanted.filter((language) => have.includes(language));
    return both.length > 0 ? both : ['en', ...have.filter((language) => language !== 'en')];
  }

  async fetch(language: string): Promise<void> {
    if (this.#says[language]) return;
    const say = await wordsOf<Key>(FILES, language);
    this.#says = { ...this.#says, [language]: say };
  }

  /** The sentences of a language, or null while they are on their way. */
  of(language: string): Say<Key> | null {
    return this.#says[language] ?? null;
  }
}

export const words = new Words();

/** A language's name in that language. */
export function languageName(code: string): string {
  return new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code;
}
