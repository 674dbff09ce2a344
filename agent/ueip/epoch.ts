import type { RandomBytes } from './random.ts';

/** A stretch of at most one local day. What was made under its key is worth nothing to anybody afterwards. */
export type Epoch<T> = {
  /** 16 hex digits, by chance. */
  readonly id: string;
  /** What was made of the key. */
  readonly content: T;
};

export type Epochs<T> = {
  /** The epoch of this local date, begun where there is none. */
  at(localDate: string): Epoch<T>;
  /**
   * Ends the epoch if it is of another date, earlier or later. For a timer: a key must not outlive
   * midnight because nobody rings.
   */
  keepOnly(localDate: string): void;
  /** Ends the epoch, whatever its date. */
  end(): void;
};

/**
 * Epochs whose key is by chance: 32 bytes derived from nothing, written nowhere, and zeroed as soon as
 * `begin` has made of it what it needs, which `wipe` zeroes when the epoch ends. A new object begins
 * a new epoch: so does a process, and so does an opt-in.
 */
export function createEpochs<T extends { wipe(): void }>(options: {
  readonly random: RandomBytes;
  readonly begin: (key: Uint8Array) => T;
}): Epochs<T> {
  const { random, begin } = options;
  let open: (Epoch<T> & { readonly localDate: string }) | undefined;

  function end(): void {
    open?.content.wipe();
    open = undefined;
  }
  function keepOnly(localDate: string): void {
    if (open !== undefined && open.localDate !== localDate) end();
  }
  function fresh(localDate: string) {
    const key = random(keyBytes);
    try {
      const id = Buffer.from(random(idBytes)).toString('hex');
      return { id, localDate, content: begin(key) };
    } finally {
      key.fill(0);
    }
  }
  return {
    at(localDate) {
      keepOnly(localDate);
      open ??= fresh(localDate);
      return open;
    },
    keepOnly,
    end,
  };
}

const keyBytes = 32;
const idBytes = 8;
