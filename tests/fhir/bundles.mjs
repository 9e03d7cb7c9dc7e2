// The rules of bundles that R4 says in words (https://hl7.org/fhir/R4/http.html and search.html).

const VERSION = /^W\/"[^"]+"$/;
const STATUS = /^\d{3}( .+)?$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** What of a bundle breaks them, one line each. */
export function bundleErrors(bundle) {
  const entries = bundle.entry ?? [];
  const found = entries.flatMap((entry, index) =>
    [...namedErrors(entry), ...(RULES[bundle.type]?.entry(entry) ?? [])].map(
      (error) => `Bundle.entry[${index}]: ${error}`,
    ));
  const whole = RULES[bundle.type]?.whole(bundle, entries) ?? [];
  return [...found, ...whole.map((error) => `Bundle: ${error}`)];
}

/** Where the fullUrl is an address, it is that of the resource. */
function namedErrors({ fullUrl, resource }) {
  if (!fullUrl || fullUrl.startsWith('urn:') || !resource?.id) return [];
  if (!/^https?:\/\//.test(fullUrl)) return [`fullUrl is no absolute address: ${fullUrl}`];
  const { resourceType, id } = resource;
  const fits = fullUrl.endsWith(`/${resourceType}/${id}`) || !fullUrl.includes(`/${resourceType}/`);
  return fits ? [] : ['fullUrl is not that of the resource'];
}

const RULES = {
  searchset: {
    entry({ fullUrl, resource, search, request, response }) {
      const found = [];
      if (!search?.mode) found.push('search.mode is missing');
      if (request || response) found.push('neither request nor response belong to what is found');
      const isOutcome = resource?.resourceType === 'OperationOutcome';
      if (!resource) found.push('the resource is missing');
      if (isOutcome !== (search?.mode === 'outcome')) found.push('mode outcome is for OperationOutcome only');
      if (!isOutcome && !fullUrl) found.push('fullUrl is missing');
      return found;
    },
    whole(bundle, entries) {
      const found = [];
      const matches = entries.filter(({ search }) => search?.mode === 'match');
      const relations = (bundle.link ?? []).map(({ relation }) => relation);
      if (!relations.includes('self')) found.push('the link of itself is missing');
      if (new Set(relations).size !== relations.length) found.push('two links of one relation');
      if (bundle.total < matches.length) found.push('total is less than what is there');
      const urls = entries.map(({ fullUrl }) => fullUrl).filter(Boolean);
      if (new Set(urls).size !== urls.length) found.push('a resource is there twice');
      return found;
    },
  },
  history: {
    entry({ fullUrl, request, response, resource }) {
      const found = [];
      if (!fullUrl) found.push('fullUrl is missing');
      if (!request) found.push('request is missing');
      if (!STATUS.test(response?.status)) found.push('response.status is missing');
      if ((request?.method === 'DELETE') === Boolean(resource)) found.push('a resource unless it was deleted');
      return found;
    },
    whole: () => [],
  },
};
for (const type of ['transaction-response', 'batch-response']) {
  RULES[type] = {
    entry({ request, response }) {
      const found = [];
      if (request) found.push('the request does not belong into a response');
      if (!STATUS.test(response?.status)) found.push('response.status is no status');
      const { location, etag, lastModified, outcome } = response ?? {};
      if (etag !== undefined && !VERSION.test(etag)) found.push('response.etag is no weak ETag');
      if (lastModified !== undefined && !INSTANT.test(lastModified)) found.push('lastModified is no instant');
      if (location !== undefined && !/\w+\/[^/]+\/_history\/[^/]+$/.test(location)) found.push('location names no version');
      if (/^[45]/.test(response?.status) && outcome?.resourceType !== 'OperationOutcome') {
        found.push('what failed has no outcome');
      }
      return found;
    },
    whole: () => [],
  };
}
