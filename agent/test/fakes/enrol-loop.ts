import { writeSync } from 'node:fs';
import { openGalleryStore } from '../../io/store/gallery-store.ts';
import { sealed } from '../contracts/sealed-row.ts';

/**
 * A process to be killed: enrols residents of five photos each in the store it is given, and says the
 * number of each one whose enrolment has returned.
 */
const [file = '', first = '0'] = process.argv.slice(2);
const store = openGalleryStore({ file });
for (let n = Number(first); ; n++) {
  const id = `resident-${n}`;
  const templates = [0, 1, 2, 3, 4].map((photo) => sealed(id, n * 5 + photo));
  store.enrol({ id, label: null }, templates, n);
  writeSync(1, `${n}\n`);
}
