import { createHash } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ModelEntry } from '../../ports.ts';
import { loopbackServer, serveHalf, serveRanges } from '../../test/fakes/loopback-server.ts';
import { smallIr, smallIrSide } from '../../test/fakes/small-ir.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { convertIr } from './ir-convert.ts';
import { sha256Of } from './model-bytes.ts';
import { createModelFiles } from './model-files.ts';

const small = smallIr();
const xml = new TextEncoder().encode(small.xml);
const onnx = convertIr(small.entry, xml, small.bin);
const sha384 = (bytes: Uint8Array) => createHash('sha384').update(bytes).digest('hex');

type Served = { readonly xml?: Uint8Array; readonly bin?: Uint8Array; readonly onnx?: Uint8Array };

/** A device whose manifest has the small model, given out by a server on this machine. */
async function device({ described = {} }: { readonly described?: Served } = {}) {
  const told = { xml, bin: small.bin, onnx, ...described };
  const files: Record<string, RequestListener> = {
    '/small.xml': serveRanges(xml),
    '/small.bin': serveRanges(small.bin),
  };
  const server = await loopbackServer((request, response) => {
    const handler = files[request.url ?? ''];
    if (handler) handler(request, response);
    else response.writeHead(404).end();
  });
  const source = (kind: 'xml' | 'bin') => ({
    url: `${server.origin}/small.${kind}`,
    sha384: sha384(told[kind]),
    sizeBytes: told[kind].length,
  });
  const entry: ModelEntry = {
    ...small.entry,
    recommended: true,
    openvino: { xml: source('xml'), bin: source('bin') },
    sha256: sha256Of(told.onnx),
    sizeBytes: told.onnx.length,
  };
  const dataModelsDir = join(temporaryFolder(), 'models');
  const download = { allowLoopbackHttp: true, stallMs: 5000, connectMs: 5000 };
  const models = createModelFiles({ dataModelsDir, entries: [entry], download });
  const asked = () => server.requests.map(({ url }) => url);
  const inFolder = () => (existsSync(dataModelsDir) ? readdirSync(dataModelsDir).sort() : []);
  return { models, files, server, asked, inFolder, dataModelsDir };
}

describe('a model that its maker gives out for OpenVINO', () => {
  test('is fetched in two files, converted, and used like any other; nothing else stays', async () => {
    const { models, asked, inFolder } = await device();
    const progress: [number, number][] = [];
    await models.pull('small', (done, total) => progress.push([done, total]));
    expect(asked()).toEqual(['/small.xml', '/small.bin']);
    const total = xml.length + small.bin.length;
    expect(progress.at(-1)).toEqual([total, total]);
    expect(inFolder()).toEqual(['models.json', 'small.onnx']);
    expect(await models.verify('small')).toMatchObject([{ state: 'present' }]);
    const model = await models.open('small', 'embedding');
    const picture = new Float32Array(3 * smallIrSide ** 2).fill(0.5);
    const outputs = await model.run(picture, [1, 3, smallIrSide, smallIrSide]);
    expect(outputs['code']).toHaveLength(2);
    await model.close();
    await models.pull('small');
    expect(asked()).toHaveLength(2);
  });

  test('goes on after a cut with what is missing, and asks for no file twice', async () => {
    const { models, files, server, asked, inFolder } = await device();
    files['/small.bin'] = serveHalf(small.bin, 100);
    const cut = (done: number) => (done === xml.length + 100 ? server.cut() : undefined);
    await expect(models.pull('small', cut)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    expect(inFolder()).toEqual([
      'small.onnx.bin.part',
      'small.onnx.bin.part.etag',
      'small.onnx.xml',
    ]);
    files['/small.bin'] = serveRanges(small.bin);
    await models.pull('small');
    expect(asked()).toEqual(['/small.xml', '/small.bin', '/small.bin']);
    expect(server.requests[2]?.headers.range).toBe('bytes=100-');
    expect(inFolder()).toEqual(['models.json', 'small.onnx']);
  });

  test('S3-24 is refused before it is converted if the server has other bytes', async () => {
    const { models, files, inFolder } = await device();
    files['/small.bin'] = serveRanges(small.bin.with(3, 99));
    await expect(models.pull('small')).rejects.toMatchObject({
      code: 'MODEL_CORRUPT',
      message: expect.stringContaining('another content than the manifest says'),
    });
    expect(inFolder()).toEqual(['small.onnx.xml']);
  });

  test('S3-24 a file of it that was changed on the disk meanwhile is fetched again', async () => {
    const { models, files, server, asked, dataModelsDir } = await device();
    files['/small.bin'] = serveHalf(small.bin, 100);
    const cut = (done: number) => (done === xml.length + 100 ? server.cut() : undefined);
    await expect(models.pull('small', cut)).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    writeFileSync(join(dataModelsDir, 'small.onnx.xml'), xml.with(0, 32));
    files['/small.bin'] = serveRanges(small.bin);
    await models.pull('small');
    expect(asked()).toEqual(['/small.xml', '/small.bin', '/small.xml', '/small.bin']);
  });

  test('S3-24 is refused if it comes to another model than the manifest says; nothing stays', async () => {
    const { models, inFolder } = await device({ described: { onnx: onnx.with(50, 1) } });
    await expect(models.pull('small')).rejects.toMatchObject({
      code: 'MODEL_CORRUPT',
      message: 'model small: its OpenVINO files come to another model than the manifest says',
    });
    expect(inFolder()).toEqual([]);
  });

  test('is refused in one line if it cannot be converted; nothing stays', async () => {
    const strange = new TextEncoder().encode(small.xml.replace('"Sigmoid"', '"Softmax"'));
    const { models, files, inFolder } = await device({ described: { xml: strange } });
    files['/small.xml'] = serveRanges(strange);
    await expect(models.pull('small')).rejects.toMatchObject({
      code: 'MODEL_CORRUPT',
      message: expect.stringMatching(
        /^model small: its OpenVINO files cannot be converted: layer 17 \(Softmax\): [^\n]*$/,
      ),
    });
    expect(inFolder()).toEqual([]);
  });

  test('fails in one line where there is no network, and leaves nothing', async () => {
    const { models, files, inFolder } = await device();
    files['/small.xml'] = (request) => request.socket.destroy();
    const fault = await models.pull('small').catch((cause: unknown) => cause);
    expect(fault).toMatchObject({ code: 'DOWNLOAD_FAILED', exitCode: 34 });
    expect(fault).toMatchObject({ message: expect.stringMatching(/^model small: [^\n]+$/) });
    expect(inFolder()).toEqual([]);
  });
});
