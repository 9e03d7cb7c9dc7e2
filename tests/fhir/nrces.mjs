// The rules of NRCeS (India, ABDM) for patients and appointments, version 6.0.0, by hand: its packages are
// not in the registry. Written from the profiles `Patient` and `Appointment` of the ABDM guide
// (https://nrces.in/ndhm/fhir/r4): what must be there, which codes are SNOMED CT's, and what may be
// referred to. Left out is the value set of `identifier.type`, which is extensible.

const SNOMED = 'http://snomed.info/sct';

const list = (value) => (value === undefined ? [] : [value].flat());

/** What is missing in codings that say anything. */
function codingErrors(concepts, at, system) {
  const codings = list(concepts).flatMap((concept) => list(concept.coding));
  return codings.flatMap((coding) => [
    ...['system', 'code', 'display'].filter((name) => !coding[name]).map((name) => `${at}.coding.${name} is missing`),
    ...(system && coding.system !== system ? [`${at}.coding.system is ${coding.system}`] : []),
  ]);
}

/** What is referred to must be of one of these types, where the reference says its type. */
function referenceErrors(references, at, types) {
  const named = list(references).map(({ reference }) => /(?:^|\/)([A-Z]\w+)\/[^/]+$/.exec(reference ?? '')?.[1]);
  return named.filter((type) => type && !types.includes(type)).map((type) => `${at} is a ${type}`);
}

function patientErrors({ identifier, name, telecom, generalPractitioner, managingOrganization, link }) {
  const found = list(identifier).length ? [] : ['identifier is missing'];
  for (const { type, value, assigner } of list(identifier)) {
    if (!type) found.push('identifier.type is missing');
    if (!value) found.push('identifier.value is missing');
    found.push(...codingErrors(type, 'identifier.type'), ...referenceErrors(assigner, 'identifier.assigner', ['Organization']));
  }
  found.push(...list(name).filter(({ text }) => !text).map(() => 'name.text is missing'));
  found.push(...list(telecom).filter(({ value }) => !value).map(() => 'telecom.value is missing'));
  found.push(...referenceErrors(generalPractitioner, 'generalPractitioner', ['Organization', 'Practitioner', 'PractitionerRole']));
  found.push(...referenceErrors(managingOrganization, 'managingOrganization', ['Organization']));
  found.push(...list(link).flatMap(({ other }) => referenceErrors(other, 'link.other', ['RelatedPerson', 'Patient'])));
  return found;
}

const ACTORS = 'RelatedPerson Device HealthcareService Location Patient Practitioner PractitionerRole'.split(' ');
const REASONS = ['ImmunizationRecommendation', 'Procedure', 'Observation', 'Condition'];

function appointmentErrors(appointment) {
  const found = appointment.start ? [] : ['start is missing'];
  for (const name of ['serviceCategory', 'serviceType', 'specialty', 'appointmentType', 'reasonCode']) {
    found.push(...codingErrors(appointment[name], name, SNOMED));
  }
  found.push(...referenceErrors(appointment.reasonReference, 'reasonReference', REASONS));
  found.push(...referenceErrors(appointment.basedOn, 'basedOn', ['ServiceRequest']));
  for (const { type, actor } of list(appointment.participant)) {
    found.push(...codingErrors(type, 'participant.type'), ...referenceErrors(actor, 'participant.actor', ACTORS));
  }
  return found;
}

/** What of a Patient or an Appointment breaks NRCeS's profile, one line each. */
export function nrcesErrors(resource) {
  return resource.resourceType === 'Patient' ? patientErrors(resource) : appointmentErrors(resource);
}
