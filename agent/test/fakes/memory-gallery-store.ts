import type { GalleryStore, Resident, SealedTemplate } from '../../ports.ts';

/** The contract of GalleryStore in memory, for tests that are not about files. */
export function memoryGalleryStore(): GalleryStore {
  const residents = new Map<string, Resident>();
  let templates: SealedTemplate[] = [];
  let changes = 0;
  const copy = (template: SealedTemplate) => ({ ...template, sealed: template.sealed.slice() });
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
    enrol({ id, label }, added, addedAt) {
      if (added.some(({ residentId }) => residentId !== id)) {
        throw new TypeError('a template can only be enrolled with its own resident');
      }
      const rowIds = [...templates, ...added].map(({ rowId }) => rowId);
      if (new Set(rowIds).size < rowIds.length) throw new Error('a row id is taken');
      if (!residents.has(id)) residents.set(id, { id, label, enrolledAt: addedAt });
      templates = [...templates, ...added.map(copy)];
      changes++;
    },
    erase(id) {
      if (!residents.delete(id)) return false;
      templates = templates.filter(({ residentId }) => residentId !== id);
      changes++;
      return true;
    },
    scrub: () => true,
    revision: () => changes,
    close() {},
  };
}
