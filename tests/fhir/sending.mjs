// Sends HL7's examples to a clinic, one after the other.
//
// The records that others refer to are sent first, then everything else. A reference to an example that
// was taken is made one to what the box calls it now; any other becomes one to a foreign server, as the
// box refuses a reference to what is not there.

import * as examples from './examples.mjs';
import { redirect } from './references.mjs';

/** The types that others refer to, in the order in which they are sent. */
const FIRST = 'Organization Location Practitioner PractitionerRole Patient HealthcareService Schedule'.split(' ');
/** The most bytes of a resource that the box takes. */
export const BODY_BYTES_MAX = 8 * 1024 * 1024;

/** What became of examples that were sent. */
export class Sending {
  /** What the box calls each example that was taken: `Type/id` by `Type/id`. */
  known = new Map();
  /** What was sent of each, by what the box calls it. */
  sent = new Map();
  /** The refusals, as FILE STATUS CODE ELEMENT. */
  refused = [];

  constructor(door) {
    this.door = door;
  }

  /** An example as it is sent: its references lead to what is there, or elsewhere. */
  prepared(name) {
    const resource = examples.read(name);
    // What is within a bundle belongs to the bundle.
    const redirected = redirect(resource, (to) => this.known.get(to));
    return resource.resourceType === 'Bundle' ? { ...redirected, entry: resource.entry } : redirected;
  }

  /** Sends these examples; `taken` is called with each that was taken, as it was sent and answered. */
  async all(names, taken = () => {}) {
    const rank = (name) => FIRST.indexOf(name.replace(/-.*/, '')) + 1 || FIRST.length + 1;
    for (const name of [...names].sort((a, b) => rank(a) - rank(b))) {
      if (Buffer.byteLength(examples.text(name)) > BODY_BYTES_MAX) {
        // Not sent: that larger ones are refused is asked once, by hostile.test.mjs.
        this.refused.push(`${name} 413 too-long -`);
        continue;
      }
      const resource = this.prepared(name);
      const answer = await this.door.post(resource.resourceType, resource);
      if (answer.status >= 400) {
        this.refused.push(refusal(name, answer));
        continue;
      }
      const place = `${resource.resourceType}/${answer.resource.id}`;
      this.known.set(`${resource.resourceType}/${resource.id}`, place);
      this.sent.set(place, resource);
      await taken({ name, place, resource, answer });
    }
  }
}

function refusal(name, { status, resource }) {
  const [{ code, expression: [element = '-'] = [] }] = resource.issue;
  return `${name} ${status} ${code} ${element.replaceAll(/\[\d+\]/g, '')}`;
}
