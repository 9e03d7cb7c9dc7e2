// What the desk does with an appointment or a turn, and what it says afterwards: one place for grid, card and keys.
// Invariant: a refusal always leaves with a way out: another slot, another try, or the screen where it can be done.
import type { Appointment, QueueEntry, Slot } from '../lib/shapes';
import { dateOf, showDate, showTime } from './clock';
import { lists } from './clinic.svelte';
import { day, type Step } from './day.svelte';
import { desk } from './desk.svelte';
import { nearestFree, slotAt } from './grid';
import { notices, type Action } from './notice.svelte';
import { card } from './patient.svelte';
import { queue, type Turn } from './queue.svelte';
import { isRefusal, otherSlots, refusalOf } from './refusal';
import { session } from './session.svelte';
import { tellFitting } from './waiting';
import { say, words, type Key } from './words.svelte';

const OFFERED = 3;

const STEP_DONE: Record<Step, Key> = {
  confirm: 'done.confirm',
  arrive: 'done.arrive',
  'check-in': 'done.check-in',
  'no-show': 'done.no-show',
  complete: 'done.complete',
};

export async function takeStep(appointment: Appointment, step: Step): Promise<void> {
  try {
    const answer = await day.take(appointment, step);
    const token = answer.queue_entry?.token;
    const name = appointment.patient.name;
    notices.tell(token === undefined ? say(STEP_DONE[step], { name }) : say('done.check-in.token', { name, token }));
    if (step === 'check-in') queue.changed();
  } catch (cause) {
    explain(cause, appointment);
  }
}

/** Moves, or snaps back and offers what is free. */
export async function moveTo(appointment: Appointment, slot: Slot, overbook?: string): Promise<boolean> {
  try {
    tellMoved(appointment, await day.move(appointment, slot.id, overbook));
    return true;
  } catch (cause) {
    const others = otherSlots(cause);
    if (others === null) explain(cause, appointment);
    else offer(appointment, slot, cause, others);
    return false;
  }
}

/** Says where it is now, and offers the way back to where it was. */
export function tellMoved(appointment: Appointment, moved: Appointment): void {
  const text = say('done.move', {
    name: appointment.patient.name,
    time: showTime(moved.start, words.locale),
    date: showDate(dateOf(moved.start), words.locale),
    practitioner: lists.nameOf(moved.practitioner_id),
  });
  notices.done(text, async () => {
    const back = appointment.overbooked ? (appointment.overbook_reason ?? undefined) : undefined;
    await day.move(moved, appointment.slot_id, back);
  });
}

/** An appointment was dropped on a practitioner's column at a time of the day; `snapBack` puts it where it was. */
export async function drop(
  appointment: Appointment,
  practitionerId: string,
  time: string,
  snapBack: () => void,
): Promise<void> {
  const slot = slotAt(day.slots, practitionerId, time);
  if (slot) {
    if (slot.id === appointment.slot_id || !(await moveTo(appointment, slot))) snapBack();
    return;
  }
  snapBack();
  const near = nearestFree(day.slots, practitionerId, time, session.nowMs(), OFFERED);
  notices.refuse(say('refused.no_session', { practitioner: lists.nameOf(practitionerId) }), [
    ...near.map((one) => moveAction(appointment, one)),
    { label: say('move.choose'), run: () => chooseSlot(appointment) },
  ]);
}

export async function cancel(appointment: Appointment, reason: string): Promise<boolean> {
  try {
    await day.cancel(appointment, reason);
    notices.tell(say('done.cancel', { name: appointment.patient.name }), [
      { label: say('cancel.book_again'), run: () => bookAgain(appointment) },
    ]);
    void tellFitting(appointment);
    return true;
  } catch (cause) {
    explain(cause, appointment);
    return false;
  }
}

export function tellBooked(appointment: Appointment): void {
  const text = say('done.book', {
    name: appointment.patient.name,
    time: showTime(appointment.start, words.locale),
    date: showDate(dateOf(appointment.start), words.locale),
    practitioner: lists.nameOf(appointment.practitioner_id),
  });
  notices.done(text, async () => {
    await day.cancel(appointment, say('undo.reason'));
  });
}

export async function callNext(practitionerId: string | null): Promise<void> {
  desk.calling = practitionerId;
  try {
    const entry = await queue.callNext(practitionerId);
    notices.tell(say('done.call', { token: entry.token, name: entry.patient?.name ?? '', room: entry.room ?? '' }));
  } catch (cause) {
    if (isRefusal(cause, 'queue_empty')) notices.tell(say('refused.queue_empty'));
    else notices.explain(cause, [{ label: say('again'), run: () => callNext(practitionerId) }]);
  }
}

const TURN_UNDONE: Partial<Record<Turn, Turn>> = { skip: 'rejoin', finish: 'recall' };
const TURN_DONE: Record<Turn, Key> = {
  call: 'done.turn.call',
  recall: 'done.turn.recall',
  skip: 'done.turn.skip',
  rejoin: 'done.turn.rejoin',
  finish: 'done.turn.finish',
  leave: 'done.turn.leave',
};

export async function takeTurn(entry: QueueEntry, turn: Turn): Promise<void> {
  try {
    const answer = await queue.take(entry, turn);
    const text = say(TURN_DONE[turn], { token: entry.token });
    const back = TURN_UNDONE[turn];
    if (back === 'rejoin') {
      notices.done(text, async () => {
        await queue.take(answer, back);
      });
    } else {
      notices.tell(text);
    }
  } catch (cause) {
    queue.changed();
    notices.explain(cause);
  }
}

export function chooseSlot(appointment: Appointment): void {
  desk.dialog = { name: 'move', appointment };
}

async function bookAgain(appointment: Appointment): Promise<void> {
  await desk.openPatient(appointment.patient_id);
  desk.arrange('book', { patient: card.patient, practitionerId: appointment.practitioner_id });
}

function offer(appointment: Appointment, slot: Slot, cause: unknown, alternatives: Slot[]): void {
  const { key, values } = refusalOf(cause);
  const taken = { time: showTime(slot.start, words.locale), practitioner: lists.nameOf(slot.practitioner_id) };
  notices.refuse(
    isRefusal(cause, 'slot_taken') ? say('refused.taken_by', taken) : say(key, values),
    [
      ...alternatives.slice(0, OFFERED).map((one) => moveAction(appointment, one)),
      { label: say('move.choose'), run: () => chooseSlot(appointment) },
      ...(isRefusal(cause, 'slot_lent') ? [{ label: say('lent.about'), run: () => void (desk.dialog = { name: 'lent', time: slot }) }] : []),
      { label: say('overbook'), run: () => void (desk.dialog = { name: 'overbook', appointment, slot }) },
    ],
  );
}

function moveAction(appointment: Appointment, slot: Slot): Action {
  const elsewhere = slot.practitioner_id !== appointment.practitioner_id ? lists.nameOf(slot.practitioner_id) : '';
  const otherDay = dateOf(slot.start) !== day.date ? showDate(dateOf(slot.start), words.locale) : '';
  const label = [otherDay, showTime(slot.start, words.locale), elsewhere].filter((part) => part !== '').join(' ');
  return { label, run: async () => void (await moveTo(appointment, slot)) };
}

function explain(cause: unknown, appointment: Appointment): void {
  // What the screen showed may be what was wrong with it.
  day.changed();
  notices.explain(cause, [
    { label: say('card.show'), run: () => desk.openPatient(appointment.patient_id, appointment.id) },
  ]);
}

/** `10:25` of what the calendar gives back: a local date whose letters are the clinic's wall clock. */
export function droppedAt(date: Date): string {
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`;
}

