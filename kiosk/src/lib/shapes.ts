// The shapes that the box's API speaks. All screens take them from here and from nowhere else.

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

export interface Clinic {
  id: string;
  name: string;
  timezone: string;
  country: string;
  /** RFC 3339 with the clinic's offset. */
  now: string;
  today: string;
  languages: string[];
  demo: boolean;
}

export interface Staff extends Entity {
  username: string;
  name: string;
  role: Role;
  practitioner_id: string | null;
  disabled: boolean;
}

export interface Session {
  staff: Staff;
  clinic: Clinic;
}

export interface PhoneNumber {
  /** E.164 in answers; any national form when given. */
  number: string;
  use: string;
}

export interface Address {
  line?: string | null;
  city?: string | null;
  district?: string | null;
  state?: string | null;
  postal_code?: string | null;
  country?: string | null;
}

export interface Identifier {
  system: string;
  value: string;
}

export interface Preferences {
  channels: ContactChannel[];
  reminders: boolean;
}

export interface Patient extends Entity {
  number: number;
  name: string;
  names: string[];
  phone: string | null;
  phones: PhoneNumber[];
  /** `1984-05-02`, `1984-05` or `1984`. */
  birth_date: string | null;
  sex: Sex;
  language: string | null;
  address: Address | null;
  email: string | null;
  identifiers: Identifier[];
  preferences: Preferences;
  active: boolean;
  merged_into: string | null;
}

export interface PatientMatch extends Patient {
  score: number;
}

export interface NewPatient {
  name: string;
  phone?: string;
  phones?: PhoneNumber[];
  birth_date?: string;
  sex?: Sex;
  language?: string;
  address?: Address;
  email?: string;
  identifiers?: Identifier[];
  names?: string[];
  preferences?: Preferences;
  accept_duplicate?: boolean;
}

export interface Duplicate {
  a: Patient;
  b: Patient;
  score: number;
  reasons: string[];
}

export interface Practitioner extends Entity {
  name: string;
  specialties: string[];
  token_prefix: string;
  location_id: string | null;
  active: boolean;
}

export interface Location extends Entity {
  name: string;
  kind: 'room' | 'equipment' | 'site';
  active: boolean;
}

export interface HealthcareService extends Entity {
  name: string;
  duration_minutes: number;
  buffer_minutes: number;
  practitioner_ids: string[];
  location_ids: string[];
}

export interface Schedule extends Entity {
  practitioner_id: string;
  weekdays: Weekday[];
  /** Local time of the clinic, `09:00`. */
  start: string;
  end: string;
  slot_minutes: number;
  location_id: string | null;
  valid_from: string | null;
  valid_to: string | null;
  slot_capacity: number;
  session_capacity: number | null;
}

export interface Leave extends Entity {
  practitioner_id: string;
  from: string;
  to: string;
  reason: string | null;
}

export interface ClosedDay {
  date: string;
  reason: string;
}

export interface Slot {
  id: string;
  schedule_id: string;
  practitioner_id: string;
  location_id: string | null;
  start: string;
  end: string;
  free: number;
}

export interface Appointment extends Entity {
  status: AppointmentStatus;
  patient_id: string;
  patient: { id: string; name: string; phone: string | null };
  practitioner_id: string;
  location_id: string | null;
  service_id: string | null;
  schedule_id: string;
  slot_id: string;
  start: string;
  end: string;
  reason: string | null;
  cancel_reason: string | null;
  overbooked: boolean;
  overbook_reason: string | null;
  confirmed: boolean;
  hold_until: string | null;
  series_id: string | null;
  qr: string | null;
}

export interface QueueEntry extends Entity {
  date: string;
  token: string;
  kind: QueueKind;
  status: QueueStatus;
  patient: { id: string; name: string } | null;
  practitioner_id: string | null;
  location_id: string | null;
  room: string | null;
  appointment_id: string | null;
  joined_at: string;
  due: string;
  called_at: string | null;
  calls: number;
  finished_at: string | null;
  ahead: number;
  estimate_minutes: number | null;
  priority_reason: string | null;
}

/** One person whom a booking may belong to; no name, so that a bystander learns nothing. */
export interface Match {
  choice: string;
  initials: string;
  masked_phone: string;
  start: string;
  practitioner: string;
  room: string | null;
  already_checked_in: boolean;
}

export type MatchAnswer = { people: Match[] } | { confirm_birth: true };

export interface Ticket {
  token: string;
  room: string | null;
  ahead: number;
  estimate_minutes: number | null;
  appointment_id?: string | null;
  practitioner?: string | null;
  /** The token is for the front desk, not for a room. */
  desk?: boolean;
}

export interface PractitionerToday {
  id: string;
  name: string;
  specialties: string[];
  room: string | null;
  ahead: number;
  estimate_minutes: number | null;
}

export interface BoardCall {
  token: string;
  room: string | null;
  called_at: string;
  calls: number;
}

export interface Board {
  now: string;
  called: BoardCall[];
  waiting: { token: string; room: string | null }[];
}

export interface Device extends Entity {
  kind: DeviceKind;
  name: string | null;
  status: DeviceStatus;
}

export interface PairingCode {
  id: string;
  /** Digits in groups, as people read them out: `483 920`. */
  code: string;
  expires_at: string;
}

export interface AuditEntry {
  seq: number;
  at: string;
  actor: { kind: string; id: string; name: string | null };
  channel: string;
  verb: string;
  noun: string;
  resource_id: string;
  patient_id: string | null;
}

export interface Status {
  version: string;
  sync: null;
  backup_age_hours: number | null;
  queue_waiting: number;
}
