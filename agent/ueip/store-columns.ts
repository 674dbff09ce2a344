/**
 * The columns of the table `record` on the device. Everything that may leave is in `sealed` (ueip/fields.ts
 * says what); the others are what the device itself needs to keep its promises about a row without opening
 * it. They are never sent.
 */
export const storeColumns = [
  {
    name: 'id',
    // AUTOINCREMENT: a plain rowid is given again once the newest row is gone. Then a batch whose receipt
    // comes late would forget a row that it never held, and a sealed row would fit into another's place.
    type: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    reason: 'names a row to the batch that holds it; in the order in which rows came',
  },
  {
    name: 'epoch',
    type: 'INTEGER NOT NULL CHECK (epoch >= 1)',
    reason: 'number of the grant it was collected under: never sent under another',
  },
  {
    name: 'policy_version',
    type: 'TEXT NOT NULL',
    reason: 'the notice it was collected under: never sent under another',
  },
  {
    name: 'collected_wall_ms',
    type: 'INTEGER NOT NULL',
    reason: 'when its hour or day began, in milliseconds since 1970: the month counts from then',
  },
  {
    name: 'clock_trusted',
    type: 'INTEGER NOT NULL CHECK (clock_trusted IN (0, 1))',
    reason: 'whether that date is believed; if not, the count of days alone decides',
  },
  {
    name: 'run_day',
    type: 'REAL NOT NULL',
    reason:
      "the device's own count of days at that moment: a clock that is not believed cannot change it",
  },
  {
    name: 'sealed',
    type: 'BLOB NOT NULL',
    reason: 'the record as it would leave, encrypted under the key of its grant',
  },
] as const satisfies readonly StoreColumn[];

export type StoreColumn = {
  readonly name: string;
  readonly type: string;
  readonly reason: string;
};

export const createTableSql: string = `CREATE TABLE record (
${storeColumns.map(({ name, type }) => `  ${name} ${type}`).join(',\n')}
) STRICT;`;
