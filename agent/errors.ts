/**
 * What must not happen: one class, one closed list. What may happen (no face, no match, "try again
 * tomorrow") is a union value with `kind` and never comes through here.
 */
export class AgentError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AgentError';
    this.code = code;
  }

  get exitCode(): number {
    return errorTable[this.code].exitCode;
  }

  get hint(): string {
    return errorTable[this.code].hint;
  }
}

/** Every code, its exit status (sysexits.h where one fits) and what the installer can do about it. */
export const errorTable = {
  USAGE: { exitCode: 64, hint: 'see `doorkeep <command> --help`' },
  CONFIG_INVALID: { exitCode: 78, hint: 'correct the settings named above' },
  RUNTIME_TOO_OLD: { exitCode: 69, hint: 'start it with `doorkeep`, which brings its own Node' },
  INPUT_MISSING: { exitCode: 66, hint: 'check the path' },
  INPUT_INVALID: { exitCode: 65, hint: 'check the file or its format' },
  IMAGE_INVALID: { exitCode: 65, hint: 'give a whole JPEG, PNG or WebP picture' },
  IMAGE_TOO_LARGE: { exitCode: 65, hint: 'shrink the picture first' },
  ENROLMENT_REFUSED: { exitCode: 20, hint: 'take a better photo: the reasons say how' },
  SUBJECT_UNKNOWN: { exitCode: 21, hint: '`doorkeep subject list` shows who is enrolled' },
  SUBJECT_EXISTS: { exitCode: 22, hint: 'erase the resident first, or add photos with --add' },
  SUBJECT_ID_INVALID: {
    exitCode: 23,
    hint: 'use 1 to 64 letters, digits, dots, dashes, underscores',
  },
  MODEL_MISSING: {
    exitCode: 30,
    hint: 'run `doorkeep models pull`, or `doorkeep models import FILE`',
  },
  MODEL_CORRUPT: { exitCode: 31, hint: 'pull or import the model again' },
  MODEL_MISMATCH: { exitCode: 32, hint: 'the file is not the model its manifest entry describes' },
  MODEL_UNKNOWN: { exitCode: 33, hint: '`doorkeep models list` shows the names' },
  DOWNLOAD_FAILED: { exitCode: 34, hint: 'check the link, or bring the file and import it' },
  SOURCE_LOST: { exitCode: 40, hint: 'check the camera or the command that brings its frames' },
  STORE_CORRUPT: { exitCode: 50, hint: 'restore a backup, or enrol the residents again' },
  STORE_FULL: { exitCode: 51, hint: 'free space on the data volume' },
  STORE_READ_ONLY: { exitCode: 52, hint: 'mount the data volume writable, or check its owner' },
  STORE_NEWER: { exitCode: 53, hint: 'update doorkeep: the store was written by a newer version' },
  STORE_FAILED: { exitCode: 54, hint: 'check the data volume' },
  KEY_INVALID: { exitCode: 55, hint: 'bring back the key file of this device, or enrol again' },
  GENERATION_ENDED: { exitCode: 56, hint: 'run it again: the template version has changed' },
  RENEWAL_REFUSED: { exitCode: 57, hint: '`doorkeep gallery status` shows who is left' },
  BACKUP_INVALID: {
    exitCode: 58,
    hint: 'check the passphrase, or take another copy of the backup',
  },
  BACKUP_NEWER: { exitCode: 59, hint: 'update doorkeep: the backup was made by a newer version' },
  CONFIRMATION_NEEDED: { exitCode: 60, hint: 'say it with --yes' },
  INSTALL_REFUSED: {
    exitCode: 61,
    hint: '`doorkeep install --dry-run` changes nothing and shows what would be done',
  },
  INSTALL_INCOMPLETE: {
    exitCode: 62,
    hint: 'what was done stays; mend what is named above and run it again',
  },
  CONSENT_REFUSED: { exitCode: 80, hint: '`doorkeep ueip policy show` prints what to accept' },
  DO_NOT_TRACK: { exitCode: 81, hint: 'unset DO_NOT_TRACK first' },
  REGION_MISSING: { exitCode: 82, hint: 'set cloud.region: it has no preset' },
  CLOCK_UNTRUSTED: {
    exitCode: 83,
    hint: 'set the clock of the device, or wait for its time server',
  },
  VOLUME_VOLATILE: {
    exitCode: 84,
    hint: 'put the data directory on flash, or say --allow-volatile',
  },
  ERASURE_INCOMPLETE: {
    exitCode: 85,
    hint: 'the receipt says which step failed; run it again when that is mended',
  },
  RECEIPT_INVALID: {
    exitCode: 86,
    hint: 'this receipt was not made by this device, or was changed',
  },
  LEDGER_BROKEN: { exitCode: 87, hint: 'lines of the history were changed or removed' },
  AGENT_RUNNING: { exitCode: 88, hint: 'one agent per data directory: stop the other one first' },
  AGENT_SILENT: { exitCode: 89, hint: 'the agent holds the data directory but does not answer' },
  CONTROL_REFUSED: { exitCode: 77, hint: 'run it as the user of the agent, or as root' },
  CONTROL_BUSY: { exitCode: 75, hint: 'others are asking the agent: try again' },
  CONTROL_INVALID: { exitCode: 76, hint: 'one JSON object a line; see docs/operations.md' },
  CLOUD_REFUSED: { exitCode: 90, hint: 'docs/cloud.md says what each reason means' },
  CREDENTIALS_INVALID: {
    exitCode: 91,
    hint: 'one regular file of the agent, mode 600, as docs/cloud.md says',
  },
  UNHEALTHY: { exitCode: 71, hint: 'follow the hints above' },
  INTERNAL: { exitCode: 70, hint: 'this is a fault of doorkeep: please report it' },
} as const satisfies Record<string, { exitCode: number; hint: string }>;

export type ErrorCode = keyof typeof errorTable;
