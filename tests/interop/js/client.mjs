// Does every operation at an agent's address with the official JavaScript client, and prints what came of it as JSON.
// client.mjs CARD BINDING [KEY]; as the one of python_1. CARD is the address of the agent's card.

import { randomUUID } from 'node:crypto';
import { AgentCard, ListTasksRequest, Part, SendMessageRequest, StreamResponse, Task } from '@a2a-js/sdk';
import { ClientFactory, ClientFactoryOptions, JsonRpcTransportFactory, RestTransportFactory } from '@a2a-js/sdk/client';

const [cardUrl, binding, key] = process.argv.slice(2);

function fetched(input, init = {}) {
  const headers = new Headers(init.headers);
  if (key) headers.set('authorization', `Bearer ${key}`);
  return fetch(input, { ...init, headers });
}

const parts = (of) => (of ?? []).map((part) => Part.toJSON(part));
const texts = (message) => (message ? parts(message.parts) : []);

function task(of) {
  const json = Task.toJSON(of);
  return {
    state: json.status.state,
    said: json.status.message?.parts ?? [],
    asked: (json.history ?? []).filter((m) => m.role === 'ROLE_USER').map((m) => m.parts),
    made: (json.artifacts ?? []).map((a) => ({ name: a.name, parts: a.parts })),
  };
}

function event(of) {
  const json = StreamResponse.toJSON(of);
  if (json.task) return { task: true };
  if (json.message) return { message: json.message.parts };
  if (json.statusUpdate) return { state: json.statusUpdate.status.state, said: json.statusUpdate.status.message?.parts ?? [] };
  const { artifact, append = false, lastChunk = false } = json.artifactUpdate;
  return { artifact: artifact.parts, append, last: lastChunk };
}

const saysSomething = (one) => one.artifact || one.message || one.said?.length || (one.state && !/WORKING|SUBMITTED/.test(one.state));

function request(text, { taskId = '', contextId = '', returnImmediately = false, more = [] } = {}) {
  const message = { messageId: randomUUID(), role: 'ROLE_USER', parts: [{ text }, ...more], taskId, contextId };
  return SendMessageRequest.fromJSON({ message, configuration: { returnImmediately } });
}

async function refused(promise) {
  try {
    await promise;
    return 'nothing';
  } catch (error) {
    return error.name;
  }
}

async function collected(stream) {
  const all = [];
  for await (const one of stream) all.push(one);
  return all;
}

const card = AgentCard.fromJSON(await (await fetched(cardUrl)).json());
const transport = binding === 'JSONRPC' ? new JsonRpcTransportFactory({ fetchImpl: fetched }) : new RestTransportFactory({ fetchImpl: fetched });
const factory = new ClientFactory({ ...ClientFactoryOptions.default, transports: [transport], preferredTransports: [binding] });
const client = await factory.createFromAgentCard(card);
const seen = (result) => ('status' in result ? { task: task(result) } : { message: texts(result) });
const send = (text, more) => client.sendMessage(request(text, more));

const out = {};
out.echo = seen(await send('hello'));
out.parts = seen(await send('all kinds', { more: [{ data: { n: 1, list: ['a', null] } }, { raw: 'AAH/', filename: 'x.bin' }] }));
out.message = seen(await send('say good morning'));
out.stream = (await collected(client.sendMessageStream(request('stream 4')))).map(event).filter(saysSomething);
out['message streamed'] = (await collected(client.sendMessageStream(request('say good night')))).map(event).filter(saysSomething);
out.failed = seen(await send('fail now'));
out.rejected = seen(await send('reject this'));
const asked = await send('ask me');
out.asked = seen(asked);
let answered = await send('blue', { taskId: asked.id, contextId: asked.contextId });
out.answered = seen(answered);
out['same task'] = answered.id === asked.id && answered.contextId === asked.contextId;
out['to what has ended'] = await refused(send('more', { taskId: answered.id }));
out['to what is not'] = await refused(send('more', { taskId: randomUUID() }));
out.got = task(await client.getTask({ id: answered.id }));
out['without history'] = (await client.getTask({ id: answered.id, historyLength: 0 })).history?.length ?? 0;
out['not there'] = await refused(client.getTask({ id: randomUUID() }));
const listed = await client.listTasks(ListTasksRequest.fromJSON({ contextId: answered.contextId, pageSize: 5 }));
out.listed = [listed.tasks.length, listed.totalSize, listed.nextPageToken];
let begun = await send('slow 60', { returnImmediately: true });
out.cancelled = task(await client.cancelTask({ id: begun.id })).state;
out['cancelled twice'] = await refused(client.cancelTask({ id: begun.id }));
begun = await send('slow 1', { returnImmediately: true });
out['followed to'] = event((await collected(client.resubscribeTask({ id: begun.id }))).at(-1)).state;
begun = await send('slow 60', { returnImmediately: true });
const made = await client.createTaskPushNotificationConfig({ taskId: begun.id, id: 'mine', url: 'http://127.0.0.1:9/push', token: 't' });
out.push = [made.id, made.url, made.token];
out['push got'] = (await client.getTaskPushNotificationConfig({ taskId: begun.id, id: 'mine' })).url;
out.pushes = (await client.listTaskPushNotificationConfig({ taskId: begun.id })).configs.map((c) => c.id);
await client.deleteTaskPushNotificationConfig({ taskId: begun.id, id: 'mine' });
out['pushes left'] = (await client.listTaskPushNotificationConfig({ taskId: begun.id })).configs.length;
await client.cancelTask({ id: begun.id });
console.log(JSON.stringify(out, null, 1));
process.exit(0);
