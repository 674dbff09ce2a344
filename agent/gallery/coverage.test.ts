import { expect, test } from 'vitest';
import type { Generation, TemplateCount } from '../ports.ts';
import { afterDailyRound, coverageOf } from './coverage.ts';
import { beginRenewal, isLive, nextGeneration } from './generation.ts';

const model = 'a'.repeat(64);
const dayMs = 86_400_000;
const start = Date.UTC(2026, 5, 1);
const under = (version: number, residentId: string, templates = 1): TemplateCount => ({
  residentId,
  modelSha256: model,
  version,
  templates,
});
const people = ['ann', 'bob', 'cem'].map((id) => ({ id }));
const renewal = () => beginRenewal([nextGeneration([], model, 0)], model, start, 2);
const live = (all: readonly Generation[]) => all.filter(isLive).map(({ version }) => version);

test('who has new templates, who is left, and who has none at all', () => {
  const counts = [under(1, 'ann'), under(1, 'bob'), under(2, 'bob')];
  expect(coverageOf(renewal(), people, counts)).toEqual({
    renewed: ['bob'],
    left: ['ann'],
    needEnrolment: ['cem'],
  });
});

test('templates of a generation that has ended count for nobody', () => {
  const all = renewal().map((each) => (each.version === 1 ? { ...each, endedAt: 1 } : each));
  expect(coverageOf(all, people, [under(1, 'ann')]).needEnrolment).toEqual(['ann', 'bob', 'cem']);
});

test('as soon as everybody has three new templates the old ones go, before the grace is over', () => {
  const three = [under(1, 'ann'), under(2, 'ann', 3), under(1, 'bob', 5), under(2, 'bob', 4)];
  expect(live(afterDailyRound(renewal(), three, start))).toEqual([2]);
  const two = [...three, under(1, 'cem'), under(2, 'cem', 2)];
  expect(live(afterDailyRound(renewal(), two, start))).toEqual([1, 2]);
});

test('when the grace is over the old ones go, whoever is left', () => {
  const counts = [under(1, 'ann')];
  let all = renewal();
  for (const day of [1, 2]) {
    expect(live(all)).toEqual([1, 2]);
    all = afterDailyRound(all, counts, start + day * dayMs);
  }
  expect(live(all)).toEqual([2]);
});

test('a generation that stays never ends by itself', () => {
  const alone = [nextGeneration([], model, 0)];
  expect(afterDailyRound(alone, [], start + 9000 * dayMs)).toEqual(alone);
});
