import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { AuthenticationError, NexusConnectionError, Nexus, type TaskUpdate } from '../src/index.js';
import { EventParser } from '../src/events.js';
import { TestAgent, baseUrl, buyer, buyerThrough, close, listen, proxy } from './live.js';

let agent: TestAgent;
before(async () => {
  agent = await TestAgent.listed('0.00');
});
after(() => close(agent.server));

async function all(stream: AsyncIterable<TaskUpdate>): Promise<TaskUpdate[]> {
  const updates = [];
  for await (const update of stream) updates.push(update);
  return updates;
}

const numbers = (updates: TaskUpdate[]) => updates.filter(({ type }) => type === 'event').map(({ id }) => id);

test('a stream begins with the task, tells each event, and ends with the task', async () => {
  const { id } = await buyer.tasks.create({ agentId: agent.agentId, message: 'slow 3' });
  const updates = await all(buyer.tasks.stream(id));
  assert.equal(updates[0]?.type, 'snapshot');
  const end = updates.at(-1);
  assert.ok(end?.type === 'end');
  assert.equal(end.task.state, 'completed');
  assert.ok(updates.some((update) => update.type === 'event' && update.event.kind === 'progress'));
});

test('a stream that is cut in the middle, again and again, has no gap and no repetition', async () => {
  // Each connection is cut somewhere else: within a frame, between two, before the first.
  const { server, url, seen } = await proxy((_, n) => (n > 1 && n < 12 ? { cutAfter: (n * 97) % 400 } : {}));
  const through = buyerThrough(url);
  const { id } = await through.tasks.create({ agentId: agent.agentId, message: 'slow 8' });
  const updates = await all(through.tasks.stream(id, { after: 0 }));
  const end = updates.at(-1);
  assert.ok(end?.type === 'end');
  assert.ok(end.task.lastEvent >= 8, String(end.task.lastEvent));
  assert.deepEqual(numbers(updates), Array.from({ length: end.task.lastEvent }, (_, n) => n + 1));
  assert.ok(seen.length >= 6, `${seen.length} connections`);
  close(server);
});

test('a stream that is cut before its first word begins with the task all the same', async () => {
  const { server, url } = await proxy((_, n) => (n === 1 ? { cutAfter: 10 } : {}));
  const { id } = await buyer.tasks.create({ agentId: agent.agentId, message: 'slow 2' });
  const updates = await all(buyerThrough(url).tasks.stream(id));
  assert.deepEqual([updates[0]?.type, updates.at(-1)?.type], ['snapshot', 'end']);
  assert.equal(updates.filter(({ type }) => type === 'snapshot').length, 1);
  close(server);
});

test('a stream of a task that has ended is its snapshot and its end', async () => {
  const { id } = await buyer.tasks.run({ agentId: agent.agentId, message: 'hi' });
  assert.deepEqual((await all(buyer.tasks.stream(id))).map(({ type }) => type), ['snapshot', 'end']);
});

test('a stream ends when its reader leaves or its signal says so', async () => {
  const { id } = await buyer.tasks.create({ agentId: agent.agentId, message: 'slow 10000' });
  for await (const update of buyer.tasks.stream(id)) {
    assert.equal(update.type, 'snapshot');
    break;
  }
  const reason = new Error('enough');
  const stop = new AbortController();
  setTimeout(() => stop.abort(reason), 300);
  await assert.rejects(all(buyer.tasks.stream(id, { signal: stop.signal })), reason);
  await buyer.tasks.cancel(id);
});

test('a stream that brings nothing is given up, one that is refused is not asked for again', async () => {
  let asked = 0;
  const empty = createServer((_, response) => {
    asked += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' }).end(': nothing\n\n');
  });
  const nexus = new Nexus({ apiKey: 'x', baseUrl: await listen(empty) });
  const begun = nexus.tasks.stream('a');
  const clock = setTimeout(() => void begun.return(), 60_000);
  await assert.rejects(all(begun), NexusConnectionError);
  clearTimeout(clock);
  assert.equal(asked, 6);
  close(empty);
  await assert.rejects(all(new Nexus({ apiKey: 'nxk_no', baseUrl }).tasks.stream('a')), AuthenticationError);
});

test('silence is taken for a break', async () => {
  let asked = 0;
  const silent = createServer((_, response) => {
    asked += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (asked === 1) response.write('event: event\nid: 1\ndata: {"seq":1}\n\n');
    else response.end('event: end\nid: 1\ndata: {}\n\n');
  });
  const updates = await all(new Nexus({ apiKey: 'x', baseUrl: await listen(silent) }).tasks.stream('a', { silenceMs: 200 }));
  assert.deepEqual(updates.map(({ type }) => type), ['event', 'end']);
  close(silent);
});

test('events are read as the standard says, wherever the bytes are cut', () => {
  const text = ': comment\r\nevent: a\rid: 1\ndata: x\ndata:  y\n\n\n\nid: 2\r\ndata\r\n\r\nretry: 5\ndata: z\n\ndata: never';
  const wanted = [
    { type: 'a', id: '1', data: 'x\n y' },
    { type: 'message', id: '2', data: '' },
    { type: 'message', id: '2', data: 'z' },
  ];
  for (let cut = 0; cut <= text.length; cut += 1) {
    const parser = new EventParser();
    assert.deepEqual([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))], wanted, `cut at ${cut}`);
  }
});
