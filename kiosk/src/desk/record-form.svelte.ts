// A form over a record that is added or changed: what is typed, what the box says against it, and the way on when
// somebody else was faster.
// Invariant: nothing typed is lost by a refusal.
import type { Entity } from '../lib/shapes';
import { changed, rebased } from './draft';
import { fieldOf, isRefusal, refusalOf } from './refusal';
import { say } from './words.svelte';

/** What forms over one kind of record need to know of it. */
export interface Kind<Kept extends Entity, Draft extends object, Body extends object> {
  /** Where somebody begins who adds one. */
  blank: () => Draft;
  draftOf: (kept: Kept) => Draft;
  /** As the box takes it; its members are the fields that the box complains of. */
  bodyOf: (draft: Draft) => Body;
  add: (body: Body) => Promise<Kept>;
  change: (kept: Kept, change: Partial<Body>) => Promise<Kept>;
  read: (id: string) => Promise<Kept>;
}

export class RecordForm<Kept extends Entity, Draft extends object, Body extends object> {
  draft: Draft;
  busy = $state(false);
  /** Somebody else was faster: the draft stands on what they saved, and waits to be saved again. */
  stale = $state(false);
  #complaint = $state.raw<{ field: string | null; text: string } | null>(null);
  readonly #kind: Kind<Kept, Draft, Body>;
  /** What the change is measured against; null while it is being added. */
  #before: Kept | null;

  constructor(kind: Kind<Kept, Draft, Body>, kept: Kept | null) {
    this.#kind = kind;
    this.#before = kept;
    this.draft = $state(kept ? kind.draftOf(kept) : kind.blank());
  }

  /** What is wrong with one field. */
  wrongAt(field: keyof Body): string {
    return this.#complaint?.field === field ? this.#complaint.text : '';
  }

  /** What is wrong with none of the fields in particular. */
  get wrong(): string {
    const complaint = this.#complaint;
    return complaint !== null && complaint.field === null ? complaint.text : '';
  }

  /** What the box has now; null where it refused, and the form says why. */
  async save(): Promise<Kept | null> {
    if (this.busy) return null;
    this.busy = true;
    this.stale = false;
    this.#complaint = null;
    try {
      return this.#before ? await this.#change(this.#before) : await this.#add();
    } catch (cause) {
      this.#explain(cause);
      return null;
    } finally {
      this.busy = false;
    }
  }

  async #add(): Promise<Kept> {
    const made = await this.#kind.add(this.#kind.bodyOf(this.draft));
    this.draft = this.#kind.blank();
    return made;
  }

  async #change(before: Kept): Promise<Kept | null> {
    const { bodyOf, draftOf } = this.#kind;
    const change = changed(bodyOf(draftOf(before)), bodyOf(this.draft));
    if (Object.keys(change).length === 0) return before;
    try {
      return await this.#kind.change(before, change);
    } catch (cause) {
      if (!isRefusal(cause, 'stale')) throw cause;
      const theirs = await this.#kind.read(before.id);
      this.draft = rebased(draftOf(before), draftOf(theirs), this.draft);
      this.#before = theirs;
      this.stale = true;
      return null;
    }
  }

  #explain(cause: unknown): void {
    const { key, values } = refusalOf(cause);
    const field = fieldOf(cause);
    const shown = field !== null && field in this.#kind.bodyOf(this.draft);
    this.#complaint = { field: shown ? field : null, text: say(key, values) };
  }
}
