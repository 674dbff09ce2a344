import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import fixture from '../../../fixtures/templates/ufc1.json' with { type: 'json' };
import { createTransformer } from '../../protection/transformer.ts';
import { loadKernels } from '../process/native.ts';
import { seededChance } from '../process/seeded-chance.ts';
import { transformLines } from './transform-lines.ts';

const { kernels } = loadKernels();
const key = '07'.repeat(32);
const embedding = Array.from({ length: 16 }, (_, i) => i - 7.5);
const epoch = { purpose: 'ueip', root: key, date: '2027-03-01', epoch: 'first start', embedding };

test('codes are those of the known answers of another implementation', async () => {
  const requests = fixture.cases.flatMap(({ key, bits, embeddings }) =>
    embeddings.map((values) => ({
      purpose: bits === 4096 ? 'match' : 'ueip',
      key,
      bits,
      embedding: values,
    })),
  );
  const { answers, counts } = await transform(requests.map((each) => JSON.stringify(each)));
  const codes = fixture.cases.flatMap(({ bits, codes }) => codes.map((code) => ({ bits, code })));
  expect(answers).toEqual(
    codes.map((each, i) => ({ line: i + 1, purpose: requests[i]?.purpose, ...each })),
  );
  expect(counts).toEqual({ lines: codes.length, refused: 0 });
});

test("a device's template is that of its matching key", async () => {
  const { rootKey, modelSha256: model, version, matchKey } = fixture;
  const [byRoot, byKey] = await answersTo([
    { purpose: 'match', root: rootKey, model, version, embedding },
    { purpose: 'match', key: matchKey, embedding },
  ]);
  expect(byRoot).toHaveProperty('bits', 4096);
  expect(byRoot).toEqual({ ...byKey, line: 1 });
});

test('telemetry codes of one epoch can be compared; a second start, or a day, makes another', async () => {
  const answers = await answersTo([
    epoch,
    epoch,
    { ...epoch, epoch: 'second start' },
    { ...epoch, date: '2027-03-02' },
    { ...epoch, bits: 16 },
  ]);
  const epochs = answers.map((answer) => answer['epoch']);
  expect(epochs[0]).toBe(epochs[1]);
  expect(answers[0]?.['code']).toBe(answers[1]?.['code']);
  expect(new Set(epochs).size).toBe(4);
  expect(new Set(answers.map((answer) => answer['code'])).size).toBe(4);
  expect(answers.map((answer) => answer['bits'])).toEqual([24, 24, 24, 24, 16]);
});

test('384 codes under one label have three epochs, and none more than 128', async () => {
  const answers = await answersTo(Array.from({ length: 384 }, () => epoch));
  const sizes = new Map<unknown, number>();
  for (const { epoch: name } of answers) sizes.set(name, (sizes.get(name) ?? 0) + 1);
  expect([...sizes.values()]).toEqual([128, 128, 128]);
});

test('every bad line is answered by its number, and the good ones around it are too', async () => {
  const bad = [
    'nonsense',
    '[]',
    '{"purpose": "door"}',
    JSON.stringify({ purpose: 'match', key: 'ab', embedding }),
    JSON.stringify({ purpose: 'match', key, embedding: embedding.slice(1) }),
    JSON.stringify({ purpose: 'match', key, embedding: Array(1025).fill(1) }),
    JSON.stringify({ purpose: 'match', key, bits: 12, embedding }),
    JSON.stringify({ purpose: 'match', key, embedding, bitz: 24 }),
    JSON.stringify({ purpose: 'match', key, embedding: Array(16).fill(0) }),
    JSON.stringify({ ...epoch, bits: 20 }),
    JSON.stringify({ ...epoch, date: 'today' }),
    `{"purpose": "match", "x": "${'x'.repeat(70_000)}"}`,
  ];
  const { answers, counts } = await transform([
    JSON.stringify(epoch),
    ...bad,
    JSON.stringify(epoch),
  ]);
  expect(counts).toEqual({ lines: bad.length + 2, refused: bad.length });
  expect(answers[0]).toHaveProperty('code');
  expect(answers.at(-1)).toHaveProperty('code');
  expect(answers.slice(1, -1).map((answer) => answer['error'])).toEqual([
    refusal(2, 'not JSON'),
    refusal(3, 'not an object'),
    refusal(4, 'purpose: expected one of match, ueip, got "door"'),
    refusal(5, 'key: expected 64 hexadecimal digits, got "ab"'),
    refusal(6, expect.stringMatching(/^line 6: embedding: expected a list of 16 to 1024, got /)),
    refusal(7, expect.stringMatching(/^line 7: embedding: expected a list of 16 to 1024, got /)),
    refusal(8, 'bits: expected a multiple of 8, got 12'),
    refusal(9, 'bitz: unknown, did you mean bits?'),
    {
      ...refusal(10, 'the embedding model gave values that are no direction'),
      code: 'MODEL_CORRUPT',
    },
    refusal(11, 'bits: a telemetry code has 24 or 16, not 20'),
    refusal(12, 'date: expected a date like 2027-03-01, got "today"'),
    refusal(13, 'longer than 65536 bytes'),
  ]);
});

test('the longest embedding in full digits is no line too long', async () => {
  const values = Array.from({ length: 1024 }, (_, i) => -Math.PI * 1e-9 * (i + 1));
  const [answer] = await answersTo([{ purpose: 'ueip', key, embedding: values }]);
  expect(answer).toHaveProperty('bits', 24);
});

test('no more is read than the answers are taken', async () => {
  let asked = 0;
  async function* endless() {
    for (;;) {
      asked += 1;
      yield Buffer.from(`${JSON.stringify(epoch)}\n`);
    }
  }
  let answered = 0;
  const reader = new Writable({
    highWaterMark: 1,
    // The third answer is never taken: the reader has stopped for good.
    write: (_chunk, _encoding, done) => void (++answered < 3 && done()),
  });
  const finished = transformLines(transformer(), endless(), reader);
  while (answered < 3) await new Promise((resolve) => setImmediate(resolve));
  const before = asked;
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toBe(before);
  expect(asked).toBeLessThan(40);
  reader.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
  await expect(finished).resolves.toMatchObject({ refused: 0 });
});

function refusal(line: number, message: unknown) {
  const text = typeof message === 'string' ? `line ${line}: ${message}` : message;
  return { code: 'INPUT_INVALID', message: text };
}

function transformer() {
  return createTransformer({ kernels, random: seededChance('transform') });
}

async function answersTo(requests: readonly object[]): Promise<Record<string, unknown>[]> {
  const { answers } = await transform(requests.map((each) => JSON.stringify(each)));
  return answers;
}

async function transform(lines: readonly string[]) {
  const output = new PassThrough();
  let text = '';
  output.on('data', (chunk) => {
    text += chunk;
  });
  async function* input() {
    yield Buffer.from(`${lines.join('\n')}\n\n`);
  }
  const counts = await transformLines(transformer(), input(), output);
  const answers = text
    .trim()
    .split('\n')
    .map((line): Record<string, unknown> => JSON.parse(line));
  return { answers, counts };
}
