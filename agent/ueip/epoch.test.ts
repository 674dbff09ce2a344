import { expect, test } from 'vitest';
import { watchedRandom } from '../test/fakes/seeded-random.ts';
import { createEpochs } from './epoch.ts';

test('the key is zeroed in the very memory it was drawn into, as soon as it has been used', () => {
  const { random, given } = watchedRandom('key');
  const { keys, epochs } = recording(random);
  epochs.at('2027-03-01');
  expect(given.map(({ was }) => was.length)).toEqual([32, 8]);
  expect(keys).toEqual([given[0]?.was]);
  expect(given[0]?.memory).toEqual(new Uint8Array(32));
});

test('the key is zeroed also where it could not be used', () => {
  const { random, given } = watchedRandom('failure');
  const epochs = createEpochs<{ wipe(): void }>({
    random,
    begin: () => {
      throw new TypeError('no use');
    },
  });
  expect(() => epochs.at('2027-03-01')).toThrow('no use');
  expect(given[0]?.memory).toEqual(new Uint8Array(32));
});

test.each([
  ['midnight', '2027-03-02'],
  ['a clock set back to yesterday', '2027-02-28'],
  ['a clock that jumps by years', '2040-01-01'],
])('%s ends the epoch', (_, date) => {
  const { random } = watchedRandom('date');
  const { keys, wiped, epochs } = recording(random);
  const first = epochs.at('2027-03-01');
  expect(epochs.at('2027-03-01')).toBe(first);
  expect(wiped).toEqual([]);
  epochs.keepOnly('2027-03-01');
  expect(wiped).toEqual([]);
  epochs.keepOnly(date);
  expect(wiped).toEqual([first.content.name]);
  const second = epochs.at(date);
  expect(second.id).not.toBe(first.id);
  expect(keys[1]).not.toEqual(keys[0]);
  expect([first.id, second.id].every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
});

test('coming back to an earlier date does not bring its epoch back', () => {
  const { epochs } = recording(watchedRandom('back').random);
  const first = epochs.at('2027-03-01').id;
  epochs.at('2027-03-02');
  expect(epochs.at('2027-03-01').id).not.toBe(first);
});

test('after the end the same date has another key', () => {
  const { keys, wiped, epochs } = recording(watchedRandom('end').random);
  epochs.at('2027-03-01');
  epochs.end();
  epochs.end();
  expect(wiped).toHaveLength(1);
  epochs.at('2027-03-01');
  expect(keys[1]).not.toEqual(keys[0]);
});

function recording(random: (sizeBytes: number) => Uint8Array) {
  const keys: Uint8Array[] = [];
  const wiped: number[] = [];
  const epochs = createEpochs({
    random,
    begin(key) {
      const name = keys.push(key.slice());
      return { name, wipe: () => void wiped.push(name) };
    },
  });
  return { keys, wiped, epochs };
}
