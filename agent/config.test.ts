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

  describe('of the cloud', () => {
    const grant = {
      mode: 'grant',
      region: 'eu-central-1',
      url: 'https://cloud.example',
      certificate: '/etc/doorkeep/device.pem',
      key: '/etc/doorkeep/device.key',
      hosts: ['aliyuncs.com', 'store.example:8443'],
    };
    const direct = {
      mode: 'direct',
      region: 'eu-central-1',
      endpoint: 'https://my-bucket.oss-eu-central-1.aliyuncs.com',
      bucket: 'my-bucket',
      credentials: '/etc/doorkeep/credentials.json',
    };
    const faultsOf = (cloud: Record<string, unknown>) => {
      try {
        readSettings({ cloud }, 'door.json');
      } catch (fault) {
        return fault instanceof AgentError ? fault.message : String(fault);
      }
      return 'none';
    };

    test('S0-1 a fresh device sends nothing to anybody', () => {
      expect(presets['cloud.mode']).toBeNull();
    });

    test('each way is complete or refused, and everything that it lacks is named', () => {
      expect(faultsOf(grant)).toBe('none');
      expect(faultsOf(direct)).toBe('none');
      expect(faultsOf({ mode: 'grant' })).toBe(
        'door.json: cloud.region: needed with cloud.mode grant; cloud.url: needed with cloud.mode grant; ' +
          'cloud.certificate: needed with cloud.mode grant; cloud.key: needed with cloud.mode grant; ' +
          'cloud.hosts: needed with cloud.mode grant',
      );
      expect(faultsOf({ mode: 'direct', region: 'x' })).toBe(
        'door.json: cloud.endpoint: needed with cloud.mode direct; cloud.bucket: needed with cloud.mode direct; ' +
          'cloud.credentials: needed with cloud.mode direct',
      );
      expect(faultsOf({ ...direct, region: 'oss-eu-central-1' })).toMatch(/without 'oss-'/);
      expect(faultsOf({ ...grant, pins: [`${'A'.repeat(43)}=`] })).toMatch(/name a reserve/);
    });

    test.each([
      'http://cloud.example',
      'HTTPS://cloud.example',
      'https://user:word@cloud.example',
      'https://cloud.example/',
      'https://cloud.example/path',
      'https://cloud.example:port',
      'https://cloud.example\\@evil.example',
      'https://',
      'cloud.example',
    ])('S0-9 %s is no address of a cloud, and none of a bucket', (address) => {
      expect(faultsOf({ ...grant, url: address })).toMatch(/cloud.url: expected https/);
      expect(faultsOf({ ...direct, endpoint: address })).toMatch(/cloud.endpoint: expected https/);
    });

    test.each(['socks5://proxy:1080', 'https://proxy:8080', 'http://user:word@proxy', 'proxy'])(
      '%s is no proxy that is known',
      (proxy) => {
        expect(faultsOf({ ...grant, proxy })).toMatch(/cloud.proxy: expected http:/);
      },
    );

    test('S0-5 an allow-list of hosts names domains, not patterns', () => {
      for (const host of ['*', '*.example', '.example', 'https://example', 'example/', '']) {
        expect(faultsOf({ ...grant, hosts: [host] })).toMatch(/cloud.hosts\[0\]: expected/);
      }
    });
  });
});
