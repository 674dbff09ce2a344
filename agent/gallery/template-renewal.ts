import type { GalleryStore } from '../ports.ts';
import type { Embedding, Template } from '../template/template.ts';
import { newTemplatesMost } from './coverage.ts';
import { type ConfirmedMatch, freshTemplate } from './fresh-template.ts';
import type { OpenGeneration } from './open-generation.ts';

/**
 * Between two new templates of a resident: another hour of the day, another light, and never three from
 * one visit. In either direction, so that a clock set back stops nothing for long.
 */
export const apartMs = 6 * 3_600_000;

export type RenewalCounters = {
  /** Templates stored; and those that no longer fitted when it came to storing them. */
  readonly stored: number;
  readonly declined: number;
  readonly failed: number;
  /** Of the last failure. */
  readonly lastFault: string | undefined;
};

export type TemplateRenewal = {
  /**
   * What a match makes of it, sealed at once and stored later: takes a projection and the comparison with one
   * resident's templates. Never throws. The embeddings' memory is the caller's.
   */
  offer(match: ConfirmedMatch, embeddings: readonly Embedding[]): void;
  /** Stores what is waiting. Never throws. */
  flush(): void;
  counters(): RenewalCounters;
};

type Waiting = {
  readonly row: Parameters<GalleryStore['addTemplate']>[0];
  readonly template: Template;
};

/** Makes templates of confirmed matches while an older generation is on its way out. */
export function createTemplateRenewal(parts: {
  readonly store: Pick<GalleryStore, 'addTemplate'>;
  readonly open: () => readonly OpenGeneration[];
  readonly wallMs: () => number;
  readonly newRowId: () => string;
  /** Has `flush` called soon, when the event is out. */
  readonly later: (flush: () => void) => void;
  /** Stored, and not yet in the gallery in memory. */
  readonly onStored: (residentId: string, template: Template) => void;
  /** 'STORE_FULL', or what else can be said of an error in a word. */
  readonly nameFault: (fault: unknown) => string;
}): TemplateRenewal {
  const { store, open, wallMs, newRowId, later, onStored, nameFault } = parts;
  let waiting: Waiting[] = [];
  let stored = 0;
  let declined = 0;
  let failed = 0;
  let lastFault: string | undefined;
  const fail = (fault: unknown) => {
    failed++;
    lastFault = nameFault(fault);
  };

  function offer(match: ConfirmedMatch, embeddings: readonly Embedding[]): void {
    const { residentId } = match;
    if (waiting.some(({ row }) => row.residentId === residentId)) return;
    try {
      const fresh = freshTemplate(match, embeddings, open());
      if (!fresh) return;
      const { template, target } = fresh;
      const { modelSha256, version, code } = template;
      const named = { rowId: newRowId(), residentId };
      const sealed = target.protector.seal(code, named);
      const row = { ...named, label: null, modelSha256, version, sealed, createdAt: wallMs() };
      waiting.push({ row, template });
      later(flush);
    } catch (fault) {
      fail(fault);
    }
  }

  function flush(): void {
    const due = waiting;
    waiting = [];
    for (const { row, template } of due) {
      try {
        const fits = store.addTemplate(row, { most: newTemplatesMost, apartMs });
        if (fits) {
          stored++;
          onStored(row.residentId, template);
        } else declined++;
      } catch (fault) {
        fail(fault);
      } finally {
        template.code.fill(0);
      }
    }
  }

  return { offer, flush, counters: () => ({ stored, declined, failed, lastFault }) };
}
