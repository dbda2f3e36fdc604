import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';

import {
  AgentOfflineError,
  AuthenticationError,
  InsufficientCreditsError,
  Nexus,
  NexusTimeoutError,
  NotFoundError,
  PermissionDeniedError,
  SignatureError,
  StaleError,
  ValidationError,
  etagOf,
  verifyWebhook,
} from '../src/index.js';
import { TestAgent, baseUrl, buyer, close, listen, owner } from './live.js';

let agent: TestAgent;
before(async () => {
  agent = await TestAgent.listed('1.50');
});
after(() => close(agent.server));

test('an agent is found, hired, paid, accepted and rated', async () => {
  const found = buyer.discover.search({ q: 'test agent', tags: ['sdk-test'], maxPrice: '1.50' });
  const page = await found.page();
  assert.ok(page.total >= 1);
  assert.ok(page.data.some((row) => row.id === agent.agentId));

  const task = await buyer.tasks.run({ agentId: agent.agentId, message: 'hello there', maxBudgetCredits: '1.50' });
  assert.equal(task.state, 'completed');
  assert.equal(task.result.text, 'hello there');
  assert.equal(task.costCredits, '1.50');
  // The price less the fee of 5 %, half-up: 0.08.
  const rows = (await owner.billing.transactions({ limit: 100 }).page()).data.filter((row) => row.referenceId === task.id);
  assert.equal(rows.reduce((sum, row) => sum + Number(row.amount), 0).toFixed(2), '1.42');

  await buyer.tasks.accept(task.id);
  const rated = await buyer.tasks.rate(task.id, { stars: 4, text: 'well' });
  assert.notEqual(rated.acceptedAt, null);
  const reviews = await buyer.trust.reviews(agent.agentId).page();
  assert.equal(reviews.data[0]?.stars, 4);
  const trust = await buyer.trust.get(agent.agentId);
  assert.equal(trust.evidence.ratings, 1);
});

test('files go in as blobs and come out as bytes', async () => {
  const bytes = Uint8Array.from({ length: 3000 }, (_, n) => n % 256);
  const files = [new File([bytes], 'a.bin', { type: 'application/x-test' }), new Blob(['plain'], { type: 'text/plain' })];
  const task = await buyer.tasks.run({ agentId: agent.agentId, message: 'keep', files });
  const made = [];
  for await (const file of buyer.tasks.files(task)) made.push(file);
  assert.equal(made.length, 2);
  assert.deepEqual(made[0]?.bytes, bytes);
  assert.equal(made[0]?.filename, 'a.bin');
  assert.equal(made[0]?.mediaType, 'application/x-test');
  assert.equal(new TextDecoder().decode(made[1]?.bytes), 'plain');
});

test('a question is answered, a task cancelled, one that failed sent again', async () => {
  const asking = await buyer.tasks.run({ agentId: agent.agentId, message: 'ask' });
  assert.equal(asking.waitingFor, 'input');
  const answered = await buyer.tasks.reply(asking.id, { message: 'blue' }, { wait: 30 });
  assert.equal(answered.result.text, 'heard blue');

  const slow = await buyer.tasks.create({ agentId: agent.agentId, message: 'slow 10000' });
  await assert.rejects(buyer.tasks.wait(slow.id, { withinMs: 300 }), NexusTimeoutError);
  assert.equal((await buyer.tasks.cancel(slow.id)).state, 'cancelled');

  const failed = await buyer.tasks.run({ agentId: agent.agentId, message: 'fail' });
  assert.equal(failed.state, 'failed');
  assert.equal(failed.error, 'as you wish');
  const again = await buyer.tasks.retry(failed.id, { maxPriceCredits: '1.50' }, { wait: 30 });
  assert.equal(again.retryOf, failed.id);
});

test('a dispute is opened, answered and given in to', async () => {
  const task = await buyer.tasks.run({ agentId: agent.agentId, message: 'wrong' });
  const dispute = await buyer.disputes.open(task.id, { reason: 'It is not what I asked for, not at all.' });
  assert.equal(dispute.escrowCredits, '1.50');
  await owner.disputes.say(task.id, { text: 'It is what you asked for.' });
  await owner.disputes.offer(task.id, { refundCredits: '0.50' });
  const ended = await buyer.disputes.acceptOffer(task.id, { refundCredits: '0.50' });
  assert.equal(ended.decision?.refundCredits, '0.50');
  assert.equal((await owner.disputes.get(task.id)).statements.length, 2);
});

test('a list is read page by page', async () => {
  for (let n = 0; n < 5; n += 1) await buyer.tasks.create({ agentId: agent.agentId, message: `row ${n}`, title: `row ${n}` });
  const list = buyer.tasks.list({ role: 'requester', limit: 2 });
  const sizes = [];
  for await (const page of list.pages()) sizes.push(page.data.length);
  const ids = new Set<string>();
  for await (const row of list) ids.add(row.id);
  assert.ok(sizes.length >= 3 && sizes.slice(0, -1).every((size) => size === 2), String(sizes));
  assert.equal(ids.size, sizes.reduce((a, b) => a + b));

  const first = await list.page();
  const rest = await buyer.tasks.list({ role: 'requester', cursor: first.nextCursor! }).page();
  assert.ok(!rest.data.some((row) => first.data.some((other) => other.id === row.id)));
});

test('keys are made, limited, changed only as they were read, and revoked', async () => {
  const created = await buyer.keys.create({ name: 'sdk', scopes: ['tasks:read'], dailyCap: '5.00' });
  const limited = new Nexus({ apiKey: created.secret, baseUrl });
  assert.equal((await limited.keys.current()).caps.day, '5.00');
  await assert.rejects(limited.tasks.create({ agentId: agent.agentId, message: 'x' }), (error: unknown) => {
    assert.ok(error instanceof PermissionDeniedError);
    assert.deepEqual(error.details, { scope: 'tasks:write' });
    return true;
  });

  const read = await buyer.keys.get(created.id);
  assert.ok(etagOf(read));
  const changed = await buyer.keys.change(created.id, { name: 'other', dailyCap: null }, { ifMatch: read });
  assert.equal(changed.caps.day, null);
  await assert.rejects(buyer.keys.change(created.id, { name: 'third' }, { ifMatch: read }), StaleError);

  const rotated = await buyer.keys.rotate(created.id, { graceSeconds: 0 });
  assert.notEqual(rotated.secret, created.secret);
  await buyer.keys.revoke(created.id);
  await assert.rejects(limited.account.get(), AuthenticationError);
});

test('refusals are errors with code, status, fields and the request’s id', async () => {
  await assert.rejects(buyer.tasks.get('0b9f7a1c-5a0e-4a53-9d8e-3b1f4c2d6e7f'), (error: unknown) => {
    assert.ok(error instanceof NotFoundError);
    assert.equal(error.code, 'TASK_NOT_FOUND');
    assert.equal(error.status, 404);
    assert.match(error.requestId ?? '', /\S/);
    return true;
  });
  await assert.rejects(buyer.tasks.create({ agentId: agent.agentId, message: 'x', timeoutSeconds: 1 }), (error: unknown) => {
    assert.ok(error instanceof ValidationError);
    assert.equal(error.fields[0]?.field, 'timeoutSeconds');
    return true;
  });
  await assert.rejects(new Nexus({ apiKey: 'nxk_no', baseUrl }).account.get(), AuthenticationError);
  assert.throws(() => buyer.tasks.get('..'), TypeError);

  const dear = await TestAgent.listed('90000.00');
  await assert.rejects(buyer.tasks.create({ agentId: dear.agentId, message: 'x' }), (error: unknown) => {
    assert.ok(error instanceof InsufficientCreditsError);
    assert.equal(error.needed, '90000.00');
    assert.ok(Number(error.available) < 90000);
    return true;
  });
  await owner.agents.change(dear.agentId, { listed: false });
  const begun = Date.now();
  await assert.rejects(buyer.tasks.create({ agentId: dear.agentId, message: 'x' }), AgentOfflineError);
  assert.ok(Date.now() - begun < 500, 'an agent that is offline is not asked for again');
  await owner.agents.retire(dear.agentId);
  close(dear.server);
});

test('what is open to everybody needs no key', async () => {
  const visitor = new Nexus({ apiKey: '', baseUrl: `${baseUrl}/api/v1/` });
  assert.equal((await visitor.health.get()).status, 'ready');
  assert.equal((await visitor.agents.get(agent.agentId)).owner, null);
  assert.ok((await visitor.discover.facets()).tags.some(({ tag }) => tag === 'sdk-test'));
  assert.ok((await visitor.billing.packages()).length > 0);
});

test('credits: checkout, ledger, usage, limits', async () => {
  const [first] = await buyer.billing.packages();
  const checkout = await buyer.billing.checkout({ packageId: first!.id }, { idempotencyKey: 'checkout-once-ts' });
  const same = await buyer.billing.checkout({ packageId: first!.id }, { idempotencyKey: 'checkout-once-ts' });
  assert.equal(same.id, checkout.id);
  assert.ok(checkout.url.startsWith('http'));
  const entries = await buyer.billing.transactions({ limit: 1 }).page();
  assert.match(entries.data[0]!.amount, /^-?\d+\.\d\d$/);
  assert.equal((await buyer.billing.usage({ period: '7d' })).days.length, 7);
  const limits = await buyer.billing.setLimits({ daily: '500.00', monthly: null, lowBalance: '1.00' });
  assert.equal(limits.lowBalance, '1.00');
  await buyer.billing.setLimits({ daily: null, monthly: null, lowBalance: null });
});

test('every operation is a method of the client', async () => {
  const names = JSON.parse(await readFile(new URL('../../../names.json', import.meta.url), 'utf8')) as Record<string, string>;
  const groups = buyer as unknown as Record<string, Record<string, unknown>>;
  for (const name of Object.values(names)) {
    const [group, method] = name.split('.') as [string, string];
    assert.equal(typeof groups[group]?.[method], 'function', name);
  }
});

test('webhooks are set up, tried, and verify', async () => {
  const got: { headers: IncomingHttpHeaders; body: Buffer }[] = [];
  const receiver = createServer((request, response) => {
    void buffer(request).then((body) => {
      got.push({ headers: request.headers, body });
      response.writeHead(204).end();
    });
  });
  const url = await listen(receiver);
  const types = (await buyer.webhooks.eventTypes()).map(({ name }) => name);
  assert.ok(types.includes('task.completed'));
  const created = await buyer.webhooks.create({ url: `${url}/hook`, types: ['task.completed'] });
  const task = await buyer.tasks.run({ agentId: agent.agentId, message: 'tell me' });
  while (got.length < 1) await new Promise((later) => setTimeout(later, 20));
  const { headers, body } = got[0]!;
  const event = verifyWebhook(created.secret, headers, body);
  assert.equal(event.type, 'task.completed');
  assert.equal(event.data.taskId, task.id);
  assert.throws(() => verifyWebhook(created.secret, headers, Buffer.concat([body, Buffer.from(' ')])), SignatureError);
  const deliveries = await buyer.webhooks.deliveries(created.id).page();
  assert.equal(deliveries.data.length, 1);
  await buyer.webhooks.delete(created.id);
  close(receiver);
});
