// HL7's own definitions of R4, as its package of examples ships them (CC0). Other packages carry
// them too, but with elements and types added that R4 does not have.

import fs from 'node:fs';
import path from 'node:path';

const FOLDER = path.join(import.meta.dirname, 'node_modules', 'hl7.fhir.r4.examples');

/** All definitions of one kind, such as `StructureDefinition`, in the order of their file names. */
export function definitions(kind) {
  const names = fs.readdirSync(FOLDER).filter((name) => name.startsWith(`${kind}-`));
  return names.sort().map((name) => JSON.parse(fs.readFileSync(path.join(FOLDER, name), 'utf8')));
}

const inOrder = (a, b) => (a.name < b.name ? -1 : 1);

/** The definitions of the data types and resources, profiles and logical models left out. */
export function structures() {
  const all = definitions('StructureDefinition').filter((it) => it.kind !== 'logical');
  return all.filter((it) => it.derivation !== 'constraint').sort(inOrder);
}

/** Writes the lines to the file beside the Rust code, or with `--check` says whether they are the same. */
export function commit(file, lines) {
  const text = `${lines.join('\n')}\n`;
  const target = path.join(import.meta.dirname, '..', '..', 'appliance', 'fhir', 'src', file);
  if (!process.argv.includes('--check')) {
    fs.writeFileSync(target, text);
    return;
  }
  if (fs.readFileSync(target, 'utf8') !== text) {
    console.error(`${file} is not what the definitions say; run: npm run tables`);
    process.exitCode = 1;
  }
}
