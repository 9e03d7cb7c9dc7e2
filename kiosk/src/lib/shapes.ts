// The shapes that the box's API speaks, from the types generated of its OpenAPI document. All screens take them
// from here and from nowhere else.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Role = Schemas['StaffRole'];
export type Sex = Schemas['Sex'];
export type ContactChannel = Schemas['ContactChannel'];
export type Weekday = Schemas['Weekday'];
export type AppointmentStatus = Schemas['AppointmentStatus'];
export type QueueKind = Schemas['QueueKind'];
export type QueueStatus = Schemas['QueueStatus'];
export type DeviceKind = Schemas['DeviceKind'];
export type DeviceStatus = Schemas['DeviceStatus'];
export type LocationKind = Schemas['LocationKind'];

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Entity {
  id: string;
  version: number;
}

export type Clinic = Schemas['Clinic'];
export type Staff = Schemas['Staff'];
export type Session = Schemas['Session'];

export type PhoneNumber = Schemas['PatientPhone'];
export type Address = Schemas['Address'];
export type Identifier = Schemas['Identifier'];
export type Preferences = Schemas['Preferences'];
export type Patient = Schemas['Patient'];
export type PatientMatch = Schemas['PatientMatch'];
export type NewPatient = Schemas['NewPatient'];
export type PatientEdit = Schemas['PatientEdit'];
/** One of the family; what they are to the patient is null where it was not said. */
export type Relative = Schemas['Relative'];
export type Duplicate = Schemas['DuplicatePair'];

export type Practitioner = Schemas['Practitioner'];
export type Location = Schemas['Location'];
export type HealthcareService = Schemas['HealthcareService'];
export type Schedule = Schemas['Schedule'];
export type Leave = Schemas['Leave'];
export type ClosedDay = Schemas['ClosedDay'];
export type Slot = Schemas['Slot'];
export type Appointment = Schemas['Appointment'];
export type QueueEntry = Schemas['QueueEntry'];

/** One person whom a booking may belong to; no name, so that a bystander learns nothing. */
export type Match = Schemas['PersonView'];
/** One of the two, never both: who it may be, or that the code is good and the birth is to be confirmed. */
export type MatchAnswer = { people: Match[] } | { confirm_birth: true };
export type Ticket = Schemas['Ticket'];
export type PractitionerToday = Schemas['SeesTodayView'];

export type BoardCall = Schemas['CalledView'];
export type Board = Schemas['Board'];

export type Conversation = Schemas['Conversation'];
export type Message = Schemas['Message'];
export type Media = Schemas['Media'];
export type Medium = Schemas['Medium'];
/** Something that the desk has to do. */
export type DeskTicket = Schemas['DeskTicket'];
/** Somebody who waits for a time. */
export type WaitlistEntry = Schemas['WaitlistEntry'];
export type WaitlistOffered = Schemas['WaitlistOffered'];
export type PartOfDay = Schemas['PartOfDay'];
export type Faq = Schemas['Faq'];
/** The clinic's own wording of a sentence of reception. */
export type Template = Schemas['Template'];
/** A sentence of reception in one language. */
export type Sentence = Schemas['Sentence'];
/** A text that the desk writes often. */
export type CannedAnswer = Schemas['CannedAnswer'];
/** What a patient is to know before coming. */
export type PatientInstruction = Schemas['PatientInstruction'];
/** What may be said by WhatsApp at any time, filled in for one person. */
export type ApprovedTemplate = Schemas['ApprovedTemplate'];
/** Somebody to whom a conversation may be given. */
export type Assignee = Schemas['Assignee'];
export type ReminderRule = Schemas['ReminderRule'];

export type Device = Schemas['Device'];
/** Digits in groups, as people read them out: `483 920`. */
export type PairingCode = Schemas['Waiting'];

export type AuditEntry = Schemas['LineView'];
export type Status = Schemas['Status'];
export type Sync = Schemas['Sync'];
export type Conflict = Schemas['Conflict'];
export type SyncRequest = Schemas['SyncRequest'];
/** A slot that is lent to the cloud. */
export type Loan = Schemas['Loan'];
export type LoanDay = Schemas['LoanDay'];
/** A patient who bought online what somebody else has. */
export type Displaced = Schemas['Displaced'];
