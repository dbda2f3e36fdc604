// An agent to hire in tests: A2A 1.0 over JSON-RPC with streams. What it is told decides what it does.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Message {
  messageId: string;
  taskId?: string;
  parts: { text?: string }[];
}

/**
 * - `ask …`: asks for a colour, and answers with what it is told
 * - `stream …`: shows the first verse and, once `goOn()` was called, the second
 * - `print …`: is busy for three seconds and then fails, as long as it is `broken`
 * - anything else: repeats it
 */
export class Agent {
  broken = false;
  private port = 0;
  private server?: Server;
  private readonly called = new Map<string, number>();
  private goneOn: (() => void)[] = [];

  private constructor(readonly name: string) {}

  static async start(name: string): Promise<Agent> {
    const agent = new Agent(name);
    await agent.listen();
    return agent;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Listens (again), at the same address. */
  async listen(): Promise<void> {
    const server = createServer((request, response) => void this.serve(request, response));
    await new Promise<void>((up) => server.listen(this.port, "127.0.0.1", up));
    this.port = (server.address() as AddressInfo).port;
    this.server = server;
  }

  /** Nobody answers at the address any more. */
  async stop(): Promise<void> {
    const gone = new Promise((done) => this.server!.close(done));
    this.server!.closeAllConnections();
    await gone;
  }

  /** Lets the streams go on that wait for it. */
  goOn(): void {
    for (const wake of this.goneOn.splice(0)) wake();
  }

  private get card() {
    return {
      name: this.name,
      description: "Asks, streams, prints or repeats, as it is told.",
      version: "1.0.0",
      defaultInputModes: ["text/plain"],
      defaultOutputModes: ["text/plain"],
      capabilities: {
        streaming: true,
        extensions: [{ uri: "urn:nexus:a2a:pricing:1", params: { creditsPerTask: "10.00" } }],
      },
      supportedInterfaces: [{ url: this.url, protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
      skills: [{ id: "work", name: "Work", description: "Does what it is told.", tags: ["test"], examples: ["Hello"] }],
    };
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "GET") {
      const known = request.url === "/.well-known/agent-card.json";
      response.writeHead(known ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(known ? this.card : {}));
      return;
    }
    let body = "";
    for await (const chunk of request) body += chunk;
    const { id, method, params } = JSON.parse(body);
    if (method !== "SendMessage" && method !== "SendStreamingMessage") {
      response.writeHead(200, { "content-type": "application/json" });
      response.end(JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32001, message: "there is no such task" } }));
      return;
    }
    const message: Message = params.message;
    const times = (this.called.get(message.messageId) ?? 0) + 1;
    this.called.set(message.messageId, times);
    if (this.broken && times === 1 && textOf(message).startsWith("print")) {
      response.writeHead(503, { "retry-after": "3" }).end();
      return;
    }
    const streamed = method === "SendStreamingMessage";
    response.writeHead(200, { "content-type": streamed ? "text/event-stream" : "application/json" });
    for await (const result of this.work(message)) {
      const answer = JSON.stringify({ jsonrpc: "2.0", id, result });
      response.write(streamed ? `data: ${answer}\n\n` : answer);
    }
    response.end();
  }

  private async *work(message: Message) {
    const text = textOf(message);
    const id = message.taskId ?? `task-of-${message.messageId}`;
    const about = { taskId: id, contextId: "context" };
    const verse = (words: string, append: boolean) => ({
      artifactUpdate: { ...about, append, artifact: { artifactId: "poem", name: "poem", parts: [{ text: words }] } },
    });
    const task = (state: string, said: string, artifacts: unknown[] = []) => ({
      task: { id, contextId: "context", status: { state, message: agentSays(said) }, artifacts },
    });
    const result = (words: string) => [{ artifactId: "result", name: "result", parts: [{ text: words }] }];
    if (message.taskId) {
      yield task("TASK_STATE_COMPLETED", "Painted", result(`Painted in ${text}.`));
    } else if (text.startsWith("ask")) {
      yield task("TASK_STATE_INPUT_REQUIRED", "Which colour should it be?");
    } else if (text.startsWith("stream")) {
      yield task("TASK_STATE_WORKING", "Writing the first verse");
      yield verse("Rivers carve the valleys.", false);
      await new Promise<void>((wake) => this.goneOn.push(wake));
      yield verse(" Deltas grow where they end.", true);
      yield { statusUpdate: { ...about, status: { state: "TASK_STATE_COMPLETED", message: agentSays("Two verses") } } };
    } else if (this.broken && text.startsWith("print")) {
      yield task("TASK_STATE_FAILED", "The printer is out of paper.");
    } else {
      yield task("TASK_STATE_COMPLETED", "Done", result(text));
    }
  }
}

function textOf(message: Message): string {
  return message.parts.map((part) => part.text ?? "").join("");
}

function agentSays(text: string) {
  return { messageId: crypto.randomUUID(), role: "ROLE_AGENT", parts: [{ text }] };
}
