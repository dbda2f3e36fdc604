import { randomUUID } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';

import type { Nexus } from './client.js';
import { AuthenticationError, ConflictError } from './errors.js';
import { Transport } from './transport.js';
import type { Agent, Heartbeat, NewAgent, TestAnswer } from './types.js';
import { sign, verifySignature, type IncomingHeaders, type VerifyOptions } from './webhooks.js';

/** What an agent says of itself. */
export type AgentStatus = 'online' | 'degraded' | 'offline';

/** An agent that is registered, and what it needs to know of itself. */
export interface ProviderOptions {
  /** The site's address; the environment's `NEXUS_URL` when left out, else `http://127.0.0.1:3000`. */
  baseUrl?: string;
  agentId: string;
  /** Its signing secret; while one is being replaced, the new one first. */
  secrets: string | readonly string[];
}

/** How to find an agent again that was registered by an earlier run. */
export interface OpenOptions {
  /** Where id and secret are kept, readable by its owner alone. */
  file: string;
  /** What to register; at a later start the listing becomes this. */
  agent: NewAgent;
}

/** How the timer beats. */
export interface BeatOptions {
  /** Milliseconds between two heartbeats; 60,000 when left out. NEXUS misses one after two minutes. */
  intervalMs?: number;
  /** What the agent says; online when left out. */
  status?: () => AgentStatus;
  /** Hears of heartbeats that did not arrive. They are tried again after 10 seconds at the latest. */
  onError?: (error: unknown) => void;
}

interface Kept {
  /** Registers once, also where the process died before it heard the answer. */
  idempotencyKey?: string;
  agentId?: string;
  secrets?: string[];
}

const TRY_AGAIN = 10_000;

/** An agent's own side: lets in NEXUS alone, and says that it is there. */
export class Provider {
  readonly agentId: string;
  private secrets: readonly string[];
  private readonly transport: Transport;
  private timer: NodeJS.Timeout | undefined;
  private stopped = true;
  private lastBeat = 0;

  constructor(options: ProviderOptions) {
    this.agentId = options.agentId;
    this.secrets = [options.secrets].flat();
    const address = options.baseUrl ?? process.env.NEXUS_URL ?? 'http://127.0.0.1:3000';
    const baseUrl = new URL(address).href.replace(/\/+$/, '');
    // Its heartbeats are signed: they need no key.
    this.transport = new Transport({ apiKey: undefined, baseUrl, timeoutMs: 10_000, maxRetries: 3, fetch });
  }

  /** The agent of an earlier run, brought up to date, or a new one. Its card must be reachable already where `cardUrl` is given. */
  static async open(nexus: Nexus, { file, agent }: OpenOptions): Promise<Provider> {
    const kept = await read(file);
    if (kept.agentId !== undefined && kept.secrets !== undefined) {
      await update(nexus, kept.agentId, agent);
      return new Provider({ baseUrl: nexus.baseUrl, agentId: kept.agentId, secrets: kept.secrets });
    }
    const idempotencyKey = kept.idempotencyKey ?? randomUUID();
    await write(file, { idempotencyKey });
    const { id, secret } = await nexus.agents.register(agent, { idempotencyKey });
    await write(file, { agentId: id, secrets: [secret] });
    return new Provider({ baseUrl: nexus.baseUrl, agentId: id, secrets: secret });
  }

  /** Makes the test call that the list needs, unless it was answered before, and puts the agent on the list. */
  async goOnline(nexus: Nexus, test: { message: string; skillId?: string }): Promise<Agent> {
    const agent = await nexus.agents.get(this.agentId);
    if (!agent.owner?.testedAt) await this.test(nexus, test);
    return agent.owner?.listed ? agent : nexus.agents.change(this.agentId, { listed: true });
  }

  /** Has NEXUS call the agent once, as for a task. */
  test(nexus: Nexus, test: { message: string; skillId?: string }): Promise<TestAnswer> {
    return nexus.agents.test(this.agentId, test);
  }

  /** Checks that NEXUS sent this request: throws `SignatureError` otherwise. `body` is what came, byte for byte. */
  verify(headers: IncomingHeaders, body: string | Uint8Array, options: VerifyOptions = {}): void {
    verifySignature(this.secrets, headers, body, options);
  }

  /** Replaces the secret. The one before stays good for a day: until then both are let in. */
  async rotateSecret(nexus: Nexus, file?: string): Promise<void> {
    const { secret } = await nexus.agents.rotateSecret(this.agentId);
    this.secrets = [secret, ...this.secrets.slice(0, 1)];
    if (file !== undefined) await write(file, { agentId: this.agentId, secrets: [...this.secrets] });
  }

  /** Sends one heartbeat. */
  async beat(status: AgentStatus = 'online'): Promise<Heartbeat> {
    const [secret] = this.secrets;
    if (secret === undefined) throw new AuthenticationError(NO_SECRET);
    // NEXUS takes each second once, so that nobody can replay one.
    this.lastBeat = Math.max(Math.floor(Date.now() / 1000), this.lastBeat + 1);
    const body = { status };
    const headers = sign(secret, randomUUID(), this.lastBeat, JSON.stringify(body));
    return this.transport.json({ method: 'POST', path: `/agents/${this.agentId}/heartbeat`, body, headers }, {});
  }

  /** Beats now, and then by the clock until `stop`. */
  start(options: BeatOptions = {}): void {
    const interval = options.intervalMs ?? 60_000;
    const tick = async () => {
      let next = interval;
      try {
        await this.beat(options.status?.());
      } catch (error) {
        // Somebody else's heartbeat of this second says the same.
        if (!(error instanceof ConflictError)) {
          next = Math.min(interval, TRY_AGAIN);
          options.onError?.(error);
        }
      }
      if (!this.stopped) this.timer = setTimeout(() => void tick(), next).unref();
    };
    clearTimeout(this.timer);
    this.stopped = false;
    void tick();
  }

  /** Ends the timer and says that the agent is going. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.beat('offline');
  }
}

const NO_SECRET = {
  code: 'UNAUTHORIZED',
  message: 'this agent has no signing secret',
  details: null,
  status: 0,
  requestId: undefined,
  retryAfter: undefined,
};

async function update(nexus: Nexus, id: string, { cardUrl, ...fields }: NewAgent): Promise<void> {
  if (cardUrl) await nexus.agents.refreshCard(id, { cardUrl, apply: true });
  if (Object.keys(fields).length > 0) await nexus.agents.change(id, fields);
}

async function read(file: string): Promise<Kept> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Kept;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}

/** Beside the file first, so that no crash leaves half of it. */
async function write(file: string, kept: Kept): Promise<void> {
  const beside = `${file}.new`;
  await writeFile(beside, `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
  await rename(beside, file);
}
