import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { after, before, test } from 'node:test';

import { AgentProtocolError, ConflictError, Nexus, NexusConnectionError, NexusError, NexusTimeoutError, RateLimitError } from '../src/index.js';
import { secondsToWait } from '../src/errors.js';
import { backoff, waitBeforeRetry } from '../src/retry.js';
import { TestAgent, buyer, buyerThrough, close, listen, proxy } from './live.js';

let agent: TestAgent;
before(async () => {
  agent = await TestAgent.listed('1.00');
});
after(() => close(agent.server));

interface Said {
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

/** A server that says these things one after the other, and the last one for ever. */
async function stub(answers: Said[]) {
  const seen: IncomingMessage[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    seen.push(request);
    const { status, headers, body } = answers[Math.min(seen.length, answers.length) - 1]!;
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body ?? {}));
  });
  return { seen, server, nexus: new Nexus({ apiKey: 'nxk_x', baseUrl: await listen(server) }) };
}

const refusal = (code: string) => ({ error: { code, message: code, details: null } });
const account = { data: { id: 'a', name: 'A', email: null, createdAt: '2026-01-01T00:00:00Z' } };

test('too often: it waits as long as it is told, and asks again', async () => {
  const limited = { status: 429, headers: { 'retry-after': '1' }, body: refusal('RATE_LIMIT_EXCEEDED') };
  const { nexus, seen, server } = await stub([limited, { status: 200, body: account }]);
  const begun = Date.now();
  assert.equal((await nexus.account.get()).name, 'A');
  assert.ok(Date.now() - begun >= 1000);
  assert.equal(seen.length, 2);
  close(server);
});

test('a wait that is too long is the caller’s to decide', async () => {
  const limited = { status: 429, headers: { 'retry-after': '3600' }, body: refusal('RATE_LIMIT_EXCEEDED') };
  const { nexus, seen, server } = await stub([limited]);
  await assert.rejects(nexus.account.get(), (error: unknown) => error instanceof RateLimitError && error.retryAfter === 3600);
  assert.equal(seen.length, 1);
  close(server);
});

test('it gives up after three repetitions, all with one idempotency key', async () => {
  const { nexus, seen, server } = await stub([{ status: 503, body: '' }]);
  await assert.rejects(nexus.tasks.create({ agentId: 'a', message: 'x' }), (error: unknown) => error instanceof NexusError && error.status === 503);
  assert.equal(seen.length, 4);
  const keys = new Set(seen.map((request) => request.headers['idempotency-key']));
  assert.equal(keys.size, 1);
  assert.match(String([...keys][0]), /^[0-9a-f-]{36}$/);
  close(server);
});

test('another call has another key, and the caller may choose it', async () => {
  const { nexus, seen, server } = await stub([{ status: 201, body: { data: {} } }]);
  await nexus.keys.create({ name: 'a', scopes: [] });
  await nexus.keys.create({ name: 'a', scopes: [] });
  await nexus.keys.create({ name: 'a', scopes: [] }, { idempotencyKey: 'mine' });
  const keys = seen.map((request) => request.headers['idempotency-key']);
  assert.equal(new Set(keys).size, 3);
  assert.equal(keys[2], 'mine');
  close(server);
});

test('a conflict is asked again only while the first request is at work', async () => {
  const inFlight = { status: 409, headers: { 'retry-after': '0' }, body: refusal('CONFLICT') };
  const { nexus, seen, server } = await stub([inFlight, { status: 409, body: refusal('CONFLICT') }]);
  await assert.rejects(nexus.tasks.cancel('a'), ConflictError);
  assert.equal(seen.length, 2);
  close(server);
});

test('what an agent failed at is not asked again', async () => {
  const { nexus, seen, server } = await stub([{ status: 502, body: refusal('PROTOCOL_ERROR') }]);
  await assert.rejects(nexus.agents.test('a', { message: 'x' }), AgentProtocolError);
  assert.equal(seen.length, 1);
  close(server);
});

test('a redirect is not followed, and what is not NEXUS is said to be so', async () => {
  const elsewhere = await stub([{ status: 200, body: account }]);
  const { nexus, server } = await stub([{ status: 302, headers: { location: elsewhere.nexus.baseUrl } }]);
  await assert.rejects(nexus.account.get(), NexusConnectionError);
  assert.equal(elsewhere.seen.length, 0);
  close(server);
  close(elsewhere.server);
  const other = await stub([{ status: 200, body: { hello: 'world' } }]);
  await assert.rejects(other.nexus.account.get(), (error: unknown) => error instanceof NexusError && error.code === 'UNEXPECTED_ANSWER');
  close(other.server);
});

test('the caller’s signal and clock end a call', async () => {
  const silent = createServer(() => {});
  const nexus = new Nexus({ apiKey: 'nxk_x', baseUrl: await listen(silent), maxRetries: 0 });
  await assert.rejects(nexus.account.get({ timeoutMs: 50 }), NexusTimeoutError);
  const reason = new Error('enough');
  await assert.rejects(nexus.account.get({ signal: AbortSignal.abort(reason) }), reason);
  const later = new AbortController();
  setTimeout(() => later.abort(reason), 50);
  await assert.rejects(nexus.account.get({ signal: later.signal }), reason);
  close(silent);
});

test('nobody there: it is tried again, and then said', async () => {
  // A port that was free a moment ago may be another test's by now; nobody listens at 2.
  const nexus = new Nexus({ apiKey: 'nxk_x', baseUrl: 'http://127.0.0.1:2', maxRetries: 1 });
  await assert.rejects(nexus.account.get(), (error: unknown) => error instanceof NexusConnectionError && !error.sent);
});

test('a task whose answer was lost on the way is made once', async () => {
  const { server, url, seen } = await proxy((request, n) => ({ lose: request.method === 'POST' && n <= 2 }));
  const title = `lost ${Date.now()}`;
  const task = await buyerThrough(url).tasks.create({ agentId: agent.agentId, message: 'once', title });
  assert.equal(seen.length, 3);
  const made = [];
  for await (const row of buyer.tasks.list({ role: 'requester' })) if (row.title === title) made.push(row.id);
  assert.deepEqual(made, [task.id]);
  close(server);
});

test('an answer that breaks off half way is asked for again', async () => {
  const { server, url, seen } = await proxy((_, n) => (n === 1 ? { cutAfter: 20 } : {}));
  assert.ok((await buyerThrough(url).account.get()).id);
  assert.equal(seen.length, 2);
  close(server);

  const files = [new Blob(['0123456789'.repeat(50)])];
  const task = await buyer.tasks.run({ agentId: agent.agentId, message: 'keep', files });
  const cut = await proxy((_, n) => (n === 1 ? { cutAfter: 100 } : {}));
  assert.equal((await buyerThrough(cut.url).tasks.file(task.id, 0, 1)).bytes.length, 500);
  assert.equal(cut.seen.length, 2);
  close(cut.server);
});

test('how long to wait', () => {
  const refused = (status: number, retryAfter?: number, code = 'X') =>
    new NexusError({ status, code, message: '', details: null, requestId: undefined, retryAfter });
  assert.equal(waitBeforeRetry(refused(429, 2), 1, false, 0), 2100);
  assert.equal(waitBeforeRetry(refused(429), 2, false, 0), 1000);
  assert.equal(waitBeforeRetry(refused(502), 1, true, 1), 250);
  assert.equal(waitBeforeRetry(refused(502), 1, false, 1), undefined);
  assert.equal(waitBeforeRetry(refused(500), 1, true, 0), undefined);
  assert.equal(waitBeforeRetry(refused(503, undefined, 'AGENT_OFFLINE'), 1, true, 0), undefined);
  assert.equal(waitBeforeRetry(new NexusConnectionError('', true), 1, false, 0), undefined);
  assert.equal(waitBeforeRetry(new NexusConnectionError('', false), 1, false, 0), 500);
  assert.equal(waitBeforeRetry(new Error('x'), 1, true, 0), undefined);
  assert.equal(backoff(20, 0), 8000);
  assert.equal(secondsToWait('Thu, 01 Jan 1970 00:00:10 GMT', 4000), 6);
  assert.equal(secondsToWait('soon', 0), undefined);
});
