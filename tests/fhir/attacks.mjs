// What nobody sends who means well.

const basic = (inner) => `{"resourceType":"Basic","code":{"text":"a"}${inner}}`;
const nested = (depth) => '{"url":"u","extension":['.repeat(depth) + ']}'.repeat(depth);

/** Bodies of which none is a resource. */
export const BODIES = [
  '', ' ', 'null', 'true', '7', '"Basic"', '[]', '{}', '{', 'nonsense', '{"resourceType":1}',
  '{"resourceType":"Nonsense"}', '{"resourceType":"DomainResource"}', basic(',"id":"a b"'),
  basic(',"code":{"text":"b"}'), basic(',"language":"a","language":"b"'), basic(',"created":"2026\\u0000"'),
  basic(',"language":"\\ud800"'), basic(',"language":"\\udfff\\ud800"'), basic(',"id":"\u0000"'),
  basic(',"modifierExtension":[{"url":"u"}]'), basic(`,"id":"${'a'.repeat(65)}"`),
  basic(',"extension":[{"url":"u","valueDecimal":1e}]'), basic(',"extension":[{"url":"u","valueDecimal":NaN}]'),
  basic(',"extension":[{"url":"u","valueInteger":99999999999999999999}]'),
  basic(',"extension":[{"url":"u","valueDecimal":"1"}]'), basic(`,"extension":[${nested(60)}]`),
  basic(`,"extension":[${nested(20_000)}]`), '['.repeat(500_000), '{"a":'.repeat(100_000),
  `${basic('')}${basic('')}`, `\ufeff\ufeff${basic('')}`, Buffer.from(basic(''), 'utf16le'),
  Buffer.from('7b22ff227d', 'hex'), `{"resourceType":"Basic","code":{"text":"${'\\u0000'.repeat(1_000)}"}}`, '//',
  '<Basic xmlns="http://hl7.org/fhir"/>',
];

const long = 'a'.repeat(5_000);
const many = (word, count) => Array(count).fill(word).join();
const cursor = (text) => `_cursor=${Buffer.from(text).toString('base64url')}`;

/** What follows the question mark of a search. */
export const QUERIES = [
  '_count=99999999999999999999', '_count=-1', '_count=', '_count=1&_count=2', '_count=0', '_total=perhaps',
  '_summary=perhaps', '_elements=', `_elements=${many('name', 500)}`, '_sort=',
  `_sort=${many('name', 200)}`, '_sort=-', '_include=*', '_include=:', '_include=Patient:*',
  '_revinclude=*', `_include:iterate=${long}`, '_has:', '_has:A:b:c=d', '_has:Observation:patient:_has:A:b:c=1',
  `_has:Observation:patient:${long}=1`, 'general-practitioner.name.name.name=a',
  'link:Patient.link:Patient.name=a', `name=${long}`, `${long}=1`, `name:${long}=1`, 'name:missing=perhaps',
  'name:missing=true', ':=', '=', '&&&&', '?', '%zz=1', 'name=%zz', 'name=%00', 'name=%ff%fe', 'name=%ed%a0%80',
  'name=%F0%9F%98%80', "name=';DROP+TABLE+patient--", 'name=%25%5F%2A', 'name=\\,\\|\\$\\', 'name=,,,,', 'name=|',
  'identifier=|', 'identifier=||||', `identifier=${many('a|b', 500)}`,
  `_id=${Array(1_000).fill('a').join()}`, '_id=', 'birthdate=9999999-99', 'birthdate=ge',
  'birthdate=ap2026-02-30', 'birthdate=lt-0001', 'birthdate=gt9999-12-31T23:59:60%2B99:99',
  `birthdate=${many('ge2000', 100)}`, '_lastUpdated=ne2026', '_cursor=', '_cursor=e30',
  cursor('{"source":99,"values":[],"id":"00000000-0000-0000-0000-000000000000"}'),
  cursor('{"source":0,"values":["a","b","c"],"id":"00000000-0000-0000-0000-000000000000"}'),
  `${cursor('{"source":18446744073709551615,"values":[9e99],"id":""}')}&_sort=name`,
  `_cursor=${long}`, Array(400).fill('name=a').join('&'), Array(400).fill('nonsense=a').join('&'), '_format=xml',
  '_format=json', '_query=mine', '_filter=name+eq+a', '_text=a', '_content=a', '_list=a', '_type=Patient',
  '_contained=true', 'phone=1', 'phone=%2B', 'gender:not=', 'gender:text=a', 'gender:in=http://a',
  'active=perhaps',
];

/** What follows the base address. */
export const PATHS = [
  '/', '//', '/.', '/..', '/Patient/', '/Patient//', '/Patient/..', '/Patient/%2e%2e/metadata', '/patient',
  '/Patient/%00', `/Patient/${'a'.repeat(5_000)}`, '/Patient/a/_history/x', '/Patient/a/_history/-1',
  '/Patient/a/_history/99999999999999999999', '/Patient/a/b/c/d', '/$nothing', '/Patient/$nothing',
  '/Patient/a/$nothing', '/_history', '/_search', '/Patient/_history', '/Nonsense/1', '/metadata/x',
  '/Patient/a/_history/1/x', '/%ff', '/Patient/%ff',
];

/** Headers beside a good request. */
export const HEADERS = [
  { 'If-Match': '*' }, { 'If-Match': '' }, { 'If-Match': 'W/"9999999999999999999999"' },
  { 'If-Match': 'W/"1", W/"2"' }, { 'If-None-Match': 'nonsense' }, { 'If-Modified-Since': 'yesterday' },
  { Prefer: 'return=everything' }, { Prefer: ';;,,==' }, { Accept: 'text/html' },
  { Accept: 'application/fhir+xml' }, { Accept: ';;;' }, { 'Content-Type': '' },
  { 'Content-Type': 'application/fhir+xml' }, { 'Content-Type': 'application/fhir+json; charset=utf-16' },
  { 'Content-Type': 'multipart/form-data; boundary=a' }, { Authorization: 'Bearer' },
  { Authorization: 'Basic YTpi' }, { Authorization: 'Bearer \u00ff' }, { 'If-None-Exist': '\u00ff' },
  { 'If-None-Exist': '' }, { Host: 'evil.example"><script>' }, { Host: '' },
  { 'X-Forwarded-Host': 'evil.example' },
];

// Each of these doubles the resource: the last would make a petabyte of it.
const doubling = Array.from({ length: 50 }, (_, at) => `{"op":"copy","from":"/code","path":"/code/extension${at}"}`);
const inwards = many('{"op":"copy","from":"/extension","path":"/extension/0/extension"}', 40);
const begin = '{"op":"add","path":"/extension","value":[{"url":"u","extension":[]}]}';

/** JSON Patches that change nothing. */
export const PATCHES = [
  '{}', '[]', 'null', '[{}]', '[{"op":"add"}]', '[{"op":"add","path":"","value":1}]',
  '[{"op":"remove","path":""}]', '[{"op":"remove","path":"/code"}]',
  '[{"op":"add","path":"/code/coding/99999999999999999999","value":{}}]',
  '[{"op":"add","path":"/code/coding/-1","value":{}}]', '[{"op":"copy","from":"","path":"/contained"}]',
  '[{"op":"move","from":"/code","path":"/code/text"}]', '[{"op":"add","path":"/~2","value":1}]',
  '[{"op":"test","path":"/code/text","value":"b"}]', `[{"op":"add","path":"${'/a'.repeat(50_000)}","value":1}]`,
  '[{"op":"replace","path":"/resourceType","value":"Patient"}]',
  '[{"op":"replace","path":"/id","value":"other"}]',
  `[${doubling.join()}]`, `[${begin},${inwards}]`,
];

/** Paths of a FHIRPath Patch that lead to no element. */
export const EXPRESSIONS = [
  '', '.', 'Basic', 'Patient.name', 'Basic.code.where(', `Basic${'.code'.repeat(20_000)}`, "Basic.code.text = 'a'",
  'Basic.code.repeat(children())', '%resource', '1/0',
];
