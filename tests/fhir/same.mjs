// Whether a resource came back as it was sent.

import { isDeepStrictEqual } from 'node:util';

/**
 * What differs between the two but for what the box says of every resource: its id, version and time,
 * and of a patient the clinic's own number (`own` is the system of these numbers).
 */
export function differences(sent, got, own) {
  return compare(plain(sent, own), plain(got, own), '');
}

function plain(resource, own) {
  const { id: _, meta = {}, ...rest } = resource;
  const { versionId: _version, lastUpdated: _updated, ...kept } = meta;
  const plainer = Object.keys(kept).length ? { ...rest, meta: kept } : rest;
  if (resource.resourceType !== 'Patient' || !plainer.identifier) return plainer;
  const identifier = plainer.identifier.filter(({ system }) => system !== own);
  const { identifier: _all, ...others } = plainer;
  return identifier.length ? { ...others, identifier } : others;
}

function compare(sent, got, at) {
  if (isDeepStrictEqual(sent, got)) return [];
  const areBoth = [sent, got].every((it) => it !== null && typeof it === 'object');
  if (!areBoth || Array.isArray(sent) !== Array.isArray(got)) {
    return [`${at}: ${JSON.stringify(sent)} came back as ${JSON.stringify(got)}`];
  }
  const keys = new Set([...Object.keys(sent), ...Object.keys(got)]);
  return [...keys].flatMap((key) => compare(sent[key], got[key], `${at}.${key}`));
}
