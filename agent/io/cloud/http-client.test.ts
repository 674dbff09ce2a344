import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Fault } from '../../../fixtures/cloud/fault.ts';
import type { Cloud } from '../../../fixtures/cloud/start-cloud.ts';
import { openCloud } from '../../../fixtures/cloud/test-client.ts';
import { connectProxy } from '../../test/fakes/connect-proxy.ts';
import { eventually } from '../../test/fakes/eventually.ts';
import { tlsServer } from '../../test/fakes/tls-server.ts';
import type { Call, RequestFacts } from '../../upload/cloud-port.ts';
import { createHttpClient, type HttpLimits, type HttpRequest } from './http-client.ts';
import type { SecureOptions } from './secure-connection.ts';

const bare: SecureOptions = { ca: undefined, client: undefined, pins: [], proxy: null };

async function clientFor(options: SecureOptions, limits?: HttpLimits) {
  const client = await createHttpClient(options, limits);
  onTestFinished(() => client.close());
  return client;
}
function callOf(signal = new AbortController().signal): Call & { readonly told: RequestFacts[] } {
  const told: RequestFacts[] = [];
  return { signal, told, onRequest: (facts) => told.push(facts) };
}
const get = (url: string): HttpRequest => ({
  method: 'GET',
  url: new URL(url),
  headers: {},
  body: null,
  objectKey: null,
});
const linkOf = (cloud: Cloud) => get(`${cloud.cloudUrl}/v1/link`);
const ofDevice = (cloud: Cloud): SecureOptions => ({
  ...bare,
  ca: [cloud.ca],
  client: cloud.device,
});
const receivedBytes = (cloud: Cloud) =>
  [...cloud.vendor.connections, ...cloud.bucket.connections].reduce(
    (sum, { bytesReceived }) => sum + bytesReceived,
    0,
  );

describe('what is on the wire', () => {
  async function heard(request: Omit<HttpRequest, 'url'>): Promise<string> {
    let text = '';
    const { port, made } = await tlsServer((socket) => {
      socket.on('data', (bytes) => {
        text += bytes.toString('latin1');
        if (text.endsWith(request.body === null ? '\r\n\r\n' : 'the body')) {
          socket.end('HTTP/1.1 204 No Content\r\n\r\n');
        }
      });
    });
    const client = await clientFor({ ...bare, ca: [made.ca] });
    const url = new URL(`https://localhost:${port}/path%2Bname?query=1`);
    expect(await client.send({ ...request, url }, callOf())).toMatchObject({ status: 204 });
    return text.replaceAll(String(port), 'PORT');
  }

  test('a question is these bytes and no more', async () => {
    const request = { method: 'GET', headers: { accept: 'application/json' }, body: null } as const;
    expect(await heard({ ...request, objectKey: null })).toBe(
      [
        'GET /path%2Bname?query=1 HTTP/1.1',
        'host: localhost:PORT',
        'connection: keep-alive',
        'user-agent: doorkeep',
        'accept: application/json',
        '',
        '',
      ].join('\r\n'),
    );
  });

  test('an upload is these bytes and no more', async () => {
    const headers = { 'content-type': 'application/gzip', 'x-oss-forbid-overwrite': 'true' };
    const request = { method: 'PUT', headers, body: Buffer.from('the body') } as const;
    expect(await heard({ ...request, objectKey: 'key' })).toBe(
      [
        'PUT /path%2Bname?query=1 HTTP/1.1',
        'host: localhost:PORT',
        'connection: keep-alive',
        'user-agent: doorkeep',
        'content-type: application/gzip',
        'x-oss-forbid-overwrite: true',
        'content-length: 8',
        '',
        'the body',
      ].join('\r\n'),
    );
  });
});

test('every request is told, with the digest of its body, whatever became of it', async () => {
  const cloud = await openCloud({ dialect: 'oss' });
  const client = await clientFor(ofDevice(cloud));
  const call = callOf();
  const body = Buffer.from('abc');
  await client.send({ ...linkOf(cloud), method: 'POST', body, objectKey: 'k' }, call);
  cloud.vendor.script.next({ kind: 'reset' });
  await client.send(linkOf(cloud), call);
  const { host } = new URL(cloud.cloudUrl);
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
  expect(call.told).toEqual([
    { method: 'POST', host, objectKey: 'k', bodySha256: abc, sizeBytes: 3, status: 404 },
    { method: 'GET', host, objectKey: null, bodySha256: null, sizeBytes: 0, status: null },
  ]);
});

describe('S0-9 whom it speaks to', () => {
  test.each([
    ['wrong-host', 'certificate'],
    ['expired', 'certificate-time'],
    ['unknown-ca', 'certificate'],
  ] as const)('not to a server that shows: %s', async (shown, fault) => {
    const cloud = await openCloud({ dialect: 'oss' });
    cloud.vendor.present(shown);
    const client = await clientFor(ofDevice(cloud));
    expect(await client.send(linkOf(cloud), callOf())).toEqual({ kind: 'no-reply', fault });
    expect(receivedBytes(cloud)).toBe(0);
  });

  test('not to a number that its certificate does not name', async () => {
    const { port, made, sockets } = await tlsServer(() => {}, { address: '127.0.0.2' });
    const client = await clientFor({ ...bare, ca: [made.ca] });
    const answer = await client.send(get(`https://127.0.0.2:${port}/`), callOf());
    expect(answer).toEqual({ kind: 'no-reply', fault: 'certificate' });
    expect(sockets.filter(({ bytesRead }) => bytesRead > 0)).toEqual([]);
  });

  test('not even if the environment tells Node to believe everybody', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    onTestFinished(() => void vi.unstubAllEnvs());
    const cloud = await openCloud({ dialect: 'oss' });
    cloud.vendor.present('unknown-ca');
    const client = await clientFor(ofDevice(cloud));
    const answer = await client.send(linkOf(cloud), callOf());
    expect(answer).toEqual({ kind: 'no-reply', fault: 'certificate' });
    expect(receivedBytes(cloud)).toBe(0);
  });

  test('not to one with a good certificate for another key than is pinned, however often', async () => {
    const cloud = await openCloud({ dialect: 'oss' });
    const client = await clientFor({ ...ofDevice(cloud), pins: cloud.pins });
    expect(await client.send(linkOf(cloud), callOf())).toMatchObject({ status: 200 });
    cloud.vendor.present('other-key');
    // On the connection that was open.
    await client.send(linkOf(cloud), callOf());
    const before = receivedBytes(cloud);
    for (let i = 0; i < 3; i++) {
      const answer = await client.send(linkOf(cloud), callOf());
      expect(answer).toEqual({ kind: 'no-reply', fault: 'certificate' });
    }
    expect(receivedBytes(cloud)).toBe(before);
    expect(cloud.vendor.handled).toHaveLength(1);
    cloud.vendor.present('right');
    expect(await client.send(linkOf(cloud), callOf())).toMatchObject({ status: 200 });
  });

  test('an older TLS that could resume a session is asked for the key every time', async () => {
    const reused: (boolean | null)[] = [];
    const answer = (socket: TLSSocket) => {
      reused.push(socket.isSessionReused());
      socket.on('data', () => socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n'));
    };
    const { port, made } = await tlsServer(answer, { maxVersion: 'TLSv1.2' });
    const client = await clientFor({ ...bare, ca: [made.ca], pins: made.pins });
    for (let i = 0; i < 3; i++) {
      const told = await client.send(get(`https://localhost:${port}/`), callOf());
      expect(told).toMatchObject({ status: 204 });
    }
    expect(reused).toEqual([false, false, false]);
  });

  test('no line of the agent can switch the check of a certificate off', () => {
    const root = fileURLToPath(new URL('../..', import.meta.url));
    const sources = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
      (file) => /\.[jt]s$/.test(file) && !file.endsWith('.test.ts'),
    );
    const switching = /rejectUnauthorized|NODE_TLS_REJECT|allowUnauthorized/;
    const found = sources.filter((file) => switching.test(readFileSync(join(root, file), 'utf8')));
    expect(sources.length).toBeGreaterThan(100);
    expect(found).toEqual([]);
  });

  test('plain http is not even tried', async () => {
    const client = await clientFor(bare);
    await expect(client.send(get('http://localhost:1/'), callOf())).rejects.toThrow(TypeError);
  });

  test('a redirect is told, not followed', async () => {
    const cloud = await openCloud({ dialect: 'oss' });
    const location = `${cloud.bucketUrl}/elsewhere`;
    cloud.vendor.script.next({ kind: 'redirect', location, status: 301 });
    const client = await clientFor(ofDevice(cloud));
    const answer = await client.send(linkOf(cloud), callOf());
    expect(answer).toMatchObject({ kind: 'answer', status: 301, headers: { location } });
    expect(cloud.bucket.connections).toEqual([]);
  });

  test('its certificate is shown only to whom it is meant for', async () => {
    const cloud = await openCloud({ dialect: 'oss' });
    const client = await clientFor({ ...bare, ca: [cloud.ca] });
    await client.send(get(`${cloud.bucketUrl}/x`), callOf());
    expect(cloud.bucket.connections.map((each) => each.clientCertificate)).toEqual([false]);
    // The cloud insists on one.
    expect(await client.send(linkOf(cloud), callOf())).toMatchObject({ kind: 'no-reply' });
    expect(cloud.vendor.handled).toEqual([]);
  });
});

describe('a proxy', () => {
  test('of the environment does not count', async () => {
    const proxy = await connectProxy();
    for (const name of ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'HTTP_PROXY']) {
      vi.stubEnv(name, proxy.url);
    }
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    onTestFinished(() => void vi.unstubAllEnvs());
    const cloud = await openCloud({ dialect: 'oss' });
    const client = await clientFor(ofDevice(cloud));
    expect(await client.send(linkOf(cloud), callOf())).toMatchObject({ status: 200 });
    expect(proxy.targets).toEqual([]);
  });

  test('of the settings is gone through, with the certificate of the device', async () => {
    const [cloud, proxy] = [await openCloud({ dialect: 'oss' }), await connectProxy()];
    const client = await clientFor({ ...ofDevice(cloud), pins: cloud.pins, proxy: proxy.url });
    expect(await client.send(linkOf(cloud), callOf())).toMatchObject({ status: 200 });
    expect(proxy.targets).toEqual([new URL(cloud.cloudUrl).host]);
    expect(cloud.vendor.connections.map((each) => each.clientCertificate)).toEqual([true]);
  });

  test('cannot put another server in the place of the cloud', async () => {
    const [cloud, proxy] = [await openCloud({ dialect: 'oss' }), await connectProxy()];
    const client = await clientFor({ ...ofDevice(cloud), pins: cloud.pins, proxy: proxy.url });
    for (const [shown, fault] of [
      ['other-key', 'certificate'],
      ['wrong-host', 'certificate'],
      ['unknown-ca', 'certificate'],
      ['expired', 'certificate-time'],
    ] as const) {
      cloud.vendor.present(shown);
      const answer = await client.send(linkOf(cloud), callOf());
      expect(answer).toEqual({ kind: 'no-reply', fault });
    }
    expect(proxy.targets).toHaveLength(4);
    expect(receivedBytes(cloud)).toBe(0);
  });

  test('that refuses, or is not there, is a network that is not there', async () => {
    const cloud = await openCloud({ dialect: 'oss' });
    const refusing = await connectProxy(403);
    const through = async (proxy: string) =>
      (await clientFor({ ...ofDevice(cloud), proxy })).send(linkOf(cloud), callOf());
    expect(await through(refusing.url)).toEqual({ kind: 'no-reply', fault: 'unreachable' });
    expect(await through('http://127.0.0.1:1')).toEqual({ kind: 'no-reply', fault: 'refused' });
    const noProxy = await tlsServer(() => {});
    const answer = await through(`http://127.0.0.1:${noProxy.port}`);
    expect(answer.kind).toBe('no-reply');
    expect(cloud.vendor.connections).toEqual([]);
  });
});

describe('what may happen on the way is told by name', () => {
  test.each<[Fault, string]>([
    [{ kind: 'reset' }, 'reset'],
    [{ kind: 'lost-reply' }, 'reset'],
    [{ kind: 'half-body' }, 'reset'],
    [{ kind: 'not-http' }, 'unreadable-reply'],
    [{ kind: 'oversized-reply' }, 'oversized-reply'],
  ])('%o: %s', async (given, fault) => {
    const cloud = await openCloud({ dialect: 'oss' });
    cloud.vendor.script.next(given);
    const client = await clientFor(ofDevice(cloud));
    expect(await client.send(linkOf(cloud), callOf())).toEqual({ kind: 'no-reply', fault });
    expect(await client.send(linkOf(cloud), callOf())).toMatchObject({ status: 200 });
  });

  test.each<[Fault, Partial<HttpLimits>]>([
    [{ kind: 'black-hole' }, { silenceMs: 300 }],
    [{ kind: 'slow-loris', everyMs: 20 }, { wholeMs: 1_000 }],
  ])('%o: it is given up', async (given, shorter) => {
    const cloud = await openCloud({ dialect: 'oss' });
    cloud.vendor.script.next(given);
    const limits = { connectMs: 15_000, silenceMs: 15_000, wholeMs: 15_000, ...shorter };
    const client = await clientFor(ofDevice(cloud), limits);
    const answer = await client.send(linkOf(cloud), callOf());
    expect(answer).toEqual({ kind: 'no-reply', fault: 'timeout' });
  });

  test('nobody listens, nobody has the name', async () => {
    const client = await clientFor(bare);
    const to = async (url: string) => client.send(get(url), callOf());
    expect(await to('https://127.0.0.1:1/')).toEqual({ kind: 'no-reply', fault: 'refused' });
    expect(await to('https://nobody.invalid/')).toEqual({ kind: 'no-reply', fault: 'dns' });
  });

  test('somebody listens and says nothing', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const client = await clientFor(bare, { connectMs: 100, silenceMs: 15_000, wholeMs: 15_000 });
    const answer = await client.send(get(`https://127.0.0.1:${port}/`), callOf());
    expect(answer).toEqual({ kind: 'no-reply', fault: 'connect-timeout' });
  });

  test('a portal that wants a log-in answers without TLS', async () => {
    const portal = createServer((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 302 Found\r\nlocation: http://portal/\r\n\r\n');
    });
    await new Promise<void>((resolve) => portal.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void portal.close());
    const address = portal.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const client = await clientFor(bare);
    const answer = await client.send(get(`https://127.0.0.1:${port}/`), callOf());
    expect(answer).toEqual({ kind: 'no-reply', fault: 'certificate' });
  });
});

describe('when it is given up', () => {
  test('before it begins, nobody is spoken to', async () => {
    const cloud = await openCloud({ dialect: 'oss' });
    const client = await clientFor(ofDevice(cloud));
    const call = callOf(AbortSignal.abort());
    expect(await client.send(linkOf(cloud), call)).toEqual({ kind: 'no-reply', fault: 'aborted' });
    expect(call.told).toEqual([]);
    expect(cloud.vendor.connections).toEqual([]);
  });

  test('while it is still connecting, it ends', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void silent.close());
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const client = await clientFor(bare);
    const controller = new AbortController();
    silent.once('connection', () => controller.abort());
    const answer = await client.send(get(`https://127.0.0.1:${port}/`), callOf(controller.signal));
    expect(answer).toEqual({ kind: 'no-reply', fault: 'aborted' });
  });

  test('in the middle of an upload, what has not left yet does not leave', async () => {
    let received = 0;
    let ended = '';
    const { port, made, sockets } = await tlsServer((socket) => {
      socket.pause();
      socket.on('error', (fault) => {
        ended = 'code' in fault ? String(fault.code) : fault.message;
      });
    });
    const client = await clientFor({ ...bare, ca: [made.ca] });
    const controller = new AbortController();
    const call = callOf(controller.signal);
    const body = Buffer.alloc(8 * 1024 * 1024);
    const url = new URL(`https://localhost:${port}/`);
    const sent = client.send({ ...get(url.href), method: 'PUT', body }, call);
    await eventually(() => sockets.length === 1);
    // Until neither the receiver nor the kernel on this side takes any more.
    await setTimeout(100);
    controller.abort();
    expect(await sent).toEqual({ kind: 'no-reply', fault: 'aborted' });
    expect(call.told).toMatchObject([{ method: 'PUT', sizeBytes: body.length, status: null }]);
    // Only now the server reads: it gets what it had been given before, and then the reset.
    const [socket] = sockets;
    socket?.on('data', (bytes) => {
      received += bytes.length;
    });
    socket?.resume();
    await eventually(() => ended !== '');
    expect(ended).toBe('ECONNRESET');
    expect(received).toBeLessThan(1024 * 1024);
  });

  test('the next request waits for its end, and is not cut off with it', async () => {
    const cloud = await openCloud({ dialect: 'oss' });
    const client = await clientFor(ofDevice(cloud));
    const controller = new AbortController();
    cloud.vendor.script.next({ kind: 'black-hole' });
    const first = client.send(linkOf(cloud), callOf(controller.signal));
    const second = client.send(get(`${cloud.bucketUrl}/x`), callOf());
    await eventually(() => cloud.vendor.handled.length === 1);
    const waiting = setTimeout(100, 'still waiting');
    expect(await Promise.race([second, waiting])).toBe('still waiting');
    controller.abort();
    expect(await first).toEqual({ kind: 'no-reply', fault: 'aborted' });
    expect(await second).toMatchObject({ kind: 'answer', status: 403 });
  });
});
