import { expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import { createFakeSource } from '../../test/fakes/fake-source.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import type { Frame } from '../../vision/frame.ts';
import { pumpFrames, type SourceLost } from './frame-pump.ts';

type Seen = { readonly kind: 'seen'; readonly value: number };

const { clock } = createManualTime();
const spec = { format: 'grey', width: 16, height: 16 } as const;

test('every frame in which something moves becomes events, in order', async () => {
  const door = setUp({ opensFor: (frame) => frame.data[0] !== 2 });
  for (const value of [1, 2, 3]) await door.show(value);
  door.source.end();
  await door.pump.done;
  expect(door.events).toEqual([seen(1), seen(3)]);
  expect(door.pump.counters()).toEqual({
    frames: 3,
    dropped: 0,
    gated: 1,
    recognised: 2,
    errors: 0,
  });
});

test('once nothing moves any more the visitors are forgotten, once', async () => {
  const door = setUp({ opensFor: (frame) => frame.data[0] === 1 });
  for (const value of [2, 1, 1, 2, 2, 1, 2]) await door.show(value);
  door.source.end();
  await door.pump.done;
  expect(door.rests()).toBe(2);
});

test('while a frame is examined, only the newest of those that come is kept', async () => {
  const door = setUp({
    recognise: async (frame) => {
      if (frame.data[0] === 1) for (const value of [2, 3, 4]) door.source.offer(value);
      return [seen(frame.data[0] ?? 0)];
    },
  });
  await door.show(1);
  door.source.end();
  await door.pump.done;
  expect(door.events).toEqual([seen(1), seen(4)]);
  expect(door.pump.counters().dropped).toBe(2);
});

test('what goes wrong with one frame does not stop the door', async () => {
  const door = setUp({
    recognise: async (frame) => {
      if (frame.data[0] === 2) throw new AgentError('INTERNAL', 'the model failed');
      return [seen(frame.data[0] ?? 0)];
    },
  });
  for (const value of [1, 2, 3]) await door.show(value);
  door.source.end();
  await door.pump.done;
  expect(door.events).toEqual([seen(1), seen(3)]);
  expect(door.pump.counters()).toMatchObject({ frames: 3, recognised: 2, errors: 1 });
  expect(door.errors.map(String)).toEqual(['AgentError: the model failed']);
});

test('an event that cannot be delivered does not take the next one with it', async () => {
  const door = setUp({ recognise: async () => [seen(1), seen(2), seen(3)], refuse: 2 });
  await door.show(1);
  door.source.end();
  await door.pump.done;
  expect(door.events).toEqual([seen(1), seen(3)]);
  expect(door.pump.counters()).toMatchObject({ recognised: 1, errors: 1 });
});

test('a lost source is an event, then the end of the loop; never a decision', async () => {
  const door = setUp({});
  await door.show(1);
  door.source.lose('the cable was cut');
  await expect(door.pump.done).rejects.toMatchObject({ code: 'SOURCE_LOST' });
  expect(door.events).toEqual([
    seen(1),
    {
      kind: 'source-lost',
      sourceId: 'fake',
      error: new AgentError('SOURCE_LOST', 'the cable was cut'),
    },
  ]);
});

test('closing the source ends the loop without an error', async () => {
  const door = setUp({});
  await door.source.close();
  await door.pump.done;
  expect(door.events).toEqual([]);
});

function setUp(parts: {
  opensFor?: (frame: Frame) => boolean;
  recognise?: (frame: Frame) => Promise<readonly Seen[]>;
  refuse?: number;
}) {
  const source = createFakeSource(spec, clock);
  const events: (Seen | SourceLost)[] = [];
  const errors: unknown[] = [];
  let rests = 0;
  const pump = pumpFrames<Seen>({
    source,
    opensFor: parts.opensFor ?? (() => true),
    recognise: parts.recognise ?? (async (frame) => [seen(frame.data[0] ?? 0)]),
    onRest: () => {
      rests++;
    },
    onEvent: (event) => {
      if (event.kind === 'seen' && event.value === parts.refuse) throw new Error('relay is gone');
      events.push(event);
    },
    onError: (error) => errors.push(error),
  });
  const show = async (value: number) => {
    source.offer(value);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return { source, events, errors, pump, show, rests: () => rests };
}

function seen(value: number): Seen {
  return { kind: 'seen', value };
}
