import { existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ModelEntry } from '../../ports.ts';
import { loopbackServer, serveRanges } from '../../test/fakes/loopback-server.ts';
import { sharedModels } from '../../test/fakes/shared-material.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { tinyModel } from '../../test/fakes/tiny-model.ts';
import { loadManifest } from './manifest.ts';
import { sha256Of } from './model-bytes.ts';
import { createModelFiles, type ModelFilesOptions } from './model-files.ts';

const slopes = Array.from({ length: 16 }, (_, channel) => channel / 32);
const tiny = tinyModel({ slopes, side: 64 });
const other = tinyModel({ name: 'other', gain: 2 });

/** A device whose manifest knows two models; a stick with files to bring along. */
function device(options: Partial<ModelFilesOptions> = {}) {
  const root = temporaryFolder();
  const dataModelsDir = join(root, 'models');
  const entries = options.entries ?? [tiny.entry, other.entry];
  const files = createModelFiles({ ...options, dataModelsDir, entries });
  const bring = (bytes: Uint8Array, name = 'brought.onnx') => {
    const path = join(root, name);
    writeFileSync(path, bytes);
    return path;
  };
  const index = join(dataModelsDir, 'models.json');
  const editIndex = (edit: (text: string) => string) =>
    writeFileSync(index, edit(readFileSync(index, 'utf8')));
  return { files, bring, dataModelsDir, editIndex, index };
}

const picture = new Float32Array(3 * 64 * 64).fill(0.5);

describe('a model that is imported', () => {
  test('is known by its content, whatever its file is called, and can be used', async () => {
    const { files, bring, dataModelsDir } = device();
    const file = await files.importFile(bring(tiny.bytes, 'some name.bin'));
    expect(file).toMatchObject({ origin: 'data', path: join(dataModelsDir, 'tiny.onnx') });
    expect(readdirSync(dataModelsDir).sort()).toEqual(['models.json', 'tiny.onnx']);
    const model = await files.open('tiny', 'embedding');
    expect((await model.run(picture, [1, 3, 64, 64]))['code']).toHaveLength(16);
    await model.close();
  });

  test('is listed with the form in which it is loaded, and why', async () => {
    const { files, bring } = device();
    const { preparation } = await files.importFile(bring(tiny.bytes));
    const [first, second] = await files.list();
    expect(first).toMatchObject({ state: 'present', reason: preparation?.reason });
    expect(first?.reason).toMatch(/original \d+\.\d\d ms/);
    expect(second).toMatchObject({ state: 'missing', file: undefined });
  });

  test('may be imported again', async () => {
    const { files, bring, dataModelsDir } = device();
    await files.importFile(bring(tiny.bytes));
    await files.importFile(bring(other.bytes));
    await files.importFile(bring(tiny.bytes));
    expect(readdirSync(dataModelsDir).sort()).toEqual(['models.json', 'other.onnx', 'tiny.onnx']);
    expect((await files.list()).map(({ state }) => state)).toEqual(['present', 'present']);
  });
});

describe('S3-24 an import is refused, and leaves nothing,', () => {
  test('when no manifest knows the file; it is said how to declare it', async () => {
    const { files, bring, dataModelsDir } = device();
    const stranger = tinyModel({ gain: 3 }).bytes;
    await expect(files.importFile(bring(stranger))).rejects.toMatchObject({
      code: 'MODEL_UNKNOWN',
      message: expect.stringMatching(
        `${sha256Of(stranger)}.*${join(dataModelsDir, 'manifest.json')}`,
      ),
    });
    expect(existsSync(dataModelsDir)).toBe(false);
  });

  test('when the file has the name of a model but was cut short', async () => {
    const { files, bring } = device();
    const path = bring(tiny.bytes.subarray(0, 100), 'tiny.onnx');
    await expect(files.importFile(path)).rejects.toMatchObject({
      code: 'MODEL_UNKNOWN',
      message: expect.stringContaining(`100 bytes, not ${tiny.bytes.length}`),
    });
  });

  test.each([
    ['empty', 0],
    ['larger than any model', 2 ** 40],
  ])('when the file is %s', async (_, size) => {
    const { files, bring } = device();
    const path = bring(tiny.bytes);
    truncateSync(path, size);
    await expect(files.importFile(path)).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  });

  test('when there is no file, or a folder in its place', async () => {
    const { files, dataModelsDir } = device();
    for (const path of [dataModelsDir, temporaryFolder()]) {
      await expect(files.importFile(path)).rejects.toMatchObject({ code: 'INPUT_MISSING' });
    }
  });

  test('when the manifest entry does not describe the model', async () => {
    const lying = { ...tiny.entry, outputs: [{ name: 'quality', shape: [1, 16] }] };
    const { files, bring, dataModelsDir } = device({ entries: [lying] });
    await expect(files.importFile(bring(tiny.bytes))).rejects.toMatchObject({
      code: 'MODEL_MISMATCH',
    });
    expect(existsSync(dataModelsDir)).toBe(false);
  });
});

describe('a model is looked for', () => {
  test('in the data directory first, then in the folders the caller names', async () => {
    const extra = temporaryFolder();
    writeFileSync(join(extra, 'tiny.onnx'), tiny.bytes);
    const { files, bring } = device({ extraDirs: [temporaryFolder(), extra] });
    expect(await files.find('tiny')).toMatchObject({ origin: 'extra' });
    await files.importFile(bring(tiny.bytes));
    expect(await files.find('tiny')).toMatchObject({ origin: 'data' });
  });

  test('and if it is nowhere, every place is named', async () => {
    const extra = temporaryFolder();
    const { files, dataModelsDir } = device({ extraDirs: [extra] });
    await expect(files.open('tiny', 'embedding')).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringMatching(`tiny.onnx is in none of ${dataModelsDir}, .*${extra}`),
    });
  });

  test('only if the manifest has it', async () => {
    const { files } = device();
    await expect(files.find('face-net')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
    await expect(files.verify('face-net')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
    await expect(files.pull('face-net')).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
  });

  test('and used only for its own task', async () => {
    const { files, bring } = device();
    await files.importFile(bring(tiny.bytes));
    await expect(files.open('tiny', 'detection')).rejects.toMatchObject({
      code: 'MODEL_MISMATCH',
      message: 'model tiny is for embedding, not for detection',
    });
  });
});

test('S3-24 a model that was changed on the disk is refused, listed as corrupt, and can be imported again', async () => {
  const { files, bring, dataModelsDir } = device();
  await files.importFile(bring(tiny.bytes));
  writeFileSync(join(dataModelsDir, 'tiny.onnx'), tiny.bytes.with(200, 1));
  await expect(files.open('tiny', 'embedding')).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  await expect(files.ensurePrepared('tiny')).resolves.toMatchObject({ origin: 'data' });
  expect((await files.list())[0]).toMatchObject({ state: 'corrupt' });
  expect(await files.verify()).toMatchObject([
    { state: 'corrupt', reason: expect.stringContaining('SHA-256') },
  ]);
  await files.importFile(bring(tiny.bytes));
  expect(await files.verify('tiny')).toMatchObject([{ state: 'present' }]);
});

describe('what was found out about a model on this device', () => {
  async function prepared() {
    const extra = temporaryFolder();
    writeFileSync(join(extra, 'tiny.onnx'), tiny.bytes);
    const started = device({ extraDirs: [extra] });
    await started.files.ensurePrepared('tiny');
    return started;
  }

  test('is found out once, without copying the model', async () => {
    const { files, dataModelsDir, index } = await prepared();
    const before = readFileSync(index, 'utf8');
    expect(await files.ensurePrepared('tiny')).toMatchObject({ origin: 'extra' });
    expect(readFileSync(index, 'utf8')).toBe(before);
    expect(readdirSync(dataModelsDir)).toEqual(['models.json']);
  });

  test.each([
    ['another processor', `"architecture": "${process.arch}"`, '"architecture": "vax"'],
    ['another version of onnxruntime', '"runtime": "', '"runtime": "0.'],
    ['another file', tiny.entry.sha256, '0'.repeat(64)],
  ])(
    'does not hold for %s, where the model runs unchanged until it is prepared',
    async (_, from, to) => {
      const { files, editIndex } = await prepared();
      editIndex((text) => text.replaceAll(from, to));
      const stale = await files.find('tiny');
      expect(stale).toMatchObject({ preparation: undefined, checked: undefined });
      expect(stale.unpreparedBecause).toContain('not prepared');
      await (await files.open('tiny', 'embedding')).close();
      expect((await files.ensurePrepared('tiny')).preparation).toBeDefined();
    },
  );

  test('may be lost: the door goes on with the unchanged model, and the list says why', async () => {
    const { files, editIndex } = await prepared();
    editIndex((text) => text.slice(0, 40));
    await (await files.open('tiny', 'embedding')).close();
    expect((await files.list())[0]?.reason).toContain('models.json');
    expect((await files.ensurePrepared('tiny')).preparation).toBeDefined();
    expect((await files.list())[0]?.reason).not.toContain('models.json');
  });

  test('S3-24 cannot bring another model in', async () => {
    const { files, editIndex, index } = await prepared();
    const record = JSON.parse(readFileSync(index, 'utf8')).models[0];
    const foreign = { ...record, prepared: 'prelu-dw', preparedSha256: sha256Of(other.bytes) };
    editIndex(() => JSON.stringify({ version: 1, models: [foreign] }));
    await expect(files.open('tiny', 'embedding')).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });
});

describe('a model that is pulled', () => {
  async function online(bytes: Uint8Array = tiny.bytes) {
    const server = await loopbackServer(serveRanges(bytes));
    const entry: ModelEntry = { ...tiny.entry, url: `${server.origin}/tiny.onnx` };
    const started = device({ entries: [entry], download: { allowLoopbackHttp: true } });
    return { ...started, server };
  }

  test('is downloaded once, prepared and used', async () => {
    const { files, server } = await online();
    const progress: number[] = [];
    const file = await files.pull('tiny', (done) => progress.push(done));
    expect(file.preparation).toBeDefined();
    expect(progress.at(-1)).toBe(tiny.bytes.length);
    await files.pull('tiny');
    expect(server.requests).toHaveLength(1);
    await (await files.open('tiny', 'embedding')).close();
  });

  test('replaces a damaged file', async () => {
    const { files, dataModelsDir } = await online();
    await files.pull('tiny');
    truncateSync(join(dataModelsDir, 'tiny.onnx'), 9);
    await files.pull('tiny');
    expect(await files.verify('tiny')).toMatchObject([{ state: 'present' }]);
  });

  test('S3-24 is refused if the server has other bytes', async () => {
    const { files, dataModelsDir } = await online(tiny.bytes.with(200, 1));
    await expect(files.pull('tiny')).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
    expect(readdirSync(dataModelsDir)).toEqual([]);
  });
});

describe.skipIf(!sharedModels)('with real models', () => {
  test('a model of every task can be imported, is verified, and loads in the form that was found', async () => {
    const oneOfEach = /^(yunet-n-dynamic|face-rei.*|minifasnet-v2|lightqnet-dm025)$/;
    const entries = loadManifest().entries.filter(({ name }) => oneOfEach.test(name));
    expect(new Set(entries.map(({ task }) => task)).size).toBe(4);
    const { files } = device({ entries });
    for (const entry of entries) {
      const { preparation } = await files.importFile(join(sharedModels ?? '', entry.file));
      const hasPrelu = /0095|minifasnet/.test(entry.name);
      if (!hasPrelu) expect(preparation?.prepared).toBe('unchanged');
    }
    const states = (await files.verify()).map(({ entry, state }) => [entry.name, state]);
    expect(states).toEqual(entries.map(({ name }) => [name, 'present']));
  });
});
