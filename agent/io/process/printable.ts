/** What others say of themselves (a device, a child process), fit for a line of ours: no control characters. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').trim();
}
