import { describe, expect, test } from 'vitest';
import { sha256Hex } from '../io/files/digests.ts';
import { buildsOf } from './builds.ts';

const used = {
  agentVersion: '1.22.3',
  detectionSha256: '0123456789abcdef'.repeat(4),
  embeddingSha256: 'fedcba9876543210'.repeat(4),
  padSha256: ['aaaabbbbccccdddd'.repeat(4)],
};

test('a build is told by versions and the first twelve digits of digests', () => {
  expect(buildsOf(used, sha256Hex)).toEqual({
    agent_version: '1.22.3',
    detection_model: '0123456789ab',
    embedding_model: 'fedcba987654',
    pad_model: 'aaaabbbbcccc',
  });
});

test('no detector of attacks is told as none, several as one', () => {
  const of = (...padSha256: string[]) => buildsOf({ ...used, padSha256 }, sha256Hex).pad_model;
  const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];
  expect(of()).toBeNull();
  expect(of(a, b)).toBe(sha256Hex(new TextEncoder().encode(a + b)).slice(0, 12));
  expect(of(a, b)).not.toBe(of(b, a));
});

describe('S0-23 a text in place of a version or a digest is refused, and not repeated', () => {
  test.each([
    { agentVersion: 'doorkeep of Zoe' },
    { agentVersion: '1.0-zoe' },
    { detectionSha256: 'Zoe, third floor' },
    { embeddingSha256: '' },
    { padSha256: ['Zoe'] },
  ])('%j', (changes) => {
    const refused = () => buildsOf({ ...used, ...changes }, sha256Hex);
    expect(refused).toThrow(TypeError);
    expect(refused).not.toThrow(/zoe/i);
  });
});
