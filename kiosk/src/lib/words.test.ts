import { readdirSync, readFileSync } from 'node:fs';
import { parse, TYPE, type MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import { describe, expect, it } from 'vitest';
import { wordsOf } from './words';

const ROOT = new URL('../../words/', import.meta.url);
const screens = readdirSync(ROOT);
const files = screens.flatMap((screen) =>
  readdirSync(new URL(`${screen}/`, ROOT)).map((name) => ({ screen, language: name.replace('.json', '') })),
);

function messagesOf(screen: string, language: string): Record<string, string> {
  return JSON.parse(readFileSync(new URL(`${screen}/${language}.json`, ROOT), 'utf8'));
}

function placeholdersOf(elements: MessageFormatElement[]): string[] {
  return elements.flatMap((element) => {
    switch (element.type) {
      case TYPE.literal:
      case TYPE.pound:
        return [];
      case TYPE.select:
      case TYPE.plural:
        return [element.value, ...Object.values(element.options).flatMap((option) => placeholdersOf(option.value))];
      case TYPE.tag:
        return [element.value, ...placeholdersOf(element.children)];
      default:
        return [element.value];
    }
  });
}

describe.each(files)('the words of $screen in $language', ({ screen, language }) => {
  const english = messagesOf(screen, 'en');
  const messages = messagesOf(screen, language);

  it('has exactly the keys of English', () => {
    expect(Object.keys(messages).sort()).toEqual(Object.keys(english).sort());
  });

  it('has exactly the placeholders of English in every message', () => {
    for (const [key, message] of Object.entries(messages)) {
      const own = [...new Set(placeholdersOf(parse(message)))].sort();
      const theirs = [...new Set(placeholdersOf(parse(english[key] ?? '')))].sort();
      expect(own, key).toEqual(theirs);
    }
  });

  it('leaves no message empty', () => {
    expect(Object.entries(messages).filter(([, message]) => message.trim() === '')).toEqual([]);
  });
});

describe('every key', () => {
  const sources = readdirSync(new URL('..', import.meta.url), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(svelte|ts)$/.test(name) && !name.endsWith('.test.ts'))
    .map((name) => ({ name, text: readFileSync(new URL(`../${name}`, import.meta.url), 'utf8') }));

  it.each(screens)('of %s is said somewhere on that screen', (screen) => {
    const text = sources
      .filter(({ name }) => name.startsWith(screen) || name.startsWith('lib'))
      .map((source) => source.text)
      .join('\n');
    const unsaid = Object.keys(messagesOf(screen, 'en')).filter((key) => !new RegExp(`['"\`]${key}['"\`]`).test(text));
    expect(unsaid).toEqual([]);
  });
});

it('answers in English where a language has no file', async () => {
  const say = await wordsOf<'hello'>({ '/words/en.json': () => Promise.resolve({ hello: 'Hello {name}' }) }, 'xx');
  expect(say('hello', { name: 'Asha' })).toBe('Hello Asha');
});
