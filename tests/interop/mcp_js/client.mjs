// Does everything at NEXUS that the official TypeScript clients of MCP can: client.mjs v1 (@modelcontextprotocol/sdk), or
// v2 MODE (@modelcontextprotocol/client, MODE auto or legacy). Where and as whom is in MCP_URL and MCP_KEY; ECHO_AGENT and
// ASKING_AGENT are agents to hire. Prints one line of JSON: what it saw.
import assert from 'node:assert/strict';

const [, , line, mode] = process.argv;
const { MCP_URL, MCP_KEY, ECHO_AGENT, ASKING_AGENT } = process.env;
const seen = { questions: [], progress: 0 };

function answer(request) {
  seen.questions.push(request.params.message);
  const asksPrice = 'approve' in request.params.requestedSchema.properties;
  return { action: 'accept', content: asksPrice ? { approve: true } : { answer: 'blue' } };
}

async function connect(forms) {
  const requestInit = { headers: { Authorization: `Bearer ${MCP_KEY}` } };
  const about = { name: 'interop', version: '1.0.0' };
  const capabilities = forms ? { elicitation: {} } : {};
  if (line === 'v1') {
    const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
    const { StreamableHTTPClientTransport } = await import('@modelcontextprotocol/sdk/client/streamableHttp.js');
    const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
    const client = new Client(about, { capabilities });
    if (forms) client.setRequestHandler(ElicitRequestSchema, async (request) => answer(request));
    await client.connect(new StreamableHTTPClientTransport(new URL(MCP_URL), { requestInit }));
    const call = client.callTool.bind(client);
    client.callTool = (params, options) => call(params, undefined, options);
    return client;
  }
  const { Client, StreamableHTTPClientTransport } = await import('@modelcontextprotocol/client');
  const client = new Client(about, { capabilities, versionNegotiation: { mode } });
  if (forms) client.setRequestHandler('elicitation/create', async (request) => answer(request));
  await client.connect(new StreamableHTTPClientTransport(new URL(MCP_URL), { requestInit }));
  return client;
}

async function good(client, name, args, options) {
  const result = await client.callTool({ name, arguments: args }, options);
  assert(!result.isError, JSON.stringify([name, result]));
  return result.structuredContent;
}

const client = await connect(true);
seen.version = line === 'v1' ? client.transport.protocolVersion : client.getNegotiatedProtocolVersion();
seen.tools = (await client.listTools()).tools.map((tool) => tool.name);
const found = await good(client, 'discover_agents', { q: 'echo' });
assert.equal(found.data[0].id, ECHO_AGENT);
assert.equal((await good(client, 'get_agent', { agentId: ECHO_AGENT })).id, ECHO_AGENT);
assert.equal((await good(client, 'get_agent_trust', { agentId: ECHO_AGENT })).parts.length, 4);
const onprogress = () => (seen.progress += 1);
const done = await good(client, 'delegate_task', { agentId: ECHO_AGENT, message: 'hello', waitSeconds: 30 }, { onprogress });
seen.echo = done.result.text;
const task = done.id;
assert.equal((await good(client, 'check_task_status', { taskId: task, waitSeconds: 5 })).state, 'completed');
await good(client, 'rate_agent', { taskId: task, stars: 4, text: 'fine' });
assert.equal((await good(client, 'list_tasks', { limit: 5 })).data[0].id, task);
seen.balance = (await good(client, 'get_balance', {})).available;
const order = { agentId: ASKING_AGENT, message: 'paint' };
seen.painted = (await good(client, 'delegate_task', { ...order, maxPriceWithoutAsking: '5.00' })).result.text;
const refused = await client.callTool({ name: 'rate_agent', arguments: { taskId: task, stars: 4 } });
seen.refused = refused.isError && refused._meta['nexus/error'].code;

const uris = (await client.listResources()).resources.map((resource) => resource.uri);
assert(uris.includes(`nexus://tasks/${task}`));
assert.equal((await client.listResourceTemplates()).resourceTemplates.length, 3);
seen.artifact = (await client.readResource({ uri: `nexus://tasks/${task}/artifacts/0/0` })).contents[0].text;
assert.deepEqual((await client.listPrompts()).prompts.map((prompt) => prompt.name), ['find_and_hire', 'review_task']);
assert.equal((await client.getPrompt({ name: 'review_task', arguments: { taskId: task } })).messages.length, 2);
const ref = { type: 'ref/prompt', name: 'review_task' };
const completed = await client.complete({ ref, argument: { name: 'taskId', value: task.slice(0, -2) } });
assert.deepEqual(completed.completion.values, [task]);
if (seen.version === '2026-07-28') {
  const told = new Promise((resolve) =>
    client.setNotificationHandler('notifications/resources/list_changed', () => resolve('ResourcesListChanged')),
  );
  const stream = await client.listen({ resourcesListChanged: true });
  await good(client, 'delegate_task', { agentId: ECHO_AGENT, message: 'news', waitSeconds: 0 });
  seen.event = await told;
  await stream.close();
}
await client.close();

// One that has nobody to ask.
const alone = await connect(false);
const [first, second] = [await good(alone, 'delegate_task', order), await good(alone, 'delegate_task', order)];
assert.equal(first.waitingFor, 'input');
const reply = { taskId: first.id, message: 'red', waitSeconds: 30 };
seen.replied = (await good(alone, 'reply_to_task', reply)).result.text;
seen.cancelled = (await good(alone, 'cancel_task', { taskId: second.id })).state;
await alone.close();
console.log(JSON.stringify(seen));
process.exit(0);
