import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AgentError } from '../errors.ts';
import { parseLabel, parseResidentId } from './resident-text.ts';

test.each(['ann', 'Flat-4.b_2', 'a', '7', 'x'.repeat(64)])('%s is an id', (id) => {
  expect(parseResidentId(id)).toBe(id);
});

test.each([
  ['', 'the id "" is empty'],
  ['x'.repeat(65), `the id "${'x'.repeat(40)}"… has 65 characters, 64 at most`],
  ['a b', 'the id "a b" holds other'],
  ['../etc', 'the id "../etc" holds other'],
  ['ann\n', 'the id "ann\\n" holds other'],
  ['\u001b[2Jé', 'the id "\\u001b[2Jé" holds other'],
  ['\u202eann\u009b', 'the id "\\u{202e}ann\\u{9b}" holds other'],
  ['"', 'the id "\\"" holds other'],
])('%j is no id, and is shown so that it can do no harm', (text, message) => {
  expect(() => parseResidentId(text)).toThrow(AgentError);
  expect(() => parseResidentId(text)).toThrow(
    expect.objectContaining({
      code: 'SUBJECT_ID_INVALID',
      message: expect.stringContaining(message),
    }),
  );
});

test('whatever is given as an id, the answer is the id or one printable line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 90 }), (text) => {
      const message = messageOf(() => parseResidentId(text));
      if (message === undefined) expect(text).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
      else expect(message).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
    }),
  );
});

test.each([
  ['  Grandma ', 'Grandma'],
  ['with  glasses', 'with  glasses'],
  ['', null],
  [' \t ', null],
  ['e\u0301', '\u00e9'],
  ['👩‍👧 نمی\u200cدانم', '👩‍👧 نمی\u200cدانم'],
  ['😀'.repeat(64), '😀'.repeat(64)],
])('the label %j is kept as %j', (text, label) => {
  expect(parseLabel(text)).toBe(label);
});

test.each(['a\nb', 'a\0', '\u202eevil', 'a\u2028b', '\ud800', 'x'.repeat(65)])(
  '%j is no label',
  (text) => {
    expect(() => parseLabel(text)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
  },
);

function messageOf(work: () => unknown): string | undefined {
  try {
    work();
  } catch (error) {
    return error instanceof AgentError ? error.message : `not an AgentError: ${error}`;
  }
  return undefined;
}
