import { writeSync } from 'node:fs';
import { coverageOf } from '../../gallery/coverage.ts';
import { beginRenewal, currentGeneration, withEnded } from '../../gallery/generation.ts';
import { openGalleryStore } from '../../io/store/gallery-store.ts';
import { faceOf, rowOf, testDevice, testModel } from './test-device.ts';

/**
 * A process to be killed: renews the templates of the store it is given, again and again. Each resident's turn comes
 * in its own transaction, as at a door; when everybody has a new template the old version ends. Says when each step
 * begins.
 */
const [file = '', keyByte = '1'] = process.argv.slice(2);
const store = openGalleryStore({ file });
const device = testDevice(Number(keyByte));
const step = () => writeSync(1, '.');
for (let n = 0; ; n++) {
  const all = store.generations();
  const isUnderWay = all.some(({ retirement }) => retirement);
  step();
  if (!isUnderWay) store.updateGenerations((now) => beginRenewal(now, testModel, n, 30));
  const { version } = currentGeneration(store.generations(), testModel, n);
  const protector = device(version);
  for (const { id } of store.residents()) {
    const row = rowOf(protector, id, faceOf(id), n);
    step();
    store.addTemplate(row, { most: 1, apartMs: 0 });
  }
  protector.wipe();
  step();
  store.updateGenerations((now) => {
    const { left } = coverageOf(now, store.residents(), store.templateCounts());
    if (left.length > 0) throw new Error(`${left.join()} would be left without a template`);
    return withEnded(now, ({ retirement }) => retirement !== null, n);
  });
}
