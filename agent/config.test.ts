import { describe, expect, test } from 'vitest';
import { parseAssignment, presets, readSettings, settingTable } from './config.ts';
import { AgentError } from './errors.ts';

describe('settings', () => {
  test('every preset passes its own check', () => {
    for (const [name, { shape, preset }] of Object.entries(settingTable)) {
      const faults: string[] = [];
      expect(shape(preset, name, faults)).toEqual(preset);
      expect(faults).toEqual([]);
    }
  });

  test('nested and flat files mean the same', () => {
    const nested = readSettings({ match: { margin: 0.1 }, track: { frames: 5 } }, 'a');
    const flat = readSettings({ 'match.margin': 0.1, 'track.frames': 5 }, 'b');
    expect(nested).toEqual(flat);
    expect(nested).toEqual({ ...presets, 'match.margin': 0.1, 'track.frames': 5 });
  });

  test('every fault is named at once, with a near name where there is one', () => {
    const faulty = { match: { margn: 0.1 }, 'inference.threads': 9, colour: 'red', models: 3 };
    expect(() => readSettings(faulty, 'door.json')).toThrowError(
      new AgentError(
        'CONFIG_INVALID',
        'door.json: match.margn: unknown, did you mean match.margin?; colour: unknown; ' +
          'models: unknown; inference.threads: expected a whole number from 1 to 4, got 9',
      ),
    );
  });

  test.each([[[]], [null], ['text'], [4]])('a file that holds %j is refused', (value) => {
    expect(() => readSettings(value, 'door.json')).toThrowError(/door.json: expected an object/);
  });

  test('a name inherited from Object is no setting', () => {
    expect(() => readSettings(JSON.parse('{"__proto__": 1}'), 'door.json')).toThrowError(/unknown/);
    expect(() => readSettings({ constructor: 1 }, 'door.json')).toThrowError(/unknown/);
  });

  test('an assignment is JSON, or text that stands for itself', () => {
    expect(parseAssignment('match.margin=0.1')).toEqual({ 'match.margin': 0.1 });
    expect(parseAssignment('models.pad=["a","b"]')).toEqual({ 'models.pad': ['a', 'b'] });
    expect(parseAssignment('models.embedding=mobilefacenet')).toEqual({
      'models.embedding': 'mobilefacenet',
    });
    expect(() => parseAssignment('match.margin')).toThrowError(/NAME=VALUE/);
  });
});
