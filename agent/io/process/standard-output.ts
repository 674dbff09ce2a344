/**
 * Bytes as they are, for whatever reads standard output; resolves when it has taken them. A reader who has gone is
 * no fault: letReaderGo (terminal.ts) sees to it.
 */
export function writeOut(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => void process.stdout.write(bytes, () => resolve()));
}
