import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Generation } from '../ports.ts';
import {
  beginRenewal,
  currentGeneration,
  isLive,
  nextGeneration,
  sameGeneration,
  settledOn,
  withEnded,
} from './generation.ts';
import { changedGenerations, takesTemplates } from './generation-changes.ts';

const a = 'a'.repeat(64);
const b = 'b'.repeat(64);
const names = (all: readonly Generation[]) =>
  all.map(({ modelSha256, version, retirement, endedAt, wrappedKey }) => {
    const state = endedAt !== null ? 'ended' : retirement ? 'retiring' : 'stays';
    return `${modelSha256[0]}${version} ${state}${wrappedKey ? ' foreign' : ''}`;
  });
const first = nextGeneration([], a, 1000);

test('before the first enrolment version 1 is the one to come', () => {
  expect(currentGeneration([], a, 1000)).toEqual({
    modelSha256: a,
    version: 1,
    startedAt: 1000,
    wrappedKey: null,
    retirement: null,
    endedAt: null,
  });
});

test('a renewal begins the next version and puts everything before it on its way out', () => {
  const all = beginRenewal([first, nextGeneration([], b, 1)], a, 2000, 30);
  expect(names(all)).toEqual(['a1 retiring', 'b1 retiring', 'a2 stays']);
  expect(all[0]?.retirement).toEqual({ since: 2000, graceDays: 30, daysSeen: 0, lastDay: 0 });
  expect(currentGeneration(all, a, 0).version).toBe(2);
});

test('a second renewal is refused while the first is under way, and only then', () => {
  const all = beginRenewal([first], a, 2000, 30);
  expect(() => beginRenewal(all, a, 3000, 30)).toThrow(
    expect.objectContaining({
      code: 'RENEWAL_REFUSED',
      message: expect.stringContaining('since 1970-01-01'),
    }),
  );
  const ended = withEnded(all, ({ retirement }) => retirement !== null, 3000);
  expect(names(beginRenewal(ended, a, 4000, 30))).toEqual(['a1 ended', 'a2 retiring', 'a3 stays']);
  const foreign = { ...nextGeneration([first], a, 1), wrappedKey: new Uint8Array(60) };
  const restored = [first, { ...foreign, retirement: all[0]?.retirement ?? null }];
  expect(names(beginRenewal(restored, a, 4000, 30))).toEqual([
    'a1 retiring',
    'a2 retiring foreign',
    'a3 stays',
  ]);
});

test('a change of model is a renewal, and going back takes the earlier templates back', () => {
  const there = settledOn([first], b, 2000, 30);
  expect(names(there)).toEqual(['a1 retiring', 'b1 stays']);
  expect(names(settledOn(there, a, 3000, 30))).toEqual(['a1 stays', 'b1 retiring']);
});

test('a door that starts with the model it had changes nothing', () => {
  const all = beginRenewal([first], a, 2000, 30);
  expect(changedGenerations(all, settledOn(all, a, 9000, 30))).toEqual([]);
});

test("templates that came with a backup are never the current ones, and get no company: their key is not this device's", () => {
  const foreign = { ...nextGeneration([first], a, 1), wrappedKey: new Uint8Array(60) };
  expect(currentGeneration([first, foreign], a, 5)).toBe(first);
  expect(currentGeneration([foreign], a, 5).version).toBe(3);
  expect([takesTemplates(first), takesTemplates(foreign)]).toEqual([true, false]);
});

test('whatever is done in whatever order, a version is used once, and the door works with one generation', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('renew'), model: fc.constantFrom(a, b) }),
    fc.record({ kind: fc.constant('settle'), model: fc.constantFrom(a, b) }),
    fc.record({ kind: fc.constant('end'), model: fc.constantFrom(a, b) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      let all: readonly Generation[] = [];
      const seen = new Set<string>();
      steps.forEach(({ kind, model }, at) => {
        const before = all;
        if (kind === 'end') all = withEnded(all, ({ retirement }) => retirement !== null, at);
        else if (kind === 'settle') all = settledOn(all, model, at, 30);
        else if (!all.some((each) => each.retirement)) all = beginRenewal(all, model, at, 30);
        // Throws where one was left out, or has begun again.
        changedGenerations(before, all);
        for (const each of all.filter((one) => !before.some((old) => sameGeneration(old, one)))) {
          const name = `${each.modelSha256} ${each.version}`;
          expect(seen.has(name)).toBe(false);
          seen.add(name);
        }
        if (kind === 'settle') {
          const stays = all.filter((each) => isLive(each) && !each.retirement);
          expect(stays.map(({ modelSha256 }) => modelSha256)).toEqual([model]);
        }
        for (const each of all) if (!isLive(each)) expect(each.wrappedKey).toBeNull();
      });
    }),
  );
});

test('a generation that is left out, or begins again, is a programming mistake', () => {
  const ended = withEnded([first], () => true, 5);
  expect(() => changedGenerations([first], [])).toThrow(TypeError);
  expect(() => changedGenerations(ended, [first])).toThrow(TypeError);
  expect(
    changedGenerations(
      ended,
      ended.map((each) => ({ ...each })),
    ),
  ).toEqual([]);
});
