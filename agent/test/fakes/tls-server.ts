import { createServer, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { type Certificates, certificates } from '../../../fixtures/cloud/certificates.ts';

export type TlsServer = {
  readonly port: number;
  readonly made: Certificates;
  /** Connections that got through the handshake. */
  readonly sockets: readonly TLSSocket[];
};

/** Speaks TLS on this machine until the test is over; what it does with a connection is up to the test. */
export async function tlsServer(
  onSocket: (socket: TLSSocket) => void,
  options: { readonly maxVersion?: 'TLSv1.2'; readonly address?: string } = {},
): Promise<TlsServer> {
  const { address: host = '127.0.0.1', ...versions } = options;
  const made = await certificates();
  const sockets: TLSSocket[] = [];
  const server = createServer({ ...made.cloud.right, ...versions }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    onSocket(socket);
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: address.port, made, sockets };
}
