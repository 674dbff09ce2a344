/** Calls `stop` at the first SIGINT or SIGTERM; a second one ends the process as usual. Returns how to undo it. */
export function onStopSignal(stop: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const forget = () => {
    for (const signal of signals) process.off(signal, stopped);
  };
  const stopped = () => {
    forget();
    stop();
  };
  for (const signal of signals) process.on(signal, stopped);
  return forget;
}
