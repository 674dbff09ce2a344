import type { HolderEnd, HolderWord, StartHolder } from '../../io/relay/start-holder.ts';

export type FakeHolder = {
  readonly startHolder: StartHolder;
  /** What every holder since the beginning was told: 'start', 'pulse 300', 'release', 'SIGTERM'. */
  readonly told: readonly string[];
  say(word: HolderWord): void;
  end(end?: Partial<HolderEnd>): void;
};

/** The process that holds the relay's line, played by the test; `obeys`: it answers each pulse at once. */
export function createFakeHolder({ obeys = false } = {}): FakeHolder {
  const told: string[] = [];
  let say: (word: HolderWord) => void = () => {};
  let end: (end: HolderEnd) => void = () => {};

  return {
    startHolder: ({ onWord, onEnd }) => {
      told.push('start');
      say = onWord;
      end = onEnd;
      if (obeys) queueMicrotask(() => onWord('ready'));
      return {
        pulse: (holdMs) => {
          told.push(`pulse ${holdMs}`);
          if (obeys) queueMicrotask(() => onWord('high'));
        },
        release: () => {
          told.push('release');
          if (obeys) queueMicrotask(() => onEnd({ exitCode: 0, reason: '' }));
        },
        kill: (signal) => void told.push(signal),
      };
    },
    told,
    say: (word) => say(word),
    end: (given = {}) => end({ exitCode: null, reason: '', ...given }),
  };
}
