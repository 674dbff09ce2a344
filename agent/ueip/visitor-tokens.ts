import type { Kernels } from '../ports.ts';
import { type Allocate, ordinaryMemory } from '../template/secret-memory.ts';
import type { Marker } from './attempt-rows.ts';
import { createEpochs } from './epoch.ts';
import type { RandomBytes } from './random.ts';
import { createVisitors } from './visitors.ts';

/**
 * A token by chance for each visitor of an epoch. Who is who is decided here, so not one bit of the face
 * leaves; the next epoch knows nobody. An epoch also ends when a newcomer finds no room in it.
 */
export function createVisitorTokens(options: {
  readonly dimensions: number;
  readonly kernels: Pick<Kernels, 'project' | 'hammingTopK'>;
  readonly random: RandomBytes;
  readonly allocate?: Allocate;
}): Marker {
  const { dimensions, kernels, random, allocate = ordinaryMemory } = options;
  const epochs = createEpochs({
    random,
    begin(key) {
      const visitors = createVisitors({ key, dimensions, kernels, allocate });
      const tokens: Uint8Array[] = [];
      return {
        tokenOf(values: Float32Array): Uint8Array | undefined {
          const row = visitors.rowOf(values);
          if (row === undefined) return undefined;
          tokens[row] ??= random(tokenBytes);
          return tokens[row];
        },
        wipe() {
          visitors.wipe();
          for (const token of tokens) token.fill(0);
        },
      };
    },
  });

  function inNewEpoch(localDate: string, values: Float32Array) {
    epochs.end();
    const { id: epoch, content } = epochs.at(localDate);
    return { epoch, token: content.tokenOf(values) };
  }
  return {
    mark(localDate, values) {
      const { id: epoch, content } = epochs.at(localDate);
      if (values === undefined) return { kind: 'visitor', epoch, visitor: null };
      const token = content.tokenOf(values);
      const found = token ? { epoch, token } : inNewEpoch(localDate, values);
      return { kind: 'visitor', epoch: found.epoch, visitor: copy(found.token) };
    },
    keepOnly: epochs.keepOnly,
    end: epochs.end,
  };
}

/** Eight bytes: two visitors of an epoch draw the same with a chance below 2^-50. */
const tokenBytes = 8;

/** Not slice(): of a Buffer it would share the memory that the epoch zeroes. */
function copy(token: Uint8Array | undefined): Uint8Array | null {
  return token ? new Uint8Array(token) : null;
}
