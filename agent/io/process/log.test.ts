import { expect, test, vi } from 'vitest';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { createLog, type LogFields, type LogLevel, logFields } from './log.ts';

const { clock } = createManualTime(Date.UTC(2026, 0, 2, 3, 4, 5));

test('a program gets one JSON line per event', () => {
  const { lines, log } = logOf({});
  log.warn('source-restarted', { source: 'exec', attempt: 2, exitCode: 1 });
  expect(lines).toEqual([
    '{"at":"2026-01-02T03:04:05.000Z","level":"warn","event":"source-restarted","source":"exec","attempt":2,"exitCode":1}\n',
  ]);
});

test('a person gets a sentence', () => {
  const { lines, log } = logOf({ human: true });
  log.error('source-lost', { code: 'SOURCE_LOST' });
  log.info('agent-stopped');
  expect(lines).toEqual([
    '03:04:05 error no more frames: the door stays closed code=SOURCE_LOST\n',
    '03:04:05 info  doorkeep has stopped\n',
  ]);
});

test('what is below the level is not written', () => {
  const { lines, log } = logOf({ level: 'warn' });
  log.debug('health');
  log.info('health');
  log.warn('health');
  log.error('health');
  expect(lines.map((line) => JSON.parse(line).level)).toEqual(['warn', 'error']);
});

test('S2-5 S3-13 no address, name, path or message of another program gets into the log', () => {
  const smuggled = JSON.parse(`{
    "frames": 3, "name": "Anna Example", "path": "/media/anna.jpg", "__proto__": {"ip": "192.0.2.7"},
    "source": "rtsp://192.0.2.7/live", "code": "Anna", "attempt": "192.0.2.7", "exitCode": {"a": "Anna"},
    "elapsedMs": null, "toString": "Anna", "message": "connect ECONNREFUSED 192.0.2.7:554"
  }`);
  const { lines, log } = logOf({});
  log.error('source-lost', smuggled);
  expect(lines).toEqual([
    '{"at":"2026-01-02T03:04:05.000Z","level":"error","event":"source-lost","frames":3}\n',
  ]);
});

test('S2-5 an event that is not in the list is a programming mistake', () => {
  const { lines, log } = logOf({});
  const name = JSON.parse('"Anna Example came home"');
  expect(() => log.info(name)).toThrow(TypeError);
  expect(() => log.info(JSON.parse('"toString"'))).toThrow(TypeError);
  expect(lines).toEqual([]);
});

test('S2-5 every field of the log has a purpose, and none may hold free text', () => {
  for (const [name, { type, purpose }] of Object.entries(logFields)) {
    expect(purpose, name).toMatch(/\w{3}/);
    expect(type === 'number' || type.length > 0, name).toBe(true);
  }
});

test('S2-5 every declared field is written as it was given', () => {
  const fields = Object.fromEntries(
    Object.entries(logFields).map(([name, { type }]) => [name, type === 'number' ? 4.5 : type[0]]),
  );
  const { lines, log } = logOf({});
  log.info('health', JSON.parse(JSON.stringify(fields)) satisfies LogFields);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject(fields);
});

test('without being told otherwise it writes to stderr: stdout is for results', () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const stdout = vi.spyOn(process.stdout, 'write');
  createLog({ level: 'info', clock, human: false }).info('agent-started');
  expect(written.mock.calls.flat().join('')).toContain('agent-started');
  expect(stdout).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

function logOf({ level = 'debug', human = false }: { level?: LogLevel; human?: boolean }) {
  const lines: string[] = [];
  return { lines, log: createLog({ level, clock, human, write: (line) => lines.push(line) }) };
}
