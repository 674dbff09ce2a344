/** One version of the improvement programme's notice. The texts are bundled; a host may bring its own. */
export type Policy = {
  /** '2026-11': letters, digits, dots, dashes. */
  readonly version: string;
  /** Of the text as it is bundled, its placeholders unfilled; in hex. */
  readonly textSha256: string;
  /** What it changes against the one before it needs new consent. The first version is material. */
  readonly material: boolean;
  /** Milliseconds since 1970. Before that the version before it is in force. */
  readonly effectiveAt: number;
};
