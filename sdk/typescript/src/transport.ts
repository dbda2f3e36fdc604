import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { NexusConnectionError, NexusError, NexusTimeoutError, errorOf } from './errors.js';
import { Pages, type PageBody } from './pages.js';
import { waitBeforeRetry } from './retry.js';

/** What every call takes. */
export interface RequestOptions {
  /** Ends the call, and throws its reason. */
  signal?: AbortSignal;
  /** Milliseconds that one attempt may take; the client's when left out. A `wait` comes on top. */
  timeoutMs?: number;
}

/** What calls take that happen once. */
export interface OnceOptions {
  /** Sent again within 24 hours with this, even by another process, it happens once. A new one for each call when left out. */
  idempotencyKey?: string;
}

/** What changes take. */
export interface MatchOptions {
  /** What you read before, or its entity tag: refused with `StaleError` if it has changed since. */
  ifMatch?: object | string;
}

/** A file of a result. */
export interface TaskFile {
  bytes: Uint8Array;
  filename: string;
}

/** How the client reaches NEXUS. */
export interface TransportOptions {
  apiKey: string | undefined;
  /** The site's address, without a slash at the end. */
  baseUrl: string;
  timeoutMs: number;
  maxRetries: number;
  fetch: typeof fetch;
}

const USER_AGENT = 'nexus-sdk-typescript/0.1.0';
const ANY = '*/*';

type QueryValue = string | number | boolean | readonly (string | number)[] | undefined;

/** A request of an operation. */
export interface Call {
  method: string;
  /** Under `/api/v1`. */
  path: string;
  query?: Record<string, QueryValue>;
  body?: unknown;
  /** Whether it takes an `Idempotency-Key`. */
  once?: boolean;
  headers?: Record<string, string>;
}

type Options = RequestOptions & OnceOptions & MatchOptions & { cursor?: string };

/** Part of a path. */
export function segment(value: string | number): string {
  const text = encodeURIComponent(value);
  // Browsers and servers take dots as steps, and an empty id would be another route.
  if (text === '' || text === '.' || text === '..') throw new TypeError(`${JSON.stringify(value)} cannot be an id`);
  return text;
}

const tags = new WeakMap<object, string>();

/** The entity tag with which something was read. */
export function etagOf(read: object): string | undefined {
  return tags.get(read);
}

/** Sends requests, again where that helps. */
export class Transport {
  constructor(private readonly options: TransportOptions) {}

  /** `data` of the answer. */
  async json<T>(call: Call, options: Options): Promise<T> {
    const response = await this.send(call, options);
    const { data } = response.json as { data: T };
    const tag = response.headers.get('etag');
    if (tag !== null && typeof data === 'object' && data !== null) tags.set(data, tag);
    return data;
  }

  /** An answer without content. */
  async nothing(call: Call, options: Options): Promise<void> {
    await this.send(call, options);
  }

  /** A list. */
  pages<Row, Page extends PageBody<Row>>(call: Call, options: Options): Pages<Row, Page> {
    const fetchPage = async (cursor: string | undefined) => {
      const response = await this.send({ ...call, query: { ...call.query, cursor } }, options);
      return response.json as Page;
    };
    return new Pages(fetchPage, options.cursor);
  }

  /** A file. */
  async file(call: Call, options: Options): Promise<TaskFile> {
    // Uncompressed it comes with its length, and a file that was cut is not taken for whole.
    const headers = { accept: ANY, 'accept-encoding': 'identity' };
    const response = await this.send({ ...call, headers }, options);
    return { bytes: response.bytes, filename: filenameOf(response.headers.get('content-disposition')) };
  }

  /** An answer whose body is still to come. It is asked for once: who reads the body knows where to go on. */
  async open(call: Call, signal: AbortSignal): Promise<Response> {
    const response = await this.fetch(call, signal);
    if (response.ok) return response;
    throw errorOf(response.status, response.headers, await response.text());
  }

  private async send(call: Call, options: Options): Promise<Answer> {
    const headers = { ...call.headers };
    // Made once for all attempts: what the server has done already it does not do again.
    if (call.once) headers['idempotency-key'] = options.idempotencyKey ?? randomUUID();
    if (options.ifMatch !== undefined) headers['if-match'] = matchOf(options.ifMatch);
    const harmless = call.once === true || ['GET', 'PUT', 'DELETE'].includes(call.method);
    for (let n = 1; ; n += 1) {
      try {
        return await this.attempt({ ...call, headers }, options);
      } catch (error) {
        options.signal?.throwIfAborted();
        const wait = n > this.options.maxRetries ? undefined : waitBeforeRetry(error, n, harmless, Math.random());
        if (wait === undefined) throw error;
        await sleep(wait, undefined, { signal: options.signal });
      }
    }
  }

  private async attempt(call: Call, options: Options): Promise<Answer> {
    const wait = typeof call.query?.wait === 'number' ? call.query.wait * 1000 : 0;
    const allowed = (options.timeoutMs ?? this.options.timeoutMs) + wait;
    const clock = AbortSignal.timeout(allowed);
    const signal = options.signal ? AbortSignal.any([options.signal, clock]) : clock;
    try {
      const response = await this.fetch(call, signal);
      const bytes = new Uint8Array(await response.arrayBuffer().catch((error: unknown) => this.broken(error, signal, true)));
      return understood(call, response, bytes);
    } catch (error) {
      if (!clock.aborted || options.signal?.aborted || error instanceof NexusError) throw error;
      throw new NexusTimeoutError(`no answer within ${allowed} ms`, { cause: error });
    }
  }

  private async fetch(call: Call, signal: AbortSignal): Promise<Response> {
    const url = new URL(`${this.options.baseUrl}/api/v1${call.path}`);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      for (const one of Array.isArray(value) ? value : [value]) {
        if (one !== undefined) url.searchParams.append(name, String(one));
      }
    }
    const headers = new Headers({ accept: 'application/json', 'user-agent': USER_AGENT, ...call.headers });
    if (this.options.apiKey) headers.set('authorization', `Bearer ${this.options.apiKey}`);
    if (call.body !== undefined) headers.set('content-type', 'application/json');
    const body = call.body === undefined ? null : JSON.stringify(call.body);
    // NEXUS does not redirect, and a key is not carried elsewhere.
    const sending = this.options.fetch(url, { method: call.method, headers, body, signal, redirect: 'error' });
    return sending.catch((error: unknown) => this.broken(error, signal, !NOT_SENT.has(codeOf(error))));
  }

  /** What `fetch` throws, as an error of ours; what the signal threw, as it is. */
  private broken(error: unknown, signal: AbortSignal, sent: boolean): never {
    if (signal.aborted) throw error;
    const why = error instanceof Error && error.cause instanceof Error ? error.cause.message || codeOf(error) : String(error);
    throw new NexusConnectionError(`NEXUS at ${this.options.baseUrl} was not reached, or broke off: ${why}`, sent, { cause: error });
  }
}

/** An answer, read whole. */
interface Answer {
  headers: Headers;
  bytes: Uint8Array;
  json: unknown;
}

function understood(call: Call, response: Response, bytes: Uint8Array): Answer {
  const { headers, ok, status } = response;
  if (ok && (call.headers?.accept === ANY || status === 204)) return { headers, bytes, json: undefined };
  const text = new TextDecoder().decode(bytes);
  const json = parse(text);
  // What has `data` is an answer: that of /health has it also when NEXUS is not well.
  if (typeof json === 'object' && json !== null && 'data' in json) return { headers, bytes, json };
  if (ok && json === undefined && headers.get('content-type')?.includes('json')) {
    // Node takes a chunked answer for whole that was cut, if the connection was to be closed after it.
    throw new NexusConnectionError('the answer of NEXUS broke off');
  }
  throw errorOf(status, headers, text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What Node says of a connection that was never made: nothing was sent on it. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

function codeOf(error: unknown): string {
  const cause = (error as { cause?: { code?: unknown } } | undefined)?.cause;
  return typeof cause?.code === 'string' ? cause.code : '';
}

function matchOf(wanted: object | string): string {
  const tag = typeof wanted === 'string' ? wanted : etagOf(wanted);
  if (tag === undefined) throw new TypeError('ifMatch must be what get() answered with, or an entity tag');
  return tag;
}

function filenameOf(disposition: string | null): string {
  return /filename="([^"]*)"/.exec(disposition ?? '')?.[1] ?? 'file.bin';
}
