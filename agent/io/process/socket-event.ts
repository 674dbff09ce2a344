import type { Socket } from 'node:net';

/** Resolves at the event. Rejects at an error, if it is closed before, or with the reason of the signal; it is closed then. */
export function socketEvent(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (settle: () => void) => () => {
      socket.off(event, onEvent).off('error', onError).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
      settle();
    };
    const fail = (reason: unknown) =>
      over(() => {
        socket.destroy();
        reject(reason);
      })();
    const onEvent = over(resolve);
    const onError = (cause: Error) => fail(cause);
    const onClose = () => fail(closed());
    const onAbort = () => fail(signal.reason);
    socket.once(event, onEvent).once('error', onError).once('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    else if (socket.destroyed) onClose();
  });
}

function closed(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}
