import { createHash, X509Certificate } from 'node:crypto';
import { isIP, connect as openTcp, type Socket } from 'node:net';
import {
  checkServerIdentity,
  createSecureContext,
  connect as openTls,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { AgentError } from '../../errors.ts';
import { reasonOf } from '../files/file-fault.ts';
import { socketEvent } from '../process/socket-event.ts';
import { openTunnel } from './proxy-tunnel.ts';
import { ConnectionFault } from './transport-fault.ts';

export type SecureOptions = {
  /** PEM, instead of the authorities that come with Node; undefined: those. */
  readonly ca: readonly string[] | undefined;
  /** PEM; undefined: this server must not know who asks. */
  readonly client: { readonly cert: string; readonly key: string } | undefined;
  /** SHA-256 of the server's public key (SubjectPublicKeyInfo), base64; none: any that the authorities vouch for. */
  readonly pins: readonly string[];
  /** `http://host:port`; null: straight. Nothing of the environment counts. */
  readonly proxy: string | null;
};

export type Trust = Pick<SecureOptions, 'pins' | 'proxy'> & { readonly context: SecureContext };

/** @throws CREDENTIALS_INVALID: a certificate, or a key that is not its own */
export function trustOf({ ca, client, pins, proxy }: SecureOptions): Trust {
  const authorities = ca && { ca: [...ca] };
  try {
    // OpenSSL takes no notice of authorities that are none, and then trusts nobody.
    if (ca !== undefined) for (const each of ca) new X509Certificate(each);
    const context = createSecureContext({ minVersion: 'TLSv1.2', ...authorities, ...client });
    return { context, pins, proxy };
  } catch (cause) {
    const message = `cloud.ca, cloud.certificate or cloud.key is of no use (${reasonOf(cause)})`;
    throw new AgentError('CREDENTIALS_INVALID', message);
  }
}

/**
 * Opens TLS 1.2 or newer to a server whose certificate, name and pin are right. There is one way to TLS, straight or
 * through a proxy, so that nothing that holds for the one can be forgotten for the other. `onSocket` is told of
 * every TCP socket when it is made. `signal` ends the attempt, with its reason.
 */
export async function openSecure(
  trust: Trust,
  to: { readonly hostname: string; readonly port: number },
  { signal, onSocket }: { readonly signal: AbortSignal; onSocket(socket: Socket): void },
): Promise<TLSSocket> {
  const lower = await openLower(trust, to, { signal, onSocket });
  const { hostname } = to;
  const socket = openTls({
    socket: lower,
    // Without it the certificate would be compared with 'localhost'.
    host: hostname,
    ...(isIP(hostname) === 0 && { servername: hostname }),
    secureContext: trust.context,
    ALPNProtocols: ['http/1.1'],
    checkServerIdentity: (name, certificate) =>
      checkServerIdentity(name, certificate) ?? pinFault(trust.pins, certificate),
  });
  // The last word of a connection that nobody waits for any more.
  socket.on('error', () => {});
  await socketEvent(socket, 'secureConnect', signal);
  // The environment can make Node go on with a certificate that is not right.
  if (!socket.authorized) {
    socket.destroy();
    throw new ConnectionFault('certificate', `${hostname}: ${socket.authorizationError}`);
  }
  return socket;
}

async function openLower(
  { proxy }: Trust,
  to: { readonly hostname: string; readonly port: number },
  around: { readonly signal: AbortSignal; onSocket(socket: Socket): void },
): Promise<Socket> {
  if (proxy !== null) return openTunnel(new URL(proxy), to, around);
  const socket = openTcp({ host: to.hostname, port: to.port, noDelay: true });
  around.onSocket(socket);
  await socketEvent(socket, 'connect', around.signal);
  return socket;
}

/**
 * Only the server's own certificate counts: what else it sends along is not proved to belong to it. To tie a device to
 * an authority, name that in `cloud.ca`.
 */
function pinFault(pins: readonly string[], { raw }: PeerCertificate): Error | undefined {
  if (pins.length === 0) return undefined;
  const key = new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' });
  const pin = createHash('sha256').update(key).digest('base64');
  return pins.includes(pin)
    ? undefined
    : new ConnectionFault('certificate', 'the server has another key than is pinned');
}
