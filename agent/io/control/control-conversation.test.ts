import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../test/fakes/eventually.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { callOnce, echo, socketAgent, socketClient } from '../../test/fakes/socket-agent.ts';
import { deferred } from '../process/deferred.ts';
import { loadProcess } from '../process/native.ts';
import { callAgent } from './control-client.ts';

const bytesOf = (text: string): Uint8Array => Buffer.from(text);

describe.skipIf(loadProcess().kind === 'absent')('at the control socket', () => {
  test('answers request after request on one connection, each under its number', async () => {
    const { dataDir } = await socketAgent();
    const client = await socketClient(dataDir);
    client.socket.write('{"id":1,"command":"test.echo","arguments":[1]}\n{"id":"b","command":');
    await eventually(() => client.text() === '{"id":1,"done":[1]}\n');
    client.socket.end('"test.echo"}\n');
    await client.closed;
    expect(client.lines()).toEqual([
      { id: 1, done: [1] },
      { id: 'b', done: {} },
    ]);
  });

  test('names the one who asks as the kernel does', async () => {
    const { dataDir } = await socketAgent();
    const { pid } = process;
    expect(await callAgent(dataDir, 'test.peer', {})).toMatchObject({ value: { pid } });
  });

  test('tells an error of ours as it is, and of a fault inside only that there was one', async () => {
    const { dataDir } = await socketAgent();
    await expect(callAgent(dataDir, 'test.refuse', {})).rejects.toMatchObject({
      code: 'STORE_FULL',
      message: 'no room left',
    });
    for (const command of ['test.break', 'test.long']) {
      const client = await socketClient(dataDir);
      client.socket.end(`{"command":"${command}"}\n`);
      await client.closed;
      expect(client.lines()).toEqual([
        { error: { code: 'INTERNAL', message: 'the agent failed at this' } },
      ]);
    }
  });

  test.each([
    ['garbage', Buffer.from([0, 255, 1, 10])],
    ['a web page', 'GET / HTTP/1.1\r\nHost: door\r\n\r\n'],
    ['an unknown command', '{"command":"test.nothing"}\n'],
    ['a name that every object has', '{"command":"constructor"}\n'],
    ['an empty line', '\n'],
  ])('%s gets one line that says so, and the end', async (_name, bytes) => {
    const { dataDir } = await socketAgent();
    const client = await socketClient(dataDir);
    client.socket.write(bytes);
    client.socket.write('{"command":"test.echo"}\n');
    await client.closed;
    expect(client.lines()).toEqual([
      { error: { code: 'CONTROL_INVALID', message: expect.any(String) } },
    ]);
  });

  test('whatever bytes come, in whatever pieces, others are served', async () => {
    const { dataDir } = await socketAgent();
    const piece = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc
        .constantFrom('\n', '{"command":"test.echo"}\n', '{"command":"test.refuse"}\n')
        .map(bytesOf),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 8 }), async (pieces) => {
        const client = await socketClient(dataDir);
        for (const bytes of pieces) client.socket.write(bytes);
        client.socket.end();
        await client.closed;
        const ends = client.lines().map((line) => Object.keys(Object(line)).join());
        expect(ends.filter((keys) => keys !== 'done' && keys !== 'error')).toEqual([]);
        await callOnce(dataDir);
      }),
      { numRuns: 100 },
    );
  });

  test.each(['{"command":"te', ''])('half a line (%j) is waited for five seconds', async (half) => {
    const time = createManualTime();
    const { dataDir } = await socketAgent({ timers: time.timers });
    const client = await socketClient(dataDir);
    client.socket.write(half);
    await eventually(() => time.pendingMs.includes(5_000));
    time.advance(4_999);
    // Slowly more of it gains no time.
    client.socket.write(half);
    await callOnce(dataDir);
    expect(client.text()).toBe('');
    time.advance(1);
    await client.closed;
    expect(client.lines()).toEqual([
      { error: { code: 'CONTROL_INVALID', message: 'no whole line came in time' } },
    ]);
  });

  test('a client that is still writing gets the last word all the same, but cannot go on for ever', async () => {
    const time = createManualTime();
    const { dataDir } = await socketAgent({ timers: time.timers });
    const client = await socketClient(dataDir, { allowHalfOpen: true });
    const ended = new Promise<void>((resolve) => void client.socket.once('end', () => resolve()));
    client.socket.write('garbage\n');
    await ended;
    const errors: Error[] = [];
    client.socket.on('error', (error) => errors.push(error));
    await new Promise<void>((resolve) => void client.socket.write('more', () => resolve()));
    await callOnce(dataDir);
    expect([errors, client.lines().length]).toEqual([[], 1]);
    client.socket.write(Buffer.alloc(300_000));
    await client.closed;
  });

  test('a client that never goes is left after a second', async () => {
    const time = createManualTime();
    const { dataDir, server } = await socketAgent({ timers: time.timers });
    const client = await socketClient(dataDir, { allowHalfOpen: true });
    client.socket.write('garbage\n');
    await eventually(() => time.pendingMs.includes(1_000));
    time.advance(1_000);
    await eventually(() => time.pendingMs.length === 0);
    client.socket.write('more', () => client.socket.destroy());
    await client.closed;
    await server.close();
  });

  test('half a line and then the end is no request', async () => {
    const { dataDir } = await socketAgent();
    const client = await socketClient(dataDir);
    client.socket.end('{"command":"test.echo"}');
    await client.closed;
    expect(client.lines()).toMatchObject([{ error: { code: 'CONTROL_INVALID' } }]);
  });

  test('100 MB without a line feed are cut after 64 KiB, and cost no memory', async () => {
    const { dataDir } = await socketAgent();
    const client = await socketClient(dataDir);
    const piece = Buffer.alloc(2 ** 20, 'x');
    let sentBytes = 0;
    const pour = () => {
      while (sentBytes < 100e6 && !client.socket.destroyed) {
        sentBytes += piece.length;
        if (!client.socket.write(piece)) return void client.socket.once('drain', pour);
      }
    };
    const before = process.memoryUsage().arrayBuffers;
    pour();
    await client.closed;
    expect(client.socket.bytesWritten).toBeGreaterThan(64 * 1024);
    expect(sentBytes).toBeLessThan(100e6);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20e6);
    await callOnce(dataDir);
  });

  test('a client that never reads is waited for, cut in the end, and nothing piles up meanwhile', async () => {
    const time = createManualTime();
    const outcome = deferred<unknown>();
    let writtenBytes = 0;
    const { dataDir } = await socketAgent({
      timers: time.timers,
      handlers: {
        ...echo,
        'test.pour': async (_given, _peer, write) => {
          try {
            for (;;) {
              await write(new Uint8Array(100_000));
              writtenBytes += 100_000;
            }
          } catch (fault) {
            outcome.resolve(fault);
            throw fault;
          }
        },
      },
    });
    const client = await socketClient(dataDir);
    client.socket.pause();
    client.socket.write('{"command":"test.pour"}\n');
    await eventually(() => time.pendingMs.includes(30_000));
    await callOnce(dataDir);
    expect(writtenBytes).toBeLessThan(2e6);
    time.advance(30_000);
    expect(await outcome.promise).toMatchObject({ code: 'CONTROL_INVALID' });
    client.socket.resume();
    await client.closed;
  });

  test('a handler that does not wait for its chunks is stopped at a megabyte', async () => {
    const outcome = deferred<unknown>();
    const { dataDir } = await socketAgent({
      handlers: {
        'test.pour': async (_given, _peer, write) => {
          const sent = Array.from({ length: 1000 }, () => write(new Uint8Array(40_000)));
          const all = await Promise.allSettled(sent);
          outcome.resolve(all.filter(({ status }) => status === 'rejected').length);
        },
      },
    });
    const client = await socketClient(dataDir);
    client.socket.pause();
    client.socket.write('{"command":"test.pour"}\n');
    expect(await outcome.promise).toBeGreaterThan(900);
    client.socket.resume();
    await client.closed;
    expect(client.text().length).toBeLessThan(2 * 2 ** 20);
  });

  test('a client that goes away in the middle is no trouble, and its command runs to its end', async () => {
    const begun = deferred<void>();
    const go = deferred<void>();
    const ended = deferred<string>();
    const { dataDir } = await socketAgent({
      handlers: {
        ...echo,
        'test.slow': async () => {
          begun.resolve();
          await go.promise;
          ended.resolve('to its end');
        },
      },
    });
    const client = await socketClient(dataDir);
    client.socket.write('{"command":"test.slow"}\n');
    await begun.promise;
    client.socket.destroy();
    await client.closed;
    go.resolve();
    expect(await ended.promise).toBe('to its end');
    await callOnce(dataDir);
  });
});
