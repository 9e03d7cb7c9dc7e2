// The references of resources: to what is known they are rewritten, to anything else they become foreign.

/** Where resources are that are not here. */
const ELSEWHERE = 'http://example.org/fhir';
const RELATIVE = /^([A-Z][A-Za-z]+)\/([A-Za-z0-9.-]{1,64})(\/_history\/[A-Za-z0-9.-]{1,64})?$/;

/** The same resource with each reference that names another resource by its type and id replaced. */
export function redirect(resource, place) {
  return mapped(resource, (reference) => {
    const [, type, id] = RELATIVE.exec(reference) ?? [];
    if (!type) return /^(#|[a-z]+:)/.test(reference) ? reference : `${ELSEWHERE}/${reference}`;
    return place(`${type}/${id}`) ?? `${ELSEWHERE}/${reference}`;
  });
}

function mapped(value, change) {
  if (Array.isArray(value)) return value.map((it) => mapped(it, change));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const isReference = key === 'reference' && typeof inner === 'string';
      return [key, isReference ? change(inner) : mapped(inner, change)];
    }),
  );
}

/** The types and ids that a resource refers to. */
export function targets(resource) {
  const found = new Set();
  mapped(resource, (reference) => {
    const [, type, id] = RELATIVE.exec(reference) ?? [];
    if (type) found.add(`${type}/${id}`);
    return reference;
  });
  return found;
}
