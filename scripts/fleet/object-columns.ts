import type { FieldType } from '../../agent/ueip/field-types.ts';
import { attemptFields, dayFields, type Fields } from '../../agent/ueip/fields.ts';

/** Engines that read the objects as they are. */
export type Dialect = 'duckdb' | 'spark' | 'trino' | 'maxcompute';

type ColumnKind = 'text' | 'whole' | 'flag' | 'date';
export type ObjectColumn = { readonly name: string; readonly kind: ColumnKind };

/**
 * The columns of an object, named and not guessed: an engine that guesses would take a code of digits for a
 * number, and find other columns in every object. A record of one kind has nothing in those of the other.
 */
export function objectColumns(): readonly ObjectColumn[] {
  return columnsOf([attemptFields, dayFields]);
}

/** @throws TypeError: two kinds of records have one name for different things */
export function columnsOf(tables: readonly Fields[]): readonly ObjectColumn[] {
  const columns = new Map<string, ObjectColumn>();
  for (const [name, { type }] of tables.flatMap((table) => Object.entries(table))) {
    const kind = kindOf(type);
    if ((columns.get(name)?.kind ?? kind) !== kind) {
      throw new TypeError(`${name} would be two columns`);
    }
    columns.set(name, { name, kind });
  }
  return [...columns.values()];
}

/** What stands between the brackets of a table's definition. Quoted: `date` and `schema` are words of SQL too. */
export function columnDefinitions(dialect: Exclude<Dialect, 'duckdb'>): string {
  const quote = dialect === 'trino' ? '"' : '`';
  return objectColumns()
    .map(({ name, kind }) => `${quote}${name}${quote} ${typeNames[dialect][kind]}`)
    .join(', ');
}

/** For DuckDB's reader: {'schema': 'VARCHAR', …}. */
export function duckdbColumns(): string {
  const pairs = objectColumns().map(({ name, kind }) => `'${name}': '${typeNames.duckdb[kind]}'`);
  return `{${pairs.join(', ')}}`;
}

function kindOf(type: FieldType): ColumnKind {
  switch (type.kind) {
    case 'or-null':
      return kindOf(type.of);
    case 'whole':
      return 'whole';
    case 'flag':
      return 'flag';
    case 'date':
      return 'date';
    // With its offset: a moment in the zone of the engine would not say any more what the clock of the house did.
    case 'hour':
    case 'words':
    case 'hex':
    case 'version':
      return 'text';
  }
}

const typeNames: Readonly<Record<Dialect, Readonly<Record<ColumnKind, string>>>> = {
  duckdb: { text: 'VARCHAR', whole: 'INTEGER', flag: 'BOOLEAN', date: 'DATE' },
  spark: { text: 'STRING', whole: 'INT', flag: 'BOOLEAN', date: 'DATE' },
  trino: { text: 'varchar', whole: 'integer', flag: 'boolean', date: 'date' },
  maxcompute: { text: 'STRING', whole: 'INT', flag: 'BOOLEAN', date: 'DATE' },
};
