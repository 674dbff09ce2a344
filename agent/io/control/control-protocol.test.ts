import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgentError, errorTable } from '../../errors.ts';
import {
  chunkBytes,
  longestLineBytes,
  longestReplyBytes,
  type Reply,
  replyLine,
  replyOf,
  requestLine,
  requestOf,
} from './control-protocol.ts';

const bytesOf = (text: string) => Buffer.from(text);
const withoutEnd = (line: string) => bytesOf(line.slice(0, -1));

test('a request says what, with what, and perhaps which one it is', () => {
  expect(requestOf(bytesOf('{"command":"ueip.status"}'))).toEqual({
    command: 'ueip.status',
    arguments: {},
  });
  const full = { id: 7, command: 'ueip.off', arguments: { verify: true } };
  expect(requestOf(withoutEnd(requestLine(full)))).toEqual(full);
  expect(requestOf(bytesOf('{"id":"a","command":"a","arguments":null}'))).toMatchObject({
    id: 'a',
    arguments: null,
  });
});

test.each([
  ['', 'is not JSON'],
  ['ueip off', 'is not JSON'],
  ['{"command":"ueip.off"', 'is not JSON'],
  ['[]', 'expected an object'],
  ['null', 'expected an object'],
  ['{}', 'command: missing'],
  ['{"command":7}', 'command: expected'],
  ['{"command":""}', 'command: expected'],
  ['{"command":"../../etc"}', 'command: expected'],
  [`{"command":"${'a'.repeat(65)}"}`, 'command: expected'],
  ['{"command":"a","id":{}}', 'id: expected'],
  ['{"command":"a","id":-1}', 'id: expected'],
  [`{"command":"a","id":"${'i'.repeat(65)}"}`, 'id: expected'],
  ['{"command":"a","and":1}', 'and: unknown'],
  ['['.repeat(60_000), 'is not JSON'],
])('%.40s is no request', (line, reason) => {
  expect(() => requestOf(bytesOf(line))).toThrow(
    expect.objectContaining({ code: 'CONTROL_INVALID', message: expect.stringContaining(reason) }),
  );
});

test('bytes that are no UTF-8 are no request, even inside quotes', () => {
  const line = bytesOf('{"command":"a","arguments":"_"}');
  line[line.indexOf('_')] = 0xff;
  expect(() => requestOf(line)).toThrow(expect.objectContaining({ code: 'CONTROL_INVALID' }));
});

test('whatever a line holds, it is a request or CONTROL_INVALID, and nothing else', () => {
  const near = fc.record(
    { command: fc.anything(), arguments: fc.anything(), id: fc.anything(), more: fc.anything() },
    { requiredKeys: [] },
  );
  const line = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json().map(bytesOf),
    near.map((value) => bytesOf(JSON.stringify(value) ?? '')),
  );
  fc.assert(
    fc.property(line, (bytes) => {
      for (const read of [requestOf, replyOf]) {
        try {
          expect(read(bytes)).toBeTypeOf('object');
        } catch (fault) {
          expect(fault).toBeInstanceOf(AgentError);
          if (read === requestOf) expect(fault).toMatchObject({ code: 'CONTROL_INVALID' });
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('replies arrive as they were given', () => {
  const bytes = Uint8Array.of(0, 10, 13, 255);
  const chunk = replyOf(withoutEnd(replyLine(1, { kind: 'chunk', bytes })));
  expect(chunk).toEqual({ kind: 'chunk', bytes: Buffer.from(bytes) });
  const done: Reply = { kind: 'done', value: { line: 'a\nb', list: [null, 1.5] } };
  expect(replyOf(withoutEnd(replyLine(undefined, done)))).toEqual(done);
  for (const code of ['STORE_FULL', 'CONSENT_REFUSED'] as const) {
    const error = new AgentError(code, 'why\nnot');
    const line = replyLine('x', { kind: 'error', error });
    expect(JSON.parse(line)).toEqual({ id: 'x', error: { code, message: 'why\nnot' } });
    expect(replyOf(withoutEnd(line))).toMatchObject({ error: { code, message: 'why\nnot' } });
  }
});

test('a result of nothing is a result', () => {
  expect(replyLine(undefined, { kind: 'done', value: undefined })).toBe('{"done":null}\n');
});

test('every reply is one line within its bound', () => {
  const chunk: Reply = { kind: 'chunk', bytes: new Uint8Array(chunkBytes) };
  expect(replyLine('i'.repeat(64), chunk).length).toBeLessThan(longestLineBytes);
  const value = 'ä'.repeat(longestReplyBytes / 2);
  expect(() => replyLine(undefined, { kind: 'done', value })).toThrow(TypeError);
});

test('an error of a newer agent is told with the words it has', () => {
  expect(replyOf(bytesOf('{"error":{"code":"NEWER","message":"new trouble"}}'))).toMatchObject({
    error: { code: 'INTERNAL', message: 'new trouble' },
  });
  expect(replyOf(bytesOf('{"error":{"code":"toString"}}'))).toMatchObject({
    error: { code: 'INTERNAL' },
  });
  expect(errorTable).not.toHaveProperty('NEWER');
});

test.each(['{"hello":1}', '7', '{"chunk":7}', 'HTTP/1.1 400 Bad Request'])(
  '%s is no reply of an agent',
  (line) => {
    expect(() => replyOf(bytesOf(line))).toThrow(
      expect.objectContaining({ code: 'CONTROL_INVALID' }),
    );
  },
);
