// A telephone: what stands on its screen, and what is done on it. The demonstration's own paths, which the box's
// document does not have.
import {
  Problem,
  demoPeople,
  demoPhone,
  putOnDemoPhone,
  sayOnDemoPhone,
  type Offered,
  type Person,
  type PhoneMessage,
  type SaidOnDemoPhone,
} from '../lib/api';

const AGAIN_AFTER_MS = 1_000;

export class Thread {
  people = $state.raw<Person[]>([]);
  person = $state.raw<Person | null>(null);
  messages = $state.raw<PhoneMessage[]>([]);
  failed = $state(false);
  none = $state(false);

  async begin(): Promise<void> {
    try {
      this.people = await demoPeople();
    } catch {
      this.none = true;
      return;
    }
    const first = this.people[0];
    if (first) this.be(first);
  }

  be(person: Person): void {
    // Whoever reads already reads on.
    if (person === this.person) return;
    this.person = person;
    this.messages = [];
    this.failed = false;
    void this.#read(person);
  }

  async write(text: string): Promise<void> {
    await this.#say({ text });
  }

  async choose(choice: Offered): Promise<void> {
    await this.#say({ choice });
  }

  /** Sends a picture, a sound or a document, with what is written beside it. */
  async show(file: File, caption: string): Promise<void> {
    await this.#say(async () => {
      const { id } = await putOnDemoPhone(file);
      return { media: { id, caption: caption === '' ? null : caption } };
    });
  }

  async #say(said: SaidOnDemoPhone | (() => Promise<SaidOnDemoPhone>)): Promise<void> {
    const person = this.person;
    if (!person) return;
    try {
      const ready = typeof said === 'function' ? await said() : said;
      await sayOnDemoPhone({ phone: person.phone, name: person.name, said: ready });
      this.failed = false;
    } catch {
      this.failed = true;
    }
  }

  /** Reads on as long as somebody is this person. */
  async #read(person: Person): Promise<void> {
    let after = 0;
    while (this.person === person) {
      try {
        const { messages } = await demoPhone(person.phone, after);
        if (this.person !== person) return;
        this.messages = [...this.messages, ...messages];
        after = this.messages.at(-1)?.number ?? 0;
      } catch (problem) {
        if (problem instanceof Problem && problem.status === 404) this.none = true;
        await new Promise((done) => setTimeout(done, AGAIN_AFTER_MS));
      }
    }
  }
}
