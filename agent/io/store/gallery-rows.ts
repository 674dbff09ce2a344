import type { GalleryStore, Resident, SealedTemplate } from '../../ports.ts';
import { damage } from './sqlite.ts';

/** resident (its seq), row_id, label, model_sha256, version, sealed, created_at */
export type TemplateRow = [
  resident: number | bigint,
  rowId: string,
  label: string | null,
  modelSha256: string,
  version: number,
  sealed: Uint8Array,
  createdAt: number,
];

export function toRow(resident: number | bigint, template: SealedTemplate): TemplateRow {
  const { rowId, label, modelSha256, version, sealed, createdAt } = template;
  return [resident, rowId, label, modelSha256, version, sealed, createdAt];
}

export function toSeq(row: unknown): number {
  return whole(row, 'seq');
}

export function toResident(row: unknown): Resident {
  return {
    id: text(row, 'id'),
    label: textOrNull(row, 'label'),
    enrolledAt: whole(row, 'enrolled_at'),
  };
}

export function toTemplate(row: unknown): SealedTemplate {
  return {
    rowId: text(row, 'row_id'),
    residentId: text(row, 'resident_id'),
    label: textOrNull(row, 'label'),
    modelSha256: text(row, 'model_sha256'),
    version: whole(row, 'version'),
    sealed: bytes(row, 'sealed'),
    createdAt: whole(row, 'created_at'),
  };
}

export function toCount(row: unknown): ReturnType<GalleryStore['countTemplates']>[number] {
  return {
    modelSha256: text(row, 'model_sha256'),
    version: whole(row, 'version'),
    templates: whole(row, 'templates'),
  };
}

// The tables are STRICT, so a value of another type was never written: a flipped bit has made it.

export function text(row: unknown, column: string): string {
  const value = field(row, column);
  return typeof value === 'string' ? value : damaged(column);
}

function textOrNull(row: unknown, column: string): string | null {
  return field(row, column) === null ? null : text(row, column);
}

export function whole(row: unknown, column: string): number {
  const value = field(row, column);
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : damaged(column);
}

export function wholeOrNull(row: unknown, column: string): number | null {
  return field(row, column) === null ? null : whole(row, column);
}

export function bytes(row: unknown, column: string): Uint8Array {
  const value = field(row, column);
  return value instanceof Uint8Array ? value : damaged(column);
}

export function bytesOrNull(row: unknown, column: string): Uint8Array | null {
  return field(row, column) === null ? null : bytes(row, column);
}

function field(row: unknown, column: string): unknown {
  return isRecord(row) ? row[column] : undefined;
}

function isRecord(row: unknown): row is Record<string, unknown> {
  return typeof row === 'object' && row !== null;
}

function damaged(column: string): never {
  throw damage(`a value in column ${column} is not what was written`);
}
