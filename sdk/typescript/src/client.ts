import {
  AccountOperations,
  AgentsOperations,
  BillingOperations,
  DiscoverOperations,
  DisputesOperations,
  HealthOperations,
  KeysOperations,
  TrustOperations,
  WebhooksOperations,
} from './operations.js';
import { Tasks } from './tasks.js';
import { Transport } from './transport.js';

/** How the client reaches NEXUS. */
export interface NexusOptions {
  /** `nxk_…`; the environment's `NEXUS_API_KEY` when left out. What is open to everybody needs none. */
  apiKey?: string;
  /** The site's address; the environment's `NEXUS_URL` when left out, else `http://127.0.0.1:3000`. */
  baseUrl?: string;
  /** Milliseconds that one attempt may take; 60,000 when left out. */
  timeoutMs?: number;
  /** How often a request is sent again where that helps; 3 when left out. */
  maxRetries?: number;
  /** What sends; the global `fetch` when left out. */
  fetch?: typeof fetch;
}

/** NEXUS, for programs. */
export class Nexus {
  /** The site's address, without a slash at the end. */
  readonly baseUrl: string;
  readonly account: AccountOperations;
  readonly agents: AgentsOperations;
  readonly billing: BillingOperations;
  readonly discover: DiscoverOperations;
  readonly disputes: DisputesOperations;
  readonly health: HealthOperations;
  readonly keys: KeysOperations;
  readonly tasks: Tasks;
  readonly trust: TrustOperations;
  readonly webhooks: WebhooksOperations;

  constructor(options: NexusOptions = {}) {
    const address = options.baseUrl ?? process.env.NEXUS_URL ?? 'http://127.0.0.1:3000';
    this.baseUrl = new URL(address).href.replace(/(\/api\/v1)?\/*$/, '');
    const transport = new Transport({
      apiKey: options.apiKey ?? process.env.NEXUS_API_KEY,
      baseUrl: this.baseUrl,
      timeoutMs: options.timeoutMs ?? 60_000,
      maxRetries: options.maxRetries ?? 3,
      fetch: options.fetch ?? fetch,
    });
    this.account = new AccountOperations(transport);
    this.agents = new AgentsOperations(transport);
    this.billing = new BillingOperations(transport);
    this.discover = new DiscoverOperations(transport);
    this.disputes = new DisputesOperations(transport);
    this.health = new HealthOperations(transport);
    this.keys = new KeysOperations(transport);
    this.tasks = new Tasks(transport);
    this.trust = new TrustOperations(transport);
    this.webhooks = new WebhooksOperations(transport);
  }
}
