import { createHash } from 'node:crypto';
import { expect, test, vi } from 'vitest';
import fixture from '../../fixtures/templates/ufc1.json' with { type: 'json' };
import { createCoder } from './coder.ts';
import { project } from './projection.ts';

vi.mock('node:crypto', async (original) => ({
  ...(await original<typeof import('node:crypto')>()),
  hash: (name: string, input: Uint8Array) =>
    createHash(name, { outputLength: 32 }).update(input).digest(),
}));

test('a Node whose one-call hash knows no length gives the same codes', () => {
  for (const { dimensions, bits, key, embeddings, codes } of fixture.cases) {
    const kernels = { project };
    const coder = createCoder({ key: Buffer.from(key, 'hex'), dimensions, bits, kernels });
    const made = embeddings.map((values) =>
      Buffer.from(coder.encode(Float32Array.from(values)).code).toString('hex'),
    );
    expect(made).toEqual(codes);
  }
});
