// Examples with something wrong: by a seed, so that each run makes the same.

/** Numbers between 0 and 1, the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const STRANGE = [
  null, true, false, 0, -1, 1e308, '', ' ', '\u0000', '\u0001', 'a\tb', '\ud800', '\udc00x', '\u202e\u200b',
  '😀'.repeat(300), 'x'.repeat(70_000), '2026-02-30', '2026-13', '0000-00-00', '9999-12-31T23:59:60Z', '99999999999',
  'NaN', '<script>', "' OR 1=1 --", 'Patient/', '#', '#nothing', 'urn:uuid:x', 'Patient?', '//', 'http://', [], {},
  [[]], [null], [{}], { extension: [] }, { id: 'a' }, { reference: 'Patient/../..' }, { resourceType: 'Patient' },
  { value: {}, coding: {} },
];
const KEYS = ['id', 'meta', 'extension', 'resourceType', 'reference', '_id', 'value', 'contained', '__proto__', 'modifierExtension', 'é', ''];

/** The places in a value, each as the object or list and the key in it. */
function places(value, found = []) {
  for (const [key, inner] of Object.entries(value)) {
    found.push([value, key]);
    if (inner !== null && typeof inner === 'object') places(inner, found);
  }
  return found;
}

const CHANGES = [
  (holder, key, pick) => (holder[key] = pick(STRANGE)),
  (holder, key) => (Array.isArray(holder) ? holder.splice(Number(key), 1) : delete holder[key]),
  (holder, key) => (holder[key] = [holder[key]]),
  (holder, key) => (holder[key] = Array.isArray(holder[key]) ? holder[key][0] : { value: holder[key] }),
  (holder, key, pick) => (Array.isArray(holder) ? holder.push(pick(STRANGE)) : (holder[pick(KEYS)] = pick(STRANGE))),
  (holder, key) => (holder[`_${key}`] = holder[key]),
  (holder, key) => (holder[key] = typeof holder[key] === 'string' ? `${holder[key]} ` : String(holder[key])),
  (holder, key, pick) => {
    const others = places(holder);
    [holder[key]] = [pick(others)].map(([other, name]) => structuredClone(other[name]));
  },
];

/** The text of a resource with one to three elements changed. */
export function changed(resource, next) {
  const pick = (list) => list[Math.floor(next() * list.length)];
  const mutant = structuredClone(resource);
  for (let times = 1 + Math.floor(next() ** 2 * 3); times > 0; times -= 1) {
    const [holder, key] = pick(places(mutant));
    if (holder === mutant && key === 'resourceType' && next() < 0.9) continue;
    pick(CHANGES)(holder, key, pick);
    if (places(mutant).length === 0) break;
  }
  return JSON.stringify(mutant);
}

/** The bytes of a text with some of them changed. */
export function damaged(text, next) {
  const bytes = Buffer.from(text);
  const at = () => Math.floor(next() * bytes.length);
  const ways = [
    () => bytes.subarray(0, at()),
    () => Buffer.concat([bytes, Buffer.from(text.slice(at()))]),
    () => {
      bytes[at()] ^= 1 << Math.floor(next() * 8);
      return bytes;
    },
    () => {
      const place = at();
      return Buffer.concat([bytes.subarray(0, place), Buffer.from([0xff, 0x00, 0xc0, 0x80]), bytes.subarray(place)]);
    },
    () => {
      const [from, to] = [at(), at()].sort((a, b) => a - b);
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
    },
  ];
  return ways[Math.floor(next() * ways.length)]();
}
