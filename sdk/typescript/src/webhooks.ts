import { createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** Headers, however the server's framework has them. */
export type IncomingHeaders = Headers | IncomingHttpHeaders | Record<string, string | string[] | undefined>;

/** Whoever sent this is not NEXUS, or it is a replay. */
export class SignatureError extends Error {
  override readonly name = 'SignatureError';
}

/** What NEXUS tells. */
export interface WebhookEvent {
  /** The same on every try: whoever keeps it takes no event twice. */
  id: string;
  type: string;
  timestamp: string;
  data: Record<string, unknown>;
}

export interface VerifyOptions {
  /** How far the sender's clock may be off, in seconds, either way; 300 when left out. */
  toleranceSeconds?: number;
  /** Milliseconds since 1970; the clock's when left out. */
  now?: number;
}

/**
 * Checks that NEXUS signed this, as the Standard Webhooks specification says ("Verifying webhooks"). `secrets` are one or
 * more of `whsec_…`; one match is enough, so that a secret can be replaced. `body` is what came, byte for byte.
 */
export function verifySignature(
  secrets: string | readonly string[],
  headers: IncomingHeaders,
  body: string | Uint8Array,
  options: VerifyOptions = {},
): void {
  const [id, timestamp, given] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => {
    const value = headerOf(headers, name);
    if (!value) throw new SignatureError(`the header ${name} is missing`);
    return value;
  }) as [string, string, string];
  if (!/^\d{1,15}$/.test(timestamp)) throw new SignatureError('webhook-timestamp is not a number of seconds');
  const age = Math.abs(Math.floor((options.now ?? Date.now()) / 1000) - Number(timestamp));
  if (age > (options.toleranceSeconds ?? 300)) throw new SignatureError('webhook-timestamp is too far off');
  const signatures = given.split(' ').flatMap((one) => (one.startsWith('v1,') ? [Buffer.from(one.slice(3), 'base64')] : []));
  const wanted = [secrets].flat().map((secret) => mac(secret, id, timestamp, body));
  const matches = wanted.flatMap((one) => signatures.map((other) => one.length === other.length && timingSafeEqual(one, other)));
  if (!matches.includes(true)) throw new SignatureError('webhook-signature does not match');
}

/** Checks that NEXUS sent this webhook, and reads it. */
export function verifyWebhook(
  secrets: string | readonly string[],
  headers: IncomingHeaders,
  body: string | Uint8Array,
  options: VerifyOptions = {},
): WebhookEvent {
  verifySignature(secrets, headers, body, options);
  const event = JSON.parse(Buffer.from(body as Uint8Array).toString()) as Omit<WebhookEvent, 'id'>;
  return { ...event, id: headerOf(headers, 'webhook-id') ?? '' };
}

/** The headers of a request that is signed with `secret`. `seconds` are those since 1970. */
export function sign(secret: string, id: string, seconds: number, body: string | Uint8Array): Record<string, string> {
  const signature = mac(secret, id, String(seconds), body).toString('base64');
  return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': `v1,${signature}` };
}

function mac(secret: string, id: string, timestamp: string, body: string | Uint8Array): Buffer {
  const key = Buffer.from(/^whsec_([A-Za-z0-9+/]+=*)$/.exec(secret)?.[1] ?? '', 'base64');
  // An empty key would let everybody in who knows that it is empty.
  if (key.length === 0) throw new TypeError('a signing secret is whsec_ and base64');
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}

function headerOf(headers: IncomingHeaders, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(entry) ? entry.join(' ') : entry;
}
