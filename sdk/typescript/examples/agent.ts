// A word counter for hire: A2A 1.0 over JSON-RPC, with nothing but Node and the provider kit. It registers itself, goes
// online, beats, and answers NEXUS alone.
//
//   NEXUS_API_KEY=nxk_… node dist/examples/agent.js     (NEXUS_URL and PORT if they are others)

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';

import { Nexus } from '../src/index.js';
import { Provider } from '../src/provider.js';

interface Part {
  text?: string;
  data?: { text?: string };
}

interface Task {
  id: string;
  contextId: string;
  status: { state: string };
  artifacts: { artifactId: string; name: string; parts: unknown[] }[];
}

const tasks = new Map<string, Task>();

/** Counts the words of a message. Asked the same twice, as after a lost connection, it answers with the same task. */
function count(message: { messageId: string; parts: Part[] }): Task {
  const known = tasks.get(message.messageId);
  if (known) return known;
  const text = message.parts.map((part) => part.text ?? part.data?.text ?? '').join(' ');
  const words = text.match(/[\p{L}\p{N}'’-]+/gu) ?? [];
  const different = new Set(words.map((word) => word.toLowerCase())).size;
  const task: Task = {
    id: message.messageId,
    contextId: message.messageId,
    status: { state: 'TASK_STATE_COMPLETED' },
    artifacts: [
      {
        artifactId: 'count',
        name: 'count',
        parts: [{ text: `${words.length} words, ${different} different` }, { data: { words: words.length, different } }],
      },
    ],
  };
  tasks.set(task.id, task);
  return task;
}

/** A JSON-RPC request, answered. */
function answer(request: { method: string; params: never }): { result: unknown } | { error: unknown } {
  const params = request.params as { id: string; message: { messageId: string; parts: Part[] } };
  switch (request.method) {
    case 'SendMessage':
      return { result: { task: count(params.message) } };
    case 'GetTask': {
      const task = tasks.get(params.id);
      return task ? { result: task } : { error: { code: -32001, message: 'there is no such task' } };
    }
    case 'CancelTask':
      return { error: { code: -32002, message: 'the task has ended' } };
    default:
      return { error: { code: -32601, message: `${request.method} is not a method of this agent` } };
  }
}

function card(address: string) {
  return {
    name: 'Word counter (TypeScript)',
    description: 'Counts the words of a text.',
    version: '1.0.0',
    supportedInterfaces: [{ url: address, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
    capabilities: { extensions: [{ uri: 'urn:nexus:a2a:pricing:1', params: { creditsPerTask: '2.00' } }] },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain', 'application/json'],
    skills: [{ id: 'count', name: 'Count words', description: 'How many words, and how many different ones.', tags: ['text'] }],
  };
}

let provider: Provider | undefined;

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const send = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  if (request.method === 'GET' && request.url === '/.well-known/agent-card.json') return send(200, card(address));
  const body = await buffer(request);
  // Not registered yet: NEXUS comes again.
  if (!provider) return send(503, { message: 'starting' });
  try {
    provider.verify(request.headers, body);
  } catch {
    return send(401, { message: 'NEXUS alone may call this agent' });
  }
  const rpc = JSON.parse(body.toString()) as { id: unknown; method: string; params: never };
  send(200, { jsonrpc: '2.0', id: rpc.id, ...answer(rpc) });
}

const server = createServer((request, response) => {
  serve(request, response).catch(() => response.writeHead(400).end());
});
await new Promise<void>((ready) => server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', ready));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

const nexus = new Nexus();
provider = await Provider.open(nexus, {
  file: process.env.AGENT_FILE ?? 'word-counter.json',
  agent: { cardUrl: `${address}.well-known/agent-card.json` },
});
const listed = await provider.goOnline(nexus, { message: 'one two three', skillId: 'count' });
provider.start({ onError: (error) => console.error('no heartbeat:', error) });
console.log(`online as ${listed.id}: ${listed.url}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void provider?.stop().finally(() => process.exit());
  });
}
