import { request } from 'node:http';
import { isIPv6, type Socket } from 'node:net';
import { ConnectionFault } from './transport-fault.ts';

/** A way through an http proxy (CONNECT) that ends at `to`; what goes through it is TLS, which the proxy cannot read. */
export function openTunnel(
  proxy: URL,
  to: { readonly hostname: string; readonly port: number },
  { signal, onSocket }: { readonly signal: AbortSignal; onSocket(socket: Socket): void },
): Promise<Socket> {
  const target = `${isIPv6(to.hostname) ? `[${to.hostname}]` : to.hostname}:${to.port}`;
  return new Promise((resolve, reject) => {
    const asked = request({
      host: proxy.hostname.replace(/^\[|\]$/g, ''),
      port: proxy.port || 80,
      method: 'CONNECT',
      path: target,
      headers: { host: target },
      agent: false,
      signal,
    });
    asked.on('socket', onSocket);
    asked.on('error', (cause) => reject(signal.aborted ? signal.reason : cause));
    asked.on('connect', (answer, socket, head) => {
      // The server at the other end does not speak first: whatever came already is not from it.
      if (answer.statusCode === 200 && head.length === 0) return resolve(socket);
      socket.destroy();
      const said = `the proxy ${proxy.host} answered ${answer.statusCode} for ${target}`;
      reject(new ConnectionFault('unreachable', said));
    });
    // Something else than an answer to CONNECT.
    asked.on('response', (answer) => {
      answer.destroy();
      reject(new ConnectionFault('unreachable', `the proxy ${proxy.host} does not tunnel`));
    });
    asked.end();
  });
}
