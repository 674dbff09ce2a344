import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { createLatestFrame } from './latest-frame.ts';

const spec = { format: 'grey', width: 16, height: 16 } as const;
const pixelsOf = (value: number) => new Uint8Array(256).fill(value);

test('frames of a whole day live in the same three buffers', async () => {
  const slot = createLatestFrame(spec, 'camera');
  const seen = new Set<Uint8Array>();
  for (let i = 0; i < 1000; i++) {
    seen.add(slot.filling);
    slot.offer(pixelsOf(i & 255), i);
    if (i % 3 === 0) seen.add((await slot.next())?.data ?? new Uint8Array());
  }
  expect(seen.size).toBe(3);
});

test('whatever the order of camera and consumer, every frame is taken, dropped or still waiting', async () => {
  const steps = fc.array(fc.constantFrom('offer', 'take'), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(steps, async (order) => {
      const slot = createLatestFrame(spec, 'camera');
      let offered = 0;
      let taken = 0;
      let newest = 0;
      for (const step of order) {
        if (step === 'offer') slot.offer(pixelsOf(++offered), offered);
        else if (newest < offered) {
          newest = offered;
          taken++;
          expect((await slot.next())?.data).toEqual(pixelsOf(newest));
        }
      }
      expect(taken + slot.dropped + (newest < offered ? 1 : 0)).toBe(offered);
    }),
  );
});

test('S0-18 closing overwrites the frame that is being filled, the one that is ready and the one lent', async () => {
  const slot = createLatestFrame(spec, 'camera');
  slot.offer(pixelsOf(1), 1);
  const lent = (await slot.next())?.data;
  const ready = slot.filling;
  slot.offer(pixelsOf(2), 2);
  const filling = slot.filling;
  filling.fill(3);
  expect([lent, ready, filling]).toEqual([pixelsOf(1), pixelsOf(2), pixelsOf(3)]);
  slot.close();
  expect([lent, ready, filling]).toEqual([pixelsOf(0), pixelsOf(0), pixelsOf(0)]);
});

test('S0-18 the half frame of a camera that was lost is overwritten', () => {
  const slot = createLatestFrame(spec, 'camera');
  const { filling } = slot;
  filling.fill(3, 0, 100);
  slot.fail(new AgentError('SOURCE_LOST', 'gone'));
  expect(filling).toEqual(pixelsOf(0));
});

test('after the end, a frame that still comes is not handed out', async () => {
  const slot = createLatestFrame(spec, 'camera');
  slot.end();
  slot.offer(pixelsOf(1), 1);
  expect(await slot.next()).toBeUndefined();
});

test('the first reason stays: an end after a failure changes nothing', async () => {
  const slot = createLatestFrame(spec, 'camera');
  slot.fail(new AgentError('SOURCE_LOST', 'first'));
  slot.end();
  slot.fail(new AgentError('SOURCE_LOST', 'second'));
  await expect(slot.next()).rejects.toThrow('first');
});

test('two who wait at once are a programming mistake', async () => {
  const slot = createLatestFrame(spec, 'camera');
  const waiting = slot.next();
  await expect(slot.next()).rejects.toThrow(TypeError);
  slot.close();
  await waiting;
});

test('a frame of another size is a programming mistake', () => {
  const slot = createLatestFrame(spec, 'camera');
  expect(() => slot.offer(new Uint8Array(255), 0)).toThrow('255 bytes was offered, not 256');
});
