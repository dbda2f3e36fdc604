// What the tests need of a live server, an agent to hire, and a proxy that fails on purpose. scripts/test-sdks sets the environment.

import { mkdtemp } from 'node:fs/promises';
import { createServer, request as forward, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';

import { Nexus } from '../src/index.js';
import { Provider } from '../src/provider.js';

function setting(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run scripts/test-sdks`);
  return value;
}

export const baseUrl = setting('NEXUS_URL');
export const owner = new Nexus({ apiKey: setting('NEXUS_OWNER_KEY'), baseUrl });
export const buyer = new Nexus({ apiKey: setting('NEXUS_BUYER_KEY'), baseUrl });

export const buyerThrough = (address: string, options: { timeoutMs?: number; maxRetries?: number } = {}) =>
  new Nexus({ apiKey: setting('NEXUS_BUYER_KEY'), baseUrl: address, ...options });

export async function listen(server: Server): Promise<string> {
  // A test that fails before it closes its server does not keep the others waiting.
  server.on('connection', (socket) => socket.unref()).unref();
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

export function close(server: Server): void {
  server.close();
  server.closeAllConnections();
}

interface Message {
  messageId: string;
  taskId?: string;
  parts: { text?: string }[];
}

interface Known {
  words: string[];
  polls: number;
  parts: unknown[];
}

/** An agent that does as the first word says: `slow N`, `ask`, `fail`; anything else comes back part for part. */
export class TestAgent {
  readonly server: Server;
  calls = 0;
  private readonly known = new Map<string, Known>();
  private provider: Provider | undefined;
  agentId = '';

  private constructor() {
    this.server = createServer((request, response) => void this.serve(request, response));
  }

  /** One that is listed, at a price. */
  static async listed(priceCredits: string): Promise<TestAgent> {
    const agent = new TestAgent();
    const endpoint = await listen(agent.server);
    const file = join(await mkdtemp(join(tmpdir(), 'nexus-sdk-')), 'agent.json');
    const skills = [{ id: 'do', name: 'Do' }];
    const listing = { name: 'Test agent', description: 'For tests.', endpoint, skills, priceCredits, tags: ['sdk-test'] };
    agent.provider = await Provider.open(owner, { file, agent: listing });
    agent.agentId = agent.provider.agentId;
    await agent.provider.goOnline(owner, { message: 'hello' });
    return agent;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request);
    try {
      this.provider!.verify(request.headers, body);
    } catch {
      response.writeHead(401).end();
      return;
    }
    const { id, method, params } = JSON.parse(body.toString());
    let result: unknown;
    if (method === 'SendMessage') {
      this.calls += 1;
      result = { task: this.begin(params.message) };
    } else if (method === 'GetTask' && this.known.has(params.id)) {
      this.known.get(params.id)!.polls += 1;
      result = this.task(params.id);
    }
    const answer = result ? { result } : { error: { code: -32001, message: 'unknown' } };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
  }

  private begin(message: Message) {
    const text = message.parts.find((part) => part.text)?.text ?? '';
    const id = message.taskId ?? message.messageId;
    this.known.set(id, { words: message.taskId ? ['heard', text] : text.split(' '), polls: 0, parts: message.parts });
    return this.task(id);
  }

  private task(id: string) {
    const { words, polls, parts } = this.known.get(id)!;
    const said = (text: string) => ({ messageId: `${id}-${polls}`, role: 'ROLE_AGENT', parts: [{ text }] });
    const status = (state: string, text: string) => ({ state: `TASK_STATE_${state}`, message: said(text) });
    const task = { id, contextId: id };
    if (words[0] === 'slow' && polls < Number(words[1])) return { ...task, status: status('WORKING', `step ${polls}`) };
    if (words[0] === 'ask') return { ...task, status: status('INPUT_REQUIRED', 'which colour?') };
    if (words[0] === 'fail') return { ...task, status: status('FAILED', 'as you wish') };
    const made = words[0] === 'heard' ? [{ text: words.join(' ') }] : parts;
    return { ...task, status: { state: 'TASK_STATE_COMPLETED' }, artifacts: [{ artifactId: 'a', name: 'answer', parts: made }] };
  }
}

/** What a proxy does with an answer. */
export interface Tampering {
  /** The answer is lost: the server did it, the client does not hear of it. */
  lose?: boolean;
  /** The connection is cut after so many bytes of the body. */
  cutAfter?: number;
}

/** A proxy before NEXUS. `tamper` sees the number of the request from 1. */
export async function proxy(tamper: (request: IncomingMessage, n: number) => Tampering): Promise<{ server: Server; url: string; seen: IncomingMessage[] }> {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    seen.push(request);
    const { lose, cutAfter } = tamper(request, seen.length);
    const headers = { ...request.headers, host: new URL(baseUrl).host, connection: 'close' };
    const upstream = forward(`${baseUrl}${request.url}`, { method: request.method, headers }, (answer) => {
      if (lose) {
        answer.resume().on('end', () => request.socket.destroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      let left = cutAfter ?? Infinity;
      // What was written must get out before the cut.
      const cut = () => setTimeout(() => request.socket.destroy(), 20);
      answer.on('data', (chunk: Buffer) => {
        if (left > 0) response.write(chunk.subarray(0, left));
        if (left > 0 && left <= chunk.length) cut();
        left -= chunk.length;
      });
      answer.on('end', () => (left > 0 ? response.end() : undefined));
      response.on('close', () => answer.destroy());
    });
    request.pipe(upstream);
    upstream.on('error', () => request.socket.destroy());
  });
  return { server, url: await listen(server), seen };
}
