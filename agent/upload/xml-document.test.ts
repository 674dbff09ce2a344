import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { childrenOf, escapedXml, readXml, textAt } from './xml-document.ts';

test('elements, their text, and where they stand', () => {
  const root = readXml(
    '<?xml version="1.0" encoding="UTF-8"?>\n<A xmlns="http://x/y">\n <B>1</B><B> two </B><C/>\n</A>\n',
  );
  if (!root) throw new Error('it was not read');
  expect(root.name).toBe('A');
  expect(childrenOf(root, 'B').map(({ text }) => text)).toEqual(['1', 'two']);
  expect(textAt(root, 'C')).toBe('');
  expect(textAt(root, 'D')).toBeUndefined();
  expect(textAt(root, 'B'), 'there are two').toBeUndefined();
});

test('what was escaped is read back', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(readXml(`<A>${escapedXml(text)}</A>`)?.text).toBe(text.trim());
    }),
  );
  expect(readXml('<A>&quot;x&apos;&#34;</A>')?.text).toBe('"x\'"');
});

describe('is refused, not read around', () => {
  test.each([
    ['a document type', '<!DOCTYPE A [<!ENTITY x "y">]><A>&x;</A>'],
    ['an entity of its own', '<A>&x;</A>'],
    ['a reference by number', '<A>&#65;</A>'],
    ['an ampersand', '<A>a & b</A>'],
    ['a comment', '<A><!-- x --></A>'],
    ['a section', '<A><![CDATA[x]]></A>'],
    ['text beside elements', '<A>x<B/></A>'],
    ['text beside the root', '<A/>x'],
    ['two roots', '<A/><B/>'],
    ['no root', ''],
    ['crossed tags', '<A><B></A></B>'],
    ['an open tag', '<A><B></B>'],
    ['a closing tag too many', '<A></A></A>'],
    ['a broken tag', '<A><'],
    ['an attribute without quotes', '<A b=c/>'],
    ['a page that somebody else answers with', '<html><p>Sign in<br></p></html>'],
    ['more depth than any of them has', `${'<A>'.repeat(40)}${'</A>'.repeat(40)}`],
  ])('%s', (_what, document) => {
    expect(readXml(document)).toBeUndefined();
  });

  test('whatever comes, it says something and comes to an end', () => {
    const pieces = fc.constantFrom('<A>', '</A>', '<B/>', 'x', '&lt;', '&', '<', '>', '<!--', ' ');
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const read = readXml(parts.join(''));
        expect(read === undefined || read.name === 'A' || read.name === 'B').toBe(true);
      }),
    );
    expect(readXml('<A>'.repeat(20_000))).toBeUndefined();
    expect(readXml(`<A ${'b="c" '.repeat(5000)}`)).toBeUndefined();
  });
});
