/** "2026-11-22 07:15 UTC" */
export function minute(wallMs: number): string {
  return `${new Date(wallMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** "412 KiB" */
export function bytesText(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} bytes`;
  if (sizeBytes < 1024 ** 2) return `${Math.round(sizeBytes / 1024)} KiB`;
  return `${(sizeBytes / 1024 ** 2).toFixed(1)} MiB`;
}
