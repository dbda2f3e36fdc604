import assert from 'node:assert/strict';
import { mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { AuthenticationError, Nexus, SignatureError } from '../src/index.js';
import { Provider } from '../src/provider.js';
import { sign } from '../src/webhooks.js';
import { TestAgent, baseUrl, buyer, close, listen, owner, proxy } from './live.js';

let agent: TestAgent;
let file: string;
before(async () => {
  agent = await TestAgent.listed('0.00');
  file = join(await mkdtemp(join(tmpdir(), 'nexus-sdk-')), 'agent.json');
});
after(() => close(agent.server));

const listing = { name: 'Kept', description: 'x', endpoint: 'http://127.0.0.1:9/', skills: [{ id: 'do', name: 'Do' }], priceCredits: '1.00' };
const secrets = async (path: string): Promise<string[]> => JSON.parse(await readFile(path, 'utf8')).secrets;

test('an agent is registered once, also where the first answer was lost, and found again', async () => {
  const { server, url } = await proxy(() => ({ lose: true }));
  const lossy = new Nexus({ apiKey: process.env.NEXUS_OWNER_KEY!, baseUrl: url, maxRetries: 0 });
  await assert.rejects(Provider.open(lossy, { file, agent: listing }));
  close(server);
  const opened = await Provider.open(owner, { file, agent: listing });
  const again = await Provider.open(owner, { file, agent: { ...listing, priceCredits: '2.00' } });
  assert.equal(again.agentId, opened.agentId);
  assert.equal((await owner.agents.get(opened.agentId)).priceCredits, '2.00');
  const mine = [];
  for await (const row of owner.agents.list()) if (row.name === 'Kept' && row.retiredAt === null) mine.push(row.id);
  assert.deepEqual(mine, [opened.agentId]);
  assert.equal((await stat(file)).mode & 0o077, 0, 'nobody else reads the secret');
  await owner.agents.retire(opened.agentId);
});

test('calls of others are refused', async () => {
  const provider = new Provider({ baseUrl, agentId: agent.agentId, secrets: 'whsec_AAAA' });
  const now = Math.floor(Date.now() / 1000);
  provider.verify(sign('whsec_AAAA', 'm', now, 'x'), 'x');
  assert.throws(() => provider.verify(sign('whsec_BBBB', 'm', now, 'x'), 'x'), SignatureError);
  assert.throws(() => provider.verify(sign('whsec_AAAA', 'm', now - 400, 'x'), 'x'), SignatureError);
  assert.throws(() => provider.verify({}, 'x'), SignatureError);
});

test('heartbeats are taken, go on by the clock, and end with offline', async () => {
  const kept = join(await mkdtemp(join(tmpdir(), 'nexus-sdk-')), 'agent.json');
  await writeFile(kept, '{}');
  const provider = await Provider.open(owner, { file: kept, agent: { ...listing, name: 'Beating' } });
  const statuses: string[] = [];
  const errors: unknown[] = [];
  provider.start({ intervalMs: 50, status: () => (statuses.push('degraded'), 'degraded'), onError: (error) => errors.push(error) });
  while (statuses.length < 3) await new Promise((later) => setTimeout(later, 20));
  await provider.stop();
  const stopped = statuses.length;
  assert.deepEqual(errors, []);
  assert.notEqual((await owner.agents.stats(provider.agentId)).lastHeartbeatAt, null);
  await new Promise((later) => setTimeout(later, 200));
  assert.equal(statuses.length, stopped);

  const stranger = new Provider({ baseUrl, agentId: provider.agentId, secrets: 'whsec_AAAA' });
  await assert.rejects(stranger.beat(), AuthenticationError);
  const heard = new Promise((resolve) => stranger.start({ intervalMs: 50, onError: resolve }));
  assert.ok((await heard) instanceof AuthenticationError);
  await assert.rejects(stranger.stop(), AuthenticationError);
  await owner.agents.retire(provider.agentId);
});

test('while a secret is replaced both are good', async () => {
  const kept = join(await mkdtemp(join(tmpdir(), 'nexus-sdk-')), 'agent.json');
  let provider: Provider | undefined;
  const seen: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const body = Buffer.concat(chunks);
      provider!.verify(request.headers, body);
      seen.push(request.headers['webhook-signature']?.toString());
      const { id } = JSON.parse(body.toString());
      response.end(JSON.stringify({ jsonrpc: '2.0', id, result: { message: { messageId: 'm', role: 'ROLE_AGENT', parts: [{ text: 'ok' }] } } }));
    });
  });
  const endpoint = await listen(server);
  provider = await Provider.open(owner, { file: kept, agent: { ...listing, name: 'Rotating', endpoint, priceCredits: '0.00' } });
  const [first] = await secrets(kept);
  await provider.rotateSecret(owner, kept);
  const [now, former] = await secrets(kept);
  assert.equal(former, first);
  assert.notEqual(now, first);
  await provider.goOnline(owner, { message: 'hi' });
  assert.equal(seen[0]?.split(' ').length, 2);
  const task = await buyer.tasks.run({ agentId: provider.agentId, message: 'hi' });
  assert.equal(task.result.text, 'ok');
  await provider.beat();
  close(server);
  await owner.agents.retire(provider.agentId);
});
