// The conversations on the screen: the threads, the one that is open, and what the desk does in it.
import type { Assignee, Conversation, Medium, Message } from '../lib/shapes';
import type { Change } from '../lib/live';
import { create, get, list, post } from './box';
import { desk } from './desk.svelte';
import { notices } from './notice.svelte';
import { card } from './patient.svelte';
import { soon } from './soon';

export type Which = 'all' | 'unread' | 'mine' | 'unassigned' | 'desk';

const THREADS_AT_ONCE = 50;
const MESSAGES_AT_ONCE = 60;

type Threads = { items: Conversation[]; next: string | null };
type Messages = { items: Message[]; next: string | null };

class Inbox {
  which = $state<Which>('all');
  threads = $state.raw<Conversation[]>([]);
  ready = $state(false);
  next = $state<string | null>(null);
  open = $state.raw<Conversation | null>(null);
  /** What was said in the one that is open, the latest last. */
  said = $state.raw<Message[]>([]);
  earlier = $state<string | null>(null);
  /** To whom a conversation may be given. */
  assignees = $state.raw<Assignee[]>([]);
  busy = $state(false);
  #readThreads = soon(() => this.#again(() => this.#threads()));
  #readOpen = soon(() => this.#again(() => this.#read()));

  /** Begins to follow; call the answer to stop. */
  begin(): () => void {
    this.#readThreads();
    this.#readOpen();
    // Without them everything else can still be done.
    void list<'conversations/assignees', Assignee>('conversations/assignees')
      .then((found) => (this.assignees = found))
      .catch(() => undefined);
    return desk.hear((change) => this.#heard(change));
  }

  choose(which: Which): void {
    this.which = which;
    this.ready = false;
    this.#readThreads();
  }

  async more(): Promise<void> {
    const { items, next }: Threads = await get('conversations', { query: { ...this.#asked(), cursor: this.next } });
    this.threads = [...this.threads, ...items.filter(({ id }) => !this.threads.some((known) => known.id === id))];
    this.next = next;
  }

  async show(id: string): Promise<void> {
    if (this.open?.id !== id) {
      this.said = [];
      this.earlier = null;
    }
    await this.#read(id);
    const patient = this.open?.patient_id;
    if (patient) await card.open(patient);
    else card.close();
    if (this.open && this.open.unread > 0) await this.#step('conversations/{id}/read');
  }

  close(): void {
    this.open = null;
    this.said = [];
    card.close();
  }

  /** Opens the conversation with a patient, and the page with it. */
  async write(patientId: string): Promise<void> {
    try {
      const { id }: Conversation = await create('conversations', { body: { patient_id: patientId } });
      desk.go('messages');
      await this.show(id);
    } catch (cause) {
      notices.explain(cause);
    }
  }

  async older(): Promise<void> {
    const open = this.open;
    if (!open || this.earlier === null) return;
    const path = { id: open.id };
    const query = { limit: MESSAGES_AT_ONCE, cursor: this.earlier };
    const { items, next }: Messages = await get('conversations/{id}/messages', { path, query });
    this.said = [...items.toReversed(), ...this.said];
    this.earlier = next;
  }

  /** Answers whether it was said. */
  say(text: string, medium: Medium | null): Promise<boolean> {
    return this.#act(async ({ id }) => {
      await create('conversations/{id}/messages', { path: { id }, body: { text, medium } });
    });
  }

  /** Says what was approved beforehand, which WhatsApp takes at any time. */
  sayTemplate(template: string): Promise<boolean> {
    return this.#act(async ({ id }) => {
      await create('conversations/{id}/messages', { path: { id }, body: { template, medium: 'whatsapp' } });
    });
  }

  takeOver(): Promise<boolean> {
    return this.#act(() => this.#step('conversations/{id}/take-over'));
  }

  giveBack(): Promise<boolean> {
    return this.#act(() => this.#step('conversations/{id}/give-back'));
  }

  assign(staffId: string | null): Promise<boolean> {
    return this.#act(async ({ id }) => {
      this.open = await post('conversations/{id}/assign', { path: { id }, body: { staff_id: staffId } });
    });
  }

  identify(patientId: string): Promise<boolean> {
    return this.#act(async ({ id }) => {
      this.open = await post('conversations/{id}/identify', { path: { id }, body: { patient_id: patientId } });
      await card.open(patientId);
    });
  }

  ticket(subject: string): Promise<boolean> {
    return this.#act(async ({ id }) => {
      await create('conversations/{id}/tickets', { path: { id }, body: { subject } });
    });
  }

  async #act(work: (open: Conversation) => Promise<void>): Promise<boolean> {
    if (!this.open || this.busy) return false;
    this.busy = true;
    try {
      await work(this.open);
      return true;
    } catch (cause) {
      notices.explain(cause);
      return false;
    } finally {
      this.busy = false;
      this.#readOpen();
      this.#readThreads();
    }
  }

  async #step(path: 'conversations/{id}/read' | 'conversations/{id}/take-over' | 'conversations/{id}/give-back'): Promise<void> {
    if (this.open) this.open = await post(path, { path: { id: this.open.id } });
  }

  #heard({ noun, id }: Change): void {
    if (noun !== 'conversation' && noun !== 'message') return;
    this.#readThreads();
    if (noun === 'message' || id === this.open?.id) this.#readOpen();
  }

  #asked() {
    const limit = THREADS_AT_ONCE;
    switch (this.which) {
      case 'all':
        return { limit };
      case 'unread':
        return { limit, unread: true };
      case 'mine':
        return { limit, mine: true };
      case 'unassigned':
        return { limit, unassigned: true };
      case 'desk':
        return { limit, held_by: 'desk' };
    }
  }

  async #threads(): Promise<void> {
    const which = this.which;
    const { items, next }: Threads = await get('conversations', { query: this.#asked() });
    if (which !== this.which) return;
    this.threads = items;
    this.next = next;
    this.ready = true;
  }

  async #read(id = this.open?.id): Promise<void> {
    if (id === undefined) return;
    const query = { limit: MESSAGES_AT_ONCE };
    const [open, said]: [Conversation, Messages] = await Promise.all([
      get('conversations/{id}', { path: { id } }),
      get('conversations/{id}/messages', { path: { id }, query }),
    ]);
    const latest = said.items.toReversed();
    // What was read of earlier times stays.
    const before = this.open?.id === open.id ? this.said.filter((one) => !latest.some((other) => other.id === one.id)) : [];
    const kept = before.length > 0 && this.said.length > latest.length;
    this.said = kept ? [...before, ...latest] : latest;
    this.earlier = kept ? this.earlier : said.next;
    this.open = open;
  }

  async #again(read: () => Promise<void>): Promise<void> {
    try {
      await read();
    } catch (cause) {
      notices.explain(cause);
    }
  }
}

export const inbox = new Inbox();
