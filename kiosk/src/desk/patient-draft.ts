// A patient as a form holds them, and the change that a form asks for.
// Invariant: a field that nobody touched is not in the change, so it cannot undo what another desk wrote.
import type { Patient, PatientEdit, Sex } from '../lib/shapes';
import { birthOf } from './birth';
import { differences, rebased as onto } from './draft';

export interface PatientDraft {
  name: string;
  /** The same name in other scripts, with commas between. */
  names: string;
  phone: string;
  otherPhone: string;
  birth: string;
  sex: Sex;
  language: string;
  email: string;
  line: string;
  city: string;
  district: string;
  postalCode: string;
  reminders: boolean;
}

export function draftOf(patient: Patient): PatientDraft {
  return {
    name: patient.name,
    names: patient.names.join(', '),
    phone: patient.phones[0]?.number ?? patient.phone ?? '',
    otherPhone: patient.phones[1]?.number ?? '',
    birth: patient.birth_date ?? '',
    sex: patient.sex,
    language: patient.language ?? '',
    email: patient.email ?? '',
    line: patient.address?.line ?? '',
    city: patient.address?.city ?? '',
    district: patient.address?.district ?? '',
    postalCode: patient.address?.postal_code ?? '',
    reminders: patient.preferences.reminders,
  };
}

/** What a form holds once another desk was faster: fields that nobody touched here take what was saved there. */
export function rebased(before: Patient, theirs: Patient, draft: PatientDraft): PatientDraft {
  return onto(draftOf(before), draftOf(theirs), draft);
}

/** A merge patch; an emptied field is null. */
export function changeOf(before: Patient, draft: PatientDraft): PatientEdit {
  const touched = new Set(differences(draftOf(before), draft));
  const change: Record<string, unknown> = {};
  const text = (value: string) => (value.trim() === '' ? null : value.trim());
  if (touched.has('name')) change['name'] = draft.name.trim();
  if (touched.has('names')) change['names'] = draft.names.split(',').map((name) => name.trim()).filter(Boolean);
  if (touched.has('phone') || touched.has('otherPhone')) {
    const uses = before.phones.map((phone) => phone.use);
    // Numbers behind the two of the form stay as they are.
    change['phones'] = [draft.phone, draft.otherPhone]
      .map((number, index) => ({ number: number.trim(), use: uses[index] ?? 'mobile' }))
      .filter(({ number }) => number !== '')
      .concat(before.phones.slice(2));
  }
  if (touched.has('birth')) change['birth_date'] = birthOf(draft.birth);
  if (touched.has('sex')) change['sex'] = draft.sex;
  if (touched.has('language')) change['language'] = text(draft.language);
  if (touched.has('email')) change['email'] = text(draft.email);
  if (touched.has('line') || touched.has('city') || touched.has('district') || touched.has('postalCode')) {
    change['address'] = {
      ...before.address,
      line: text(draft.line),
      city: text(draft.city),
      district: text(draft.district),
      postal_code: text(draft.postalCode),
    };
  }
  if (touched.has('reminders')) change['preferences'] = { ...before.preferences, reminders: draft.reminders };
  return change as PatientEdit;
}
