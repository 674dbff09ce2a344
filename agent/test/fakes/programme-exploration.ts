import type { Programme } from '../../consent/consent.ts';
import { invariants } from './programme-invariants.ts';
import { moves } from './programme-moves.ts';
import { type Device, firstWorld, type Limits, type World } from './programme-world.ts';

export type Exploration = {
  readonly states: number;
  readonly transitions: number;
  /** The first invariant that does not hold, and the shortest way there. */
  readonly violation: { readonly invariant: string; readonly path: readonly string[] } | undefined;
  /** Moves that were made at least once. */
  readonly made: ReadonlySet<string>;
};

type Seen = { readonly world: World; readonly from: number; readonly by: string };

/** Breadth first: every world that can be reached within the limits, up to the first violation. */
export function explore(device: Device, limits: Limits): Exploration {
  const nameOf = createNames();
  const seen: Seen[] = [{ world: firstWorld, from: -1, by: 'start' }];
  const known = new Set([nameOf(firstWorld)]);
  const made = new Set<string>();
  let transitions = 0;
  const result = (violation?: Exploration['violation']): Exploration => ({
    states: seen.length,
    transitions,
    violation,
    made,
  });
  for (let from = 0; from < seen.length; from++) {
    const { world } = seen[from] ?? { world: firstWorld };
    const broken = Object.entries(invariants).find(([, holds]) => !holds(world));
    if (broken) return result({ invariant: broken[0], path: pathTo(seen, from) });
    for (const { name, to } of moves) {
      for (const next of to(world, device, limits)) {
        transitions++;
        made.add(name);
        const key = nameOf(next);
        if (known.has(key)) continue;
        known.add(key);
        seen.push({ world: next, from, by: name });
      }
    }
  }
  return result();
}

function pathTo(seen: readonly Seen[], last: number): readonly string[] {
  const path: string[] = [];
  for (let at = last; at > 0; at = seen[at]?.from ?? 0) path.unshift(seen[at]?.by ?? '');
  return path;
}

/**
 * The same name for worlds that differ in nothing that matters. Of the sequence numbers only their order among the
 * programmes of one world does. The parts are numbered, once each: most worlds share most of them.
 */
function createNames(): (world: World) => string {
  const numbers = new Map<string, number>();
  const known = new WeakMap<object, number>();
  const numberOf = (
    part: object | undefined,
    without: Readonly<Record<string, undefined>> = {},
  ) => {
    if (part === undefined) return 0;
    const before = known.get(part);
    if (before !== undefined) return before;
    const content = JSON.stringify({ ...part, ...without });
    const number = numbers.get(content) ?? numbers.size + 1;
    numbers.set(content, number);
    known.set(part, number);
    return number;
  };
  const ofProgramme = (programme: Programme | undefined) =>
    numberOf(programme, { sequence: undefined });
  return (world) => {
    const { disk, memory, saving, flight } = world;
    const programmes = [disk[0], disk[1], memory, saving?.programme];
    let least = Number.POSITIVE_INFINITY;
    for (const each of programmes) if (each && each.sequence < least) least = each.sequence;
    const ofProgrammes = programmes.map((each) =>
      each ? `${each.sequence - least}:${ofProgramme(each)}` : '',
    );
    const parts = [world.rows, world.outbox, world.held, world.chore, world.wire, world.cloud];
    return [
      ...ofProgrammes,
      saving && [saving.first, saving.done, saving.then, saving.about],
      flight && [flight.phase, numberOf(flight.batch), ofProgramme(flight.begunUnder)],
      ...parts.map((part) => numberOf(part)),
      ...[world.erased, world.truth, world.used].map((part) => numberOf(part)),
      world.key,
      world.isListening,
      world.policy,
      world.region,
      world.day,
    ].join('|');
  };
}
