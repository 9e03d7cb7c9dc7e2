// The shapes that the box's API speaks, from the types generated of its OpenAPI document. All screens take them
// from here and from nowhere else.
// Invariant: no member is declared here that the document does not have; only what a string may say is narrowed.
import type { components } from './schema';

type Schemas = components['schemas'];

/** The document marks what may be null as optional; the box always sends it, if only as null. */
type Sent<Name extends keyof Schemas> = Required<Schemas[Name]>;
/** With members of which more is known than the document says; each must be one that the document has. */
type Narrowed<T, Known extends { [Member in keyof Known]: Member extends keyof T ? T[Member] : never }> = Omit<
  T,
  keyof Known
> &
  Known;

export type Role = 'admin' | 'clerk' | 'practitioner' | 'auditor';
export type Sex = 'male' | 'female' | 'other' | 'unknown';
export type ContactChannel = 'whatsapp' | 'sms' | 'voice' | 'email';
export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';
export type AppointmentStatus =
  | 'pending'
  | 'booked'
  | 'arrived'
  | 'checked-in'
  | 'fulfilled'
  | 'cancelled'
  | 'noshow'
  | 'entered-in-error';
export type QueueKind = 'booked' | 'walk-in' | 'desk';
export type QueueStatus = 'waiting' | 'called' | 'skipped' | 'finished' | 'left';
export type DeviceKind = 'kiosk' | 'board';
export type DeviceStatus = 'offered' | 'pending' | 'paired' | 'revoked';

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Entity {
  id: string;
  version: number;
}

export type Clinic = Sent<'Clinic'>;
export type Staff = Narrowed<Sent<'Staff'>, { role: Role }>;
export type Session = Narrowed<Sent<'Session'>, { staff: Staff; clinic: Clinic }>;

export type PhoneNumber = Schemas['PatientPhone'];
export type Address = Schemas['Address'];
export type Identifier = Schemas['Identifier'];
export type Preferences = Narrowed<Sent<'Preferences'>, { channels: ContactChannel[] }>;
export type Patient = Narrowed<Sent<'Patient'>, { sex: Sex; preferences: Preferences }>;
export type PatientMatch = Patient & Pick<Sent<'PatientMatch'>, 'score'>;
export type NewPatient = Narrowed<
  Schemas['NewPatient'],
  { sex?: Sex; preferences?: { channels?: ContactChannel[]; reminders?: boolean } }
>;
export type Duplicate = Narrowed<Sent<'DuplicatePair'>, { a: Patient; b: Patient }>;

export type Practitioner = Sent<'Practitioner'>;
export type Location = Narrowed<Sent<'Location'>, { kind: 'room' | 'equipment' | 'site' }>;
export type HealthcareService = Sent<'HealthcareService'>;
export type Schedule = Narrowed<Sent<'Schedule'>, { weekdays: Weekday[] }>;
export type Leave = Sent<'Leave'>;
export type ClosedDay = Sent<'ClosedDay'>;
export type Slot = Sent<'Slot'>;
export type Appointment = Narrowed<
  Sent<'Appointment'>,
  { status: AppointmentStatus; patient: Sent<'PatientRef'> }
>;
export type QueueEntry = Narrowed<
  Sent<'QueueEntry'>,
  { kind: QueueKind; status: QueueStatus; patient: Sent<'WaitingPatient'> | null }
>;

/** One person whom a booking may belong to; no name, so that a bystander learns nothing. */
export type Match = Sent<'PersonView'>;
/** One of the two, never both: who it may be, or that the code is good and the birth is to be confirmed. */
export type MatchAnswer = { people: Match[] } | { confirm_birth: true };
export type Ticket = Sent<'Ticket'>;
export type PractitionerToday = Sent<'SeesTodayView'>;

export type BoardCall = Sent<'CalledView'>;
export type Board = Narrowed<Sent<'Board'>, { called: BoardCall[]; waiting: Sent<'WaitingView'>[] }>;

export type Device = Narrowed<Sent<'Device'>, { kind: DeviceKind; status: DeviceStatus }>;
/** Digits in groups, as people read them out: `483 920`. */
export type PairingCode = Sent<'Waiting'>;

export type AuditEntry = Narrowed<Sent<'LineView'>, { actor: Sent<'ActorView'> }>;
export type Status = Sent<'Status'>;
