import { AgentError } from '../../errors.ts';
import { isLive, sameGeneration } from '../../gallery/generation.ts';
import { begunBy, changedGenerations, takesTemplates } from '../../gallery/generation-changes.ts';
import type {
  GalleryStore,
  Generation,
  Resident,
  SealedTemplate,
  TemplateCount,
  Tombstone,
} from '../../ports.ts';

/** The contract of GalleryStore in memory, for tests that are not about files. */
export function memoryGalleryStore(): GalleryStore {
  const residents = new Map<string, Resident>();
  let templates: SealedTemplate[] = [];
  let generations: Generation[] = [];
  let tombstones: Tombstone[] = [];
  let changes = 0;
  const copy = (template: SealedTemplate) => ({ ...template, sealed: template.sealed.slice() });
  const checkRowIds = (added: readonly SealedTemplate[]) => {
    const rowIds = [...templates, ...added].map(({ rowId }) => rowId);
    if (new Set(rowIds).size < rowIds.length) throw new Error('a row id is taken');
  };
  const put = (changed: readonly Generation[]) => {
    for (const each of changed) {
      const at = generations.findIndex((old) => sameGeneration(old, each));
      if (at < 0) generations.push(each);
      else generations[at] = each;
      if (isLive(each)) continue;
      templates = templates.filter((template) => !sameGeneration(template, each));
    }
  };
  return {
    residents: () => [...residents.values()],
    resident: (id) => residents.get(id),
    templatesOf: (id) => templates.filter(({ residentId }) => residentId === id).map(copy),
    templates: (model) => templates.filter(({ modelSha256 }) => modelSha256 === model).map(copy),
    countTemplates() {
      const groups = Map.groupBy(
        templates,
        (t) => `${t.modelSha256} ${`${t.version}`.padStart(16)}`,
      );
      return [...groups]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .flatMap(([, group]) =>
          group.slice(0, 1).map(({ modelSha256, version }) => ({
            modelSha256,
            version,
            templates: group.length,
          })),
        );
    },
    templateCounts() {
      const counts: TemplateCount[] = [];
      for (const residentId of residents.keys()) {
        const own = templates.filter((template) => template.residentId === residentId);
        const groups = Map.groupBy(own, (t) => `${t.modelSha256} ${t.version}`);
        for (const [, group] of groups) {
          const [{ modelSha256, version } = { modelSha256: '', version: 0 }] = group;
          counts.push({ residentId, modelSha256, version, templates: group.length });
        }
      }
      return counts;
    },
    generations: () => [...generations],
    updateGenerations(update) {
      const changed = changedGenerations(generations, update([...generations]));
      put(changed);
      if (changed.length > 0) changes++;
    },
    enrol({ id, label }, added, addedAt) {
      if (added.some(({ residentId }) => residentId !== id)) {
        throw new TypeError('a template can only be enrolled with its own resident');
      }
      checkRowIds(added);
      put(begunBy(added, generations, addedAt));
      if (!residents.has(id)) residents.set(id, { id, label, enrolledAt: addedAt });
      templates = [...templates, ...added.map(copy)];
      changes++;
    },
    addTemplate(template, { most, apartMs }) {
      const live = generations.some(
        (each) => sameGeneration(each, template) && takesTemplates(each),
      );
      if (!live || !residents.has(template.residentId)) return false;
      const there = templates.filter(
        (each) => each.residentId === template.residentId && sameGeneration(each, template),
      );
      const isNear = ({ createdAt }: SealedTemplate) =>
        Math.abs(createdAt - template.createdAt) < apartMs;
      if (there.length >= most || there.some(isNear)) return false;
      checkRowIds([template]);
      templates = [...templates, copy(template)];
      changes++;
      return true;
    },
    restore(restored) {
      const taken =
        restored.residents.some(({ id }) => residents.has(id)) ||
        restored.generations.some((added) => generations.some((g) => sameGeneration(g, added)));
      if (taken) throw new AgentError('STORE_FAILED', 'some of it is here by now');
      checkRowIds(restored.templates);
      put(restored.generations);
      for (const each of restored.residents) residents.set(each.id, each);
      templates = [...templates, ...restored.templates.map(copy)];
      changes++;
    },
    erase(id, tombstone) {
      if (!residents.delete(id)) return false;
      templates = templates.filter(({ residentId }) => residentId !== id);
      if (tombstone) tombstones = [...tombstones, tombstone];
      changes++;
      return true;
    },
    tombstones: () => tombstones,
    eraseAll(erasedAt) {
      const erased = residents.size;
      residents.clear();
      templates = [];
      tombstones = [];
      generations = generations.map((each) =>
        isLive(each) ? { ...each, wrappedKey: null, retirement: null, endedAt: erasedAt } : each,
      );
      changes++;
      return erased;
    },
    scrub: () => true,
    revision: () => changes,
    close() {},
  };
}
