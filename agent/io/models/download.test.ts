import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:https';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { loopbackServer, serveHalf, serveRanges } from '../../test/fakes/loopback-server.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { tinyModel } from '../../test/fakes/tiny-model.ts';
import { type DownloadOptions, downloadModel } from './download.ts';
import { sha256Of } from './model-bytes.ts';

/** Large enough to come in several pieces. */
const content = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7919) >> 5);
const half = 100_000;
const described = { ...tinyModel().entry, sha256: sha256Of(content), sizeBytes: content.length };
const patience = { allowLoopbackHttp: true, stallMs: 5000, connectMs: 5000 };

async function start(handler: RequestListener) {
  const server = await loopbackServer(handler);
  const folder = join(temporaryFolder(), 'models');
  const path = join(folder, 'model.onnx');
  const entry = { ...described, url: `${server.origin}/model.onnx` };
  const fetch = (more: DownloadOptions = {}) =>
    downloadModel(entry, path, { ...patience, ...more });
  const range = (index: number) => server.requests[index]?.headers.range;
  return { server, folder, path, entry, fetch, range };
}

test('a model is fetched whole, and the progress told in bytes', async () => {
  const { path, folder, fetch } = await start(serveRanges(content));
  const progress: [number, number][] = [];
  await fetch({ onProgress: (done, total) => progress.push([done, total]) });
  expect(readFileSync(path).equals(content)).toBe(true);
  expect(readdirSync(folder)).toEqual(['model.onnx']);
  expect(progress.at(0)).toEqual([0, content.length]);
  expect(progress.at(-1)).toEqual([content.length, content.length]);
});

describe('after a connection that was cut', () => {
  async function cutOnce() {
    const started = await start(serveHalf(content, half));
    const onProgress = (done: number) => (done === half ? started.server.cut() : undefined);
    await expect(started.fetch({ onProgress })).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/cut the connection after \d+ of 300000 bytes/),
    });
    expect(existsSync(started.path)).toBe(false);
    expect(statSync(`${started.path}.part`).size).toBe(half);
    return started;
  }

  test('the rest is asked for, and only the rest', async () => {
    const { server, path, folder, fetch, range } = await cutOnce();
    server.handler = serveRanges(content);
    await fetch();
    expect(range(1)).toBe(`bytes=${half}-`);
    expect(server.requests[1]?.headers['if-range']).toBe('"1"');
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(readdirSync(folder)).toEqual(['model.onnx']);
  });

  test('a server that knows no ranges starts again, and so do we', async () => {
    const { server, path, fetch } = await cutOnce();
    server.handler = (_request, response) => response.end(content);
    await fetch();
    expect(server.requests).toHaveLength(2);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('a file that has changed on the server meanwhile is fetched from its beginning', async () => {
    const { server, path, fetch } = await cutOnce();
    server.handler = serveRanges(content, '"2"');
    await fetch();
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('a rest that is from another place of the file is not appended', async () => {
    const { server, path, fetch, range } = await cutOnce();
    const good = serveRanges(content);
    server.handler = (request, response) => {
      if (request.headers.range === undefined) good(request, response);
      else
        response
          .writeHead(206, { 'content-range': 'bytes 5-299999/300000' })
          .end(content.subarray(5));
    };
    await fetch();
    expect(range(2)).toBeUndefined();
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('halves that do not fit together are given up, and the whole is fetched', async () => {
    const { server, path, fetch } = await cutOnce();
    writeFileSync(`${path}.part`, new Uint8Array(half));
    server.handler = serveRanges(content);
    await fetch();
    expect(server.requests).toHaveLength(3);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('a part that is longer than the model is begun anew', async () => {
    const { server, path, fetch, range } = await cutOnce();
    writeFileSync(`${path}.part`, new Uint8Array(content.length + 1));
    server.handler = serveRanges(content);
    await fetch();
    expect(range(1)).toBeUndefined();
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('a part that is already whole needs no network', async () => {
    const { server, path, fetch } = await cutOnce();
    writeFileSync(`${path}.part`, content);
    await fetch();
    expect(server.requests).toHaveLength(1);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('a weak validator is not sent back', async () => {
    const { server, path, fetch } = await cutOnce();
    writeFileSync(`${path}.part`, new Uint8Array());
    server.handler = serveHalf(content, half, 'W/"1"');
    const onProgress = (done: number) => (done === half ? server.cut() : undefined);
    await expect(fetch({ onProgress })).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    server.handler = serveRanges(content);
    await fetch();
    expect(server.requests[2]?.headers['if-range']).toBeUndefined();
    expect(readFileSync(path).equals(content)).toBe(true);
  });
});

test('S3-24 other bytes than the manifest promises are refused, and nothing of them stays', async () => {
  const { folder, fetch } = await start(serveRanges(content.with(5, 99)));
  await expect(fetch()).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  expect(readdirSync(folder)).toEqual([]);
});

describe('a download fails in one line, and leaves no model, when the server', () => {
  test.each<[string, RequestListener, RegExp]>([
    [
      'has no such file',
      (_, response) => response.writeHead(404).end('gone'),
      /answered 404 for \/model\.onnx/,
    ],
    ['is broken', (_, response) => response.writeHead(500).end(), /answered 500/],
    [
      'answers with nothing to a range nobody asked for',
      (_, response) => response.writeHead(416).end(),
      /answered 416/,
    ],
    [
      'offers a larger file',
      (_, response) => response.end(new Uint8Array(content.length + 1)),
      /offers 300001 bytes, the manifest says 300000/,
    ],
    ['offers a smaller file', (_, response) => response.end(new Uint8Array(7)), /offers 7 bytes/],
    [
      'sends more than the manifest allows',
      (_, response) => {
        response.write(content);
        response.end('!');
      },
      /sends more than 300000 bytes/,
    ],
    [
      'ends too early',
      (_, response) => {
        response.write(content.subarray(0, half));
        response.end();
      },
      /stopped early after 100000 of 300000/,
    ],
    [
      'redirects in a circle',
      (request, response) => response.writeHead(302, { location: request.url }).end(),
      /redirects more than 3 times/,
    ],
    [
      'redirects to plain http',
      (_, response) => response.writeHead(302, { location: 'http://example.invalid/' }).end(),
      /http:\/\/example\.invalid is not https/,
    ],
    [
      'redirects to a file',
      (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      /is not https/,
    ],
    [
      'redirects to no address',
      (_, response) => response.writeHead(302, { location: 'https://' }).end(),
      /is no address/,
    ],
  ])('%s', async (_, handler, message) => {
    const { path, fetch } = await start(handler);
    await expect(fetch()).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(message),
    });
    await expect(fetch()).rejects.toMatchObject({ message: expect.not.stringContaining('\n') });
    expect(existsSync(path)).toBe(false);
  });

  test('says nothing more', async () => {
    const { path, fetch } = await start(serveHalf(content, half));
    await expect(fetch({ stallMs: 200 })).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/nothing came from 127\.0\.0\.1:\d+ for 0\.2 s after 100000/),
    });
    expect(existsSync(path)).toBe(false);
  });

  test('says nothing at all', async () => {
    const { folder, fetch } = await start(() => {});
    await expect(fetch({ stallMs: 200 })).rejects.toMatchObject({
      message: expect.stringContaining('nothing came'),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is not there', async () => {
    const { entry, path, server } = await start(() => {});
    const nobody = { ...entry, url: server.origin.replace(/\d+$/, '1') };
    await expect(downloadModel(nobody, path, patience)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining('refuses the connection'),
    });
  });

  test('has a name that nobody knows, as on a device that is offline', async () => {
    const { entry, path } = await start(() => {});
    const offline = { ...entry, url: 'https://models.invalid/model.onnx' };
    await expect(downloadModel(offline, path)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringMatching(/models\.invalid.*is the device online\?$/),
    });
  });

  test('speaks no TLS where https is asked for', async () => {
    const { entry, path } = await start(serveRanges(content));
    const secure = { ...entry, url: entry.url.replace('http:', 'https:') };
    await expect(downloadModel(secure, path)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining('no trusted connection'),
    });
  });
});

test('a model never comes over plain http, not even from this machine', async () => {
  const { server, entry, path } = await start(serveRanges(content));
  await expect(downloadModel(entry, path)).rejects.toMatchObject({
    code: 'DOWNLOAD_FAILED',
    message: expect.stringContaining('is not https'),
  });
  expect(server.requests).toHaveLength(0);
});

test('a redirect is followed', async () => {
  const good = serveRanges(content);
  const { path, fetch } = await start((request, response) => {
    if (request.url === '/model.onnx') response.writeHead(307, { location: '/there' }).end();
    else good(request, response);
  });
  await fetch();
  expect(readFileSync(path).equals(content)).toBe(true);
});

test('no more than three redirects are followed', async () => {
  const { server, fetch } = await start((request, response) =>
    response.writeHead(302, { location: `${request.url}x` }).end(),
  );
  await expect(fetch()).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
  expect(server.requests).toHaveLength(4);
});

test('a model without an address can only be imported', async () => {
  await expect(downloadModel(described, join(temporaryFolder(), 'x'))).rejects.toMatchObject({
    code: 'DOWNLOAD_FAILED',
    message: expect.stringContaining('import'),
  });
});

describe('in a process of its own', () => {
  test('killed half-way, it leaves no model, and the next one goes on', async () => {
    const { server, path, entry, fetch, range } = await start(serveHalf(content, half));
    const child = spawn(process.execPath, nodeArguments(script(entry, path)));
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await vi.waitFor(() => expect(statSync(`${path}.part`).size).toBe(half), { timeout: 15_000 });
    child.kill('SIGKILL');
    await ended;
    expect(existsSync(path)).toBe(false);
    server.handler = serveRanges(content);
    await fetch();
    expect(range(1)).toBe(`bytes=${half}-`);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('with no room for the whole file, it says so and leaves nothing', async () => {
    const { folder, path, entry } = await start(serveRanges(content));
    const limited = ['-c', 'ulimit -f 100; exec "$@"', 'sh', process.execPath];
    const said = await outputOf('sh', [...limited, ...nodeArguments(script(entry, path))]);
    expect(said).toBe('STORE_FULL\n');
    expect(readdirSync(folder)).toEqual([]);
  });
});

/** Makes certificates; there is no other way to get one here without keeping a key in the project. */
const certificateMaker = 'openssl';
const hasMaker = spawnSync(certificateMaker, ['version']).status === 0;

describe.skipIf(!hasMaker)('over https', () => {
  async function startSecure() {
    const folder = temporaryFolder();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = ['-keyout', key, '-out', cert, '-days', '2'];
    execFileSync(certificateMaker, ['req', ...kind, ...files, ...subject], { stdio: 'ignore' });
    const secrets = { key: readFileSync(key), cert: readFileSync(cert) };
    const server = createServer(secrets, serveRanges(content));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.close();
    });
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const url = `https://localhost:${port}/model.onnx`;
    return { entry: { ...described, url }, path: join(folder, 'model.onnx'), cert };
  }

  test('a server with a certificate that nobody vouches for is refused', async () => {
    const { entry, path } = await startSecure();
    await expect(downloadModel(entry, path)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining('no trusted connection to localhost'),
    });
    expect(existsSync(path)).toBe(false);
  });

  test('a server with a certificate that the device trusts is believed', async () => {
    const { entry, path, cert } = await startSecure();
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: cert };
    expect(await outputOf(process.execPath, nodeArguments(script(entry, path)), env)).toBe(
      'done\n',
    );
    expect(readFileSync(path).equals(content)).toBe(true);
  });
});

const module = fileURLToPath(new URL('./download.ts', import.meta.url));

/** A program that downloads, and says "done" or the code of the error. */
function script(entry: unknown, path: string): string {
  return `
    const { downloadModel } = await import(${JSON.stringify(module)});
    const options = { allowLoopbackHttp: true };
    await downloadModel(${JSON.stringify(entry)}, ${JSON.stringify(path)}, options).then(
      () => console.log('done'),
      ({ code }) => console.log(code),
    );`;
}

function nodeArguments(source: string): string[] {
  return ['--input-type=module', '--eval', source];
}

async function outputOf(
  command: string,
  commandArguments: readonly string[],
  env = process.env,
): Promise<string> {
  const child = spawn(command, commandArguments, { env });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return said;
}
