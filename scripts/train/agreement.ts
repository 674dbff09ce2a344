import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadManifest } from '../../agent/io/models/manifest.ts';
import { openModel } from '../../agent/io/models/sessions.ts';
import type { EmbeddingEntry, ModelEntry } from '../../agent/ports.ts';

const usage = `node scripts/train/agreement.ts --models DIR --embedding NAME --probe DIR
Does ONNX Runtime, as the agent starts it, give what PyTorch gives? DIR of --models holds the file of NAME and may
hold a manifest.json; DIR of --probe is what 'recogniser.py probe' wrote. Exit code 1: it does not.`;

/** Of normalised embeddings, value by value. */
const largestDifference = 1e-4;

const { values: options } = parseArgs({
  options: {
    models: { type: 'string' },
    embedding: { type: 'string' },
    probe: { type: 'string' },
  },
});
const { models, embedding: name, probe } = options;
if (!models || !name || !probe) {
  process.stderr.write(`${usage}\n`);
  process.exit(64);
}

const isWanted = (entry: ModelEntry): entry is EmbeddingEntry =>
  entry.task === 'embedding' && entry.name === name;
const entry = loadManifest(models).entries.find(isWanted);
if (!entry) throw new Error(`the manifest has no embedding model ${name}`);

const { size } = entry.alignment;
const pixels = 3 * size * size;
const inputs = await readFloats(join(probe, 'inputs.f32'));
const expected = await readFloats(join(probe, 'embeddings.f32'));
const count = inputs.length / pixels;
if (!Number.isInteger(count) || count < 1 || expected.length !== count * entry.dimensions) {
  throw new Error(`${probe}: not made for inputs of ${size} and ${entry.dimensions} dimensions`);
}

const model = await openModel(entry, join(models, entry.file));
let difference = 0;
for (let picture = 0; picture < count; picture += 1) {
  const input = inputs.subarray(picture * pixels, (picture + 1) * pixels);
  const outputs = await model.run(input, [1, 3, size, size]);
  const found = outputs[entry.outputs[0]?.name ?? ''];
  if (!found) throw new Error(`${name}: no output`);
  const norm = Math.hypot(...found);
  for (const [axis, value] of found.entries()) {
    const wanted = expected[picture * entry.dimensions + axis] ?? Number.NaN;
    // Math.max keeps NaN, and NaN is no agreement.
    difference = Math.max(difference, Math.abs(value / norm - wanted));
  }
}
await model.close();

const agree = difference < largestDifference;
process.stdout.write(
  `${name}: ${count} pictures, largest difference ${difference.toExponential(2)}: ${agree ? 'agrees' : 'DIFFERS'}\n`,
);
process.exitCode = agree ? 0 : 1;

/** Little-endian, as every machine that this runs on. */
async function readFloats(file: string): Promise<Float32Array> {
  const bytes = await readFile(file);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}
