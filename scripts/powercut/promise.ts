import type { Acknowledgement, Row } from './acknowledgement.ts';

/** What must be so after a power cut, given what the household had been told by then. */
export type Promised = {
  /** Which states of the consent are none undone; 'none': nobody has consented, whether asked or not. */
  readonly consent: readonly ('never-asked' | 'none' | 'granted' | 'withdrawn')[];
  /** Of the grant, if there is one. */
  readonly epoch: number;
  /** As long as the grant stands they are there, as they were. */
  readonly rows: readonly Row[];
  /** What must be nowhere on the medium. */
  readonly gone: readonly string[];
  /** Names of receipts that were handed out. */
  readonly receipts: readonly string[];
  /** How long the device has been running. */
  readonly atMs: number;
};

const beginning: Promised = {
  ...{ consent: ['never-asked'], epoch: 0, rows: [], gone: [], receipts: [], atMs: 1_000 },
};

/** Of acknowledgements in their order. */
export function promisedBy(given: readonly Acknowledgement[]): Promised {
  let toBeGone: readonly string[] = [];
  let promised = beginning;
  for (const each of given) {
    promised = { ...promised, atMs: each.atMs };
    switch (each.what) {
      case 'started':
        break;
      // From here to the answer it is one or the other; torn, it is no consent.
      case 'opting in':
        promised = {
          ...promised,
          consent: ['none', 'granted'],
          epoch: promised.epoch + 1,
          rows: [],
        };
        break;
      case 'granted':
        promised = { ...promised, consent: ['granted'], epoch: each.epoch };
        break;
      case 'stored':
        promised = { ...promised, rows: each.rows };
        break;
      case 'opting out':
        toBeGone = each.markers;
        promised = { ...promised, consent: ['granted', 'none'] };
        break;
      case 'withdrawn':
        promised = {
          ...promised,
          consent: ['withdrawn'],
          rows: [],
          gone: [...promised.gone, ...toBeGone],
          receipts: [...promised.receipts, each.receipt],
        };
    }
  }
  return promised;
}
