// An agent on the official JavaScript SDK 1.3: A2A 1.0 over JSON-RPC at /rpc and over REST at /rest, and by its layer for
// older clients 0.3 at /rpc03 and /rest03.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AgentCard, Message, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from '@a2a-js/sdk';
import { createLegacyAwarePushNotificationSender } from '@a2a-js/sdk/compat/v0_3/server';
import { AgentEvent, DefaultRequestHandler, InMemoryPushNotificationStore, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { UserBuilder, agentCardHandler, jsonRpcHandler, restHandler } from '@a2a-js/sdk/server/express';
import express from 'express';

/** What one task publishes. */
class Telling {
  constructor(context, bus) {
    this.ids = { taskId: context.taskId, contextId: context.contextId };
    this.bus = bus;
  }

  message(text) {
    return { messageId: randomUUID(), role: 'ROLE_AGENT', parts: [{ text }], ...this.ids };
  }

  status(state, text) {
    const status = { state: `TASK_STATE_${state}`, timestamp: new Date().toISOString() };
    if (text) status.message = this.message(text);
    this.bus.publish(AgentEvent.statusUpdate(TaskStatusUpdateEvent.fromJSON({ ...this.ids, status })));
  }

  artifact(artifactId, parts, append = false, lastChunk = true) {
    const artifact = { artifactId, name: artifactId, parts };
    this.bus.publish(AgentEvent.artifactUpdate(TaskArtifactUpdateEvent.fromJSON({ ...this.ids, artifact, append, lastChunk })));
  }
}

class Executor {
  cancelled = new Set();

  async execute(context, bus) {
    const message = Message.toJSON(context.userMessage);
    const words = (message.parts.find((p) => p.text)?.text ?? '').split(' ');
    const tell = new Telling(context, bus);
    if (words[0] === 'say') {
      const answer = tell.message(`said ${words.slice(1).join(' ')}`);
      delete answer.taskId;
      bus.publish(AgentEvent.message(Message.fromJSON(answer)));
    } else if (context.task) {
      bus.publish(AgentEvent.task(context.task));
      tell.artifact('answer', [{ text: `heard ${words.join(' ')}` }]);
      tell.status('COMPLETED');
    } else {
      const status = { state: 'TASK_STATE_SUBMITTED' };
      const task = { id: context.taskId, contextId: context.contextId, status, history: [message] };
      bus.publish(AgentEvent.task(Task.fromJSON(task)));
      await this.work(words, message, tell);
    }
    bus.finished();
  }

  async work(words, message, tell) {
    switch (words[0]) {
      case 'stream': {
        const pieces = Number(words[1]);
        tell.status('WORKING', 'streaming');
        for (let n = 0; n < pieces; n += 1) {
          await sleep(20);
          tell.artifact('story', [{ text: `piece ${n}; ` }], n > 0, n + 1 === pieces);
        }
        return tell.status('COMPLETED', 'told');
      }
      case 'slow':
        tell.status('WORKING', 'half way');
        for (const end = Date.now() + 1000 * Number(words[1]); Date.now() < end; await sleep(20)) {
          if (this.cancelled.has(tell.ids.taskId)) return tell.status('CANCELED');
        }
        tell.artifact('answer', [{ text: 'at last' }]);
        return tell.status('COMPLETED');
      case 'ask':
        return tell.status('INPUT_REQUIRED', 'which colour?');
      case 'fail':
        return tell.status('FAILED', 'it broke');
      case 'reject':
        return tell.status('REJECTED', 'not for me');
      default:
        tell.artifact('echo', message.parts);
        return tell.status('COMPLETED');
    }
  }

  async cancelTask(taskId) {
    this.cancelled.add(taskId);
  }
}

const app = express();
const server = createServer(app);
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const base = `http://127.0.0.1:${server.address().port}`;
  const entry = (path, protocolBinding, protocolVersion) => ({ url: base + path, protocolBinding, protocolVersion });
  const card = AgentCard.fromJSON({
    name: 'JavaScript echo',
    description: 'Repeats what it is sent',
    version: '1.0.0',
    supportedInterfaces: [
      entry('/rpc', 'JSONRPC', '1.0'),
      entry('/rest', 'HTTP+JSON', '1.0'),
      entry('/rpc03', 'JSONRPC', '0.3'),
      entry('/rest03', 'HTTP+JSON', '0.3'),
    ],
    capabilities: { streaming: true, pushNotifications: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [{ id: 'echo', name: 'Echo', description: 'Repeats', tags: ['test'], examples: ['hello'] }],
  });
  const pushes = new InMemoryPushNotificationStore();
  const requestHandler = new DefaultRequestHandler(
    card,
    new InMemoryTaskStore(),
    new Executor(),
    undefined,
    pushes,
    createLegacyAwarePushNotificationSender(pushes),
  );
  const options = { requestHandler, userBuilder: UserBuilder.noAuthentication };
  const older = { ...options, legacyCompat: { enabled: true } };
  app.use('/.well-known/agent-card.json', agentCardHandler({ agentCardProvider: requestHandler }));
  app.use('/rpc', jsonRpcHandler(options));
  app.use('/rest', restHandler(options));
  app.use('/rpc03', jsonRpcHandler(older));
  app.use('/rest03', restHandler(older));
  console.log(base);
});
// Standard input closes when whoever started this is gone.
process.stdin.resume().on('end', () => process.exit(0));
