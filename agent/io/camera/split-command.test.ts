import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitCommand } from './split-command.ts';

test.each([
  ['ffmpeg -i /dev/video0', ['ffmpeg', '-i', '/dev/video0']],
  ['  tool\t--a   --b  ', ['tool', '--a', '--b']],
  [`sh -c 'echo "a b"'`, ['sh', '-c', 'echo "a b"']],
  ['tool --name="a b"c', ['tool', '--name=a bc']],
  [`tool "it\\"s" 'back\\slash'`, ['tool', 'it"s', 'back\\slash']],
  ['tool a\\ b', ['tool', 'a b']],
  [`tool '' ""`, ['tool', '', '']],
  [
    'gst-launch-1.0 v4l2src ! video/x-raw,format=NV12 ! fdsink',
    ['gst-launch-1.0', 'v4l2src', '!', 'video/x-raw,format=NV12', '!', 'fdsink'],
  ],
  ['ffmpeg -i rtsp://door/s?a=1&b=2', ['ffmpeg', '-i', 'rtsp://door/s?a=1&b=2']],
  ["tool '|' \\>", ['tool', '|', '>']],
])('%s', (text, words) => {
  expect(splitCommand(text)).toEqual(words);
});

test('nothing is expanded: $HOME, * and $(…) are only characters', () => {
  expect(splitCommand('tool $HOME * $(reboot) `id`')).toEqual([
    'tool',
    '$HOME',
    '*',
    '$(reboot)',
    '`id`',
  ]);
});

test.each([
  ['', 'the command is empty'],
  ['   ', 'the command is empty'],
  [`tool "a`, 'a quote that is never closed'],
  [`tool 'a`, 'a quote that is never closed'],
  ['tool \\', 'a quote that is never closed'],
  ['a | b', 'the command has "|"'],
  ['a && b', 'the command has "&&"'],
  ['a 2>/dev/null', 'the command has "2>/dev/null"'],
  ['a &', 'the command has "&"'],
])('"%s" is refused', (text, message) => {
  expect(() => splitCommand(text)).toThrow(message);
});

test('any words, put in quotes, come back as they were', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
      const quoted = words.map((word) => `"${word.replace(/["\\]/g, '\\$&')}"`).join(' ');
      expect(splitCommand(quoted)).toEqual(words);
    }),
  );
});
