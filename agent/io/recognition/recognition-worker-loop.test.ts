import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import type { Frame } from '../../vision/frame.ts';
import { serveRecognition, type ToWorker } from './recognition-worker-loop.ts';

const header = { format: 'grey', width: 16, height: 16, capturedAtMs: 1, sourceId: 'x' } as const;

test('S0-18 the shared slot is zeros again before the answer is sent, whether it is events or an error', async () => {
  for (const isFailing of [false, true]) {
    const slot = new SharedArrayBuffer(512);
    const seen: number[] = [];
    const { ask } = serve(slot, async (frame) => {
      seen.push(frame.data[255] ?? 0);
      if (isFailing) throw new Error('no');
      return ['event'];
    });
    new Uint8Array(slot, 0, 256).fill(0xca);
    const answer = await ask({ kind: 'recognise', header: { ...header, sizeBytes: 256 } });
    expect(answer).toMatchObject({ kind: isFailing ? 'failed' : 'recognised' });
    expect(seen).toEqual([0xca]);
    expect(new Uint8Array(slot).includes(0xca)).toBe(false);
  }
});

test('an answer that cannot cross the boundary is an error, not a silence', async () => {
  const { ask } = serve(new SharedArrayBuffer(256), async () => [() => {}]);
  const answer = await ask({ kind: 'recognise', header: { ...header, sizeBytes: 256 } });
  expect(answer).toMatchObject({ kind: 'failed', fault: { code: 'INTERNAL' } });
});

test('closing waits for the frame at work, then closes the recogniser, then the port', async () => {
  const order: string[] = [];
  const { main } = serve(
    new SharedArrayBuffer(256),
    async () => {
      await new Promise((resolve) => setImmediate(resolve));
      order.push('frame');
      return [];
    },
    () => order.push('recogniser closed'),
  );
  const closed = once(main, 'close');
  main.start();
  const frame = { kind: 'recognise', header: { ...header, sizeBytes: 256 } } satisfies ToWorker;
  main.postMessage(frame);
  main.postMessage({ kind: 'close' } satisfies ToWorker);
  await closed;
  expect(order).toEqual(['frame', 'recogniser closed']);
});

function serve(
  slot: SharedArrayBuffer,
  recognise: (frame: Frame) => Promise<readonly unknown[]>,
  onClose = () => {},
) {
  const { port1: main, port2: worker } = new MessageChannel();
  onTestFinished(() => main.close());
  const close = async () => onClose();
  const served = serveRecognition(worker, async () => ({ recognise, forget: () => {}, close }));
  main.postMessage({ kind: 'slot', slot } satisfies ToWorker);
  const ask = async (message: ToWorker): Promise<unknown> => {
    await served;
    await once(main, 'message');
    main.postMessage(message);
    return (await once(main, 'message'))[0];
  };
  return { ask, main };
}
