// The desk's sentences, in the language that was chosen on this machine.
import { languagesOf, wordsOf, type Say, type Values } from '../lib/words';

export type Key = keyof typeof import('../../words/desk/en.json');

const FILES = import.meta.glob('../../words/desk/*.json', { import: 'default' });
const KEPT_AS = 'carepost.desk.language';

class Words {
  language = $state('en');
  /** The clinic's country decides how dates and numbers are written. */
  country = $state('IN');
  #say = $state.raw<Say<Key> | null>(null);

  ready = $derived(this.#say !== null);
  locale = $derived(`${this.language}-${this.country}`);
  readonly languages = languagesOf(FILES);

  async begin(): Promise<void> {
    const kept = localStorage.getItem(KEPT_AS) ?? navigator.language.split('-')[0] ?? 'en';
    await this.choose(this.languages.includes(kept) ? kept : 'en');
  }

  async choose(language: string): Promise<void> {
    this.#say = await wordsOf<Key>(FILES, language);
    this.language = language;
    document.documentElement.lang = language;
    localStorage.setItem(KEPT_AS, language);
  }

  say(key: Key, values?: Values): string {
    return this.#say ? this.#say(key, values) : '';
  }
}

export const words = new Words();

export function say(key: Key, values?: Values): string {
  return words.say(key, values);
}

/** A language's name in that language. */
export function languageName(code: string): string {
  return new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? code;
}
