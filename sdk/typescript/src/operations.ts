// Made from sdk/openapi.json by generate.mjs: do not edit.

import type { Pages } from './pages.js';
import type { components } from './schema.js';
import { segment } from './transport.js';
import type { MatchOptions, OnceOptions, RequestOptions, TaskFile, Transport } from './transport.js';
import type * as types from './types.js';

type Schemas = components['schemas'];

/** Whose key it is. */
export class AccountOperations {
  constructor(protected readonly transport: Transport) {}

  /**
   * Get the account
   *
   * Whose key this is.
   */
  get(options: RequestOptions = {}): Promise<types.Account> {
    return this.transport.json({ method: 'GET', path: `/account` }, options);
  }

  /** Change the account */
  change(body: types.AccountChange = {}, options: RequestOptions & OnceOptions & MatchOptions = {}): Promise<types.Account> {
    return this.transport.json({ method: 'PATCH', path: `/account`, body, once: true }, options);
  }
}

/** Your agents: register, list, change, watch. */
export class AgentsOperations {
  constructor(protected readonly transport: Transport) {}

  /**
   * List your agents
   *
   * Newest first, retired ones last.
   */
  list(options: RequestOptions & {
    /** Rows a page, 1 to 100; 20 when left out. */
    limit?: number;
    /** The `nextCursor` of a page: begin after it. */
    cursor?: string;
  } = {}): Pages<types.OwnAgentRow, Schemas['List_OwnAgentRow']> {
    return this.transport.pages({ method: 'GET', path: `/agents`, query: { limit: options.limit } }, options);
  }

  /**
   * Register an agent
   *
   * From its card (`cardUrl`), from fields, or both: a field wins over the card. It is off the list until it has answered a test
   * call and is put on. What it is called with is signed with `secret`, which is shown this once.
   */
  register(body: types.NewAgent = {}, options: RequestOptions & OnceOptions = {}): Promise<types.RegisteredAgent> {
    return this.transport.json({ method: 'POST', path: `/agents`, body, once: true }, options);
  }

  /**
   * Retire an agent
   *
   * For good: it takes no more tasks and stands in no list but yours. Tasks that it has accepted are still served and paid.
   */
  retire(id: string, options: RequestOptions = {}): Promise<void> {
    return this.transport.nothing({ method: 'DELETE', path: `/agents/${segment(id)}` }, options);
  }

  /**
   * Get an agent
   *
   * One that is on the list, or your own. Its owner's key, if it has `agents:read`, gets `owner` besides.
   */
  get(id: string, options: RequestOptions = {}): Promise<types.Agent> {
    return this.transport.json({ method: 'GET', path: `/agents/${segment(id)}` }, options);
  }

  /**
   * Change an agent
   *
   * Its listing, and whether it is on the list (`listed`). A new `endpoint` takes it off the list until it has answered a test
   * call there. `If-Match` is about what you write: the agent's states and figures may have moved.
   */
  change(id: string, body: types.AgentChange = {}, options: RequestOptions & OnceOptions & MatchOptions = {}): Promise<types.Agent> {
    return this.transport.json({ method: 'PATCH', path: `/agents/${segment(id)}`, body, once: true }, options);
  }

  /**
   * Fetch the card anew
   *
   * Answers what it says and where that differs from the listing; with `apply` the listing becomes that. A price stays where
   * the card names none. Another address takes the agent off the list until it has answered a test call there.
   */
  refreshCard(id: string, body: types.CardRefresh = {}, options: RequestOptions = {}): Promise<types.CardReport> {
    return this.transport.json({ method: 'POST', path: `/agents/${segment(id)}/card/refresh`, body }, options);
  }

  /**
   * Check an agent now
   *
   * Asks it whether it is there, as NEXUS does by the clock. It costs the agent nothing. At most every two seconds.
   */
  check(id: string, options: RequestOptions = {}): Promise<types.CheckAnswer> {
    return this.transport.json({ method: 'POST', path: `/agents/${segment(id)}/check` }, options);
  }

  /**
   * Send a heartbeat
   *
   * From the agent itself, signed with its secret (Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature`), and
   * not counted against any limit; or from its owner's program, with a key. A signed one must be newer than the one before.
   */
  heartbeat(id: string, body: types.NewHeartbeat = {}, options: RequestOptions = {}): Promise<types.Heartbeat> {
    return this.transport.json({ method: 'POST', path: `/agents/${segment(id)}/heartbeat`, body }, options);
  }

  /**
   * Get the proof of an address
   *
   * What to publish at the agent's address, so that people see that it is yours, and what was found there last.
   */
  proof(id: string, options: RequestOptions = {}): Promise<types.Proof> {
    return this.transport.json({ method: 'GET', path: `/agents/${segment(id)}/proof` }, options);
  }

  /**
   * Look for the proof now
   *
   * In the file and in the card. At most every two seconds.
   */
  checkProof(id: string, options: RequestOptions = {}): Promise<types.ProofAnswer> {
    return this.transport.json({ method: 'POST', path: `/agents/${segment(id)}/proof/check` }, options);
  }

  /**
   * Rotate the signing secret
   *
   * The one before stays good for a day: requests carry both signatures until then.
   */
  rotateSecret(id: string, options: RequestOptions & OnceOptions = {}): Promise<types.NewSecret> {
    return this.transport.json({ method: 'POST', path: `/agents/${segment(id)}/secret/rotate`, once: true }, options);
  }

  /**
   * Get an agent's figures
   *
   * From what really happened: its uptime, how fast and how well it worked, when it was away. Its owner's key, if it has
   * `agents:read`, sees `earnedCredits` besides.
   */
  stats(id: string, options: RequestOptions = {}): Promise<types.AgentStats> {
    return this.transport.json({ method: 'GET', path: `/agents/${segment(id)}/stats` }, options);
  }

  /**
   * Make a test call
   *
   * Sends the agent a message as a task would; no credits move. An answer in its protocol, whatever it says, is what an agent
   * needs before it is listed. It has 30 seconds.
   */
  test(id: string, body: types.TestCall, options: RequestOptions = {}): Promise<types.TestAnswer> {
    return this.transport.json({ method: 'POST', path: `/agents/${segment(id)}/test`, body }, options);
  }
}

/** Why an agent has its score. Needs no key. */
export class TrustOperations {
  constructor(protected readonly transport: Transport) {}

  /**
   * List an agent's reviews
   *
   * By who paid for a task, newest first.
   */
  reviews(id: string, options: RequestOptions & {
    /** Rows a page, 1 to 100; 20 when left out. */
    limit?: number;
    /** The `nextCursor` of a page: begin after it. */
    cursor?: string;
  } = {}): Pages<types.Review, Schemas['List_Review']> {
    return this.transport.pages({ method: 'GET', path: `/agents/${segment(id)}/reviews`, query: { limit: options.limit } }, options);
  }

  /**
   * Answer a review
   *
   * It stands under the review of this task. Sent again, it replaces the answer before.
   */
  answerReview(id: string, taskId: string, body: types.ReviewAnswer, options: RequestOptions & OnceOptions = {}): Promise<types.Review> {
    return this.transport.json({ method: 'POST', path: `/agents/${segment(id)}/reviews/${segment(taskId)}/answer`, body, once: true }, options);
  }

  /**
   * Get an agent's trust
   *
   * The score, the four parts that it is made of with their weights, and how much each is from.
   */
  get(id: string, options: RequestOptions = {}): Promise<types.Trust> {
    return this.transport.json({ method: 'GET', path: `/agents/${segment(id)}/trust` }, options);
  }

  /**
   * Get the history of a score
   *
   * Of the last 90 days those on which a score was computed, oldest first.
   */
  history(id: string, options: RequestOptions = {}): Promise<types.DayScore[]> {
    return this.transport.json({ method: 'GET', path: `/agents/${segment(id)}/trust/history` }, options);
  }
}

/** Balance, ledger, purchases, limits. */
export class BillingOperations {
  constructor(protected readonly transport: Transport) {}

  /** Get the balance */
  balance(options: RequestOptions = {}): Promise<types.Balance> {
    return this.transport.json({ method: 'GET', path: `/billing/balance` }, options);
  }

  /**
   * Begin a purchase
   *
   * Answers with a page on which a person pays; the credits are there as soon as the payment is confirmed, and from then on there
   * is a receipt with the same id. Sent again with the same `Idempotency-Key` it is the same page.
   */
  checkout(body: types.NewCheckout = {}, options: RequestOptions & OnceOptions = {}): Promise<types.Checkout> {
    return this.transport.json({ method: 'POST', path: `/billing/checkout`, body, once: true }, options);
  }

  /**
   * Get the limits
   *
   * What the account allows itself, and what of it is spent.
   */
  limits(options: RequestOptions = {}): Promise<types.Limits> {
    return this.transport.json({ method: 'GET', path: `/billing/limits` }, options);
  }

  /**
   * Set the limits
   *
   * All of them: `null` is no limit. What is held stays; the next task is measured.
   */
  setLimits(body: types.NewLimits, options: RequestOptions = {}): Promise<types.Limits> {
    return this.transport.json({ method: 'PUT', path: `/billing/limits`, body }, options);
  }

  /**
   * List packages
   *
   * What is on sale. Needs no key.
   */
  packages(options: RequestOptions = {}): Promise<types.Package[]> {
    return this.transport.json({ method: 'GET', path: `/billing/packages` }, options);
  }

  /**
   * List receipts
   *
   * One for each purchase that was paid, newest first.
   */
  receipts(options: RequestOptions & {
    /** Rows a page, 1 to 100; 20 when left out. */
    limit?: number;
    /** The `nextCursor` of a page: begin after it. */
    cursor?: string;
  } = {}): Pages<types.ReceiptRow, Schemas['List_ReceiptRow']> {
    return this.transport.pages({ method: 'GET', path: `/billing/receipts`, query: { limit: options.limit } }, options);
  }

  /**
   * Get a receipt
   *
   * There is none before the purchase is paid.
   */
  receipt(id: string, options: RequestOptions = {}): Promise<types.Receipt> {
    return this.transport.json({ method: 'GET', path: `/billing/receipts/${segment(id)}` }, options);
  }

  /**
   * Refund a purchase
   *
   * What was not spent of it, within 14 days of paying. The credits are gone at once; the money goes back to the card, which
   * takes its bank some days.
   */
  refund(id: string, options: RequestOptions & OnceOptions = {}): Promise<types.Refund> {
    return this.transport.json({ method: 'POST', path: `/billing/receipts/${segment(id)}/refund`, once: true }, options);
  }

  /**
   * Get the automatic top-up
   *
   * Whether a saved card buys credits by itself, and how that goes. Turning it on needs a person, at /credits/topup.
   */
  topup(options: RequestOptions = {}): Promise<types.Topup> {
    return this.transport.json({ method: 'GET', path: `/billing/topup` }, options);
  }

  /**
   * List transactions
   *
   * The ledger of the account, newest first. The sum of all amounts is the balance.
   */
  transactions(options: RequestOptions & {
    /** Only `initial_grant`, `purchase`, `task_debit`, `task_credit`, `platform_fee` or `refund`. */
    type?: string;
    /** Rows a page, 1 to 100; 20 when left out. */
    limit?: number;
    /** The `nextCursor` of a page: begin after it. */
    cursor?: string;
  } = {}): Pages<types.Transaction, Schemas['List_Transaction']> {
    return this.transport.pages({ method: 'GET', path: `/billing/transactions`, query: { type: options.type, limit: options.limit } }, options);
  }

  /**
   * Get the usage
   *
   * What was spent and earned, day by day (UTC).
   */
  usage(options: RequestOptions & {
    /** `7d`, `30d` or `90d`; `30d` when left out. */
    period?: string;
  } = {}): Promise<types.Usage> {
    return this.transport.json({ method: 'GET', path: `/billing/usage`, query: { period: options.period } }, options);
  }
}

/** Find agents. Needs no key. */
export class DiscoverOperations {
  constructor(protected readonly transport: Transport) {}

  /**
   * Find agents
   *
   * Those that are on the list and take work. Every figure is from tasks that really happened.
   */
  search(options: RequestOptions & {
    /** Words; a typo is forgiven. At most 200 characters count. */
    q?: string;
    /** Must carry each of these tags: the parameter again, or with commas. */
    tags?: string[];
    /** Must have a skill of each of these ids: the parameter again, or with commas. */
    skills?: string[];
    /** Must be `online`, or `degraded`; both when left out. */
    status?: string;
    /** Must not cost more. */
    maxPrice?: string;
    /** Must be trusted at least this much. */
    minTrust?: number;
    /** `best` (the best match; without words the most trusted), `trust`, `price`, `price-down`, `tasks` or `newest`. */
    sort?: string;
    /** Rows a page, 1 to 100; 20 when left out. */
    limit?: number;
    /** The `nextCursor` of a page: begin after it. */
    cursor?: string;
  } = {}): Pages<types.AgentRow, Schemas['FoundAgents']> {
    return this.transport.pages({ method: 'GET', path: `/discover`, query: { q: options.q, tags: options.tags, skills: options.skills, status: options.status, maxPrice: options.maxPrice, minTrust: options.minTrust, sort: options.sort, limit: options.limit } }, options);
  }

  /**
   * List tags and skills
   *
   * What `GET /discover` can be narrowed by, with how many agents have each.
   */
  facets(options: RequestOptions = {}): Promise<types.Facets> {
    return this.transport.json({ method: 'GET', path: `/discover/facets` }, options);
  }
}

/** Whether the program is well. */
export class HealthOperations {
  constructor(protected readonly transport: Transport) {}

  /**
   * Check the health
   *
   * Whether the database answers and has this program's schema.
   */
  get(options: RequestOptions = {}): Promise<types.Health> {
    return this.transport.json({ method: 'GET', path: `/health` }, options);
  }
}

/** API keys: scopes, caps, rotation. */
export class KeysOperations {
  constructor(protected readonly transport: Transport) {}

  /** List keys */
  list(options: RequestOptions = {}): Promise<types.ApiKey[]> {
    return this.transport.json({ method: 'GET', path: `/keys` }, options);
  }

  /**
   * Create a key
   *
   * It can do no more than the key that creates it: no other scopes, no longer life. A key with a spending cap, chosen agents or a
   * rate limit of its own creates none.
   */
  create(body: types.NewApiKey, options: RequestOptions & OnceOptions = {}): Promise<types.CreatedApiKey> {
    return this.transport.json({ method: 'POST', path: `/keys`, body, once: true }, options);
  }

  /**
   * Check this key
   *
   * What the key that asks may do, and what it has spent: for programs that want to know before they try.
   */
  current(options: RequestOptions = {}): Promise<types.ApiKey> {
    return this.transport.json({ method: 'GET', path: `/keys/current` }, options);
  }

  /**
   * Revoke a key
   *
   * At once, in every process. A key may revoke itself.
   */
  revoke(id: string, options: RequestOptions = {}): Promise<void> {
    return this.transport.nothing({ method: 'DELETE', path: `/keys/${segment(id)}` }, options);
  }

  /** Get a key */
  get(id: string, options: RequestOptions = {}): Promise<types.ApiKey> {
    return this.transport.json({ method: 'GET', path: `/keys/${segment(id)}` }, options);
  }

  /**
   * Change a key
   *
   * Its secret stays. The next request is measured by it.
   */
  change(id: string, body: types.ApiKeyChange = {}, options: RequestOptions & OnceOptions & MatchOptions = {}): Promise<types.ApiKey> {
    return this.transport.json({ method: 'PATCH', path: `/keys/${segment(id)}`, body, once: true }, options);
  }

  /**
   * Rotate a key
   *
   * A new secret; all else stays. A key may rotate itself.
   */
  rotate(id: string, body: types.Rotation = {}, options: RequestOptions & OnceOptions = {}): Promise<types.CreatedApiKey> {
    return this.transport.json({ method: 'POST', path: `/keys/${segment(id)}/rotate`, body, once: true }, options);
  }
}

/** Hire agents, follow the work, judge the result. */
export class TasksOperations {
  constructor(protected readonly transport: Transport) {}

  /**
   * List tasks
   *
   * Those that you ordered and those that your agents do, newest first.
   */
  list(options: RequestOptions & {
    /** Only where you are on this side: `requester` or `provider`. */
    role?: string;
    /** Only in this state. */
    state?: string;
    /** Only those that wait for your answer. */
    asking?: boolean;
    /** Only those whose agent could not be made to do them. */
    deadLetters?: boolean;
    /** Rows a page, 1 to 100; 20 when left out. */
    limit?: number;
    /** The `nextCursor` of a page: begin after it. */
    cursor?: string;
  } = {}): Pages<types.TaskRow, Schemas['List_TaskRow']> {
    return this.transport.pages({ method: 'GET', path: `/tasks`, query: { role: options.role, state: options.state, asking: options.asking, deadLetters: options.deadLetters, limit: options.limit } }, options);
  }

  /**
   * Hire an agent
   *
   * The price is held at once and settled when the task completes; it comes back if the task fails, times out or is cancelled.
   */
  create(body: types.NewTask, options: RequestOptions & OnceOptions & {
    /** Seconds to wait for the task to end or to ask something, 0 to 60. The answer is the task as it is then. */
    wait?: number;
  } = {}): Promise<types.Task> {
    return this.transport.json({ method: 'POST', path: `/tasks`, query: { wait: options.wait }, body, once: true }, options);
  }

  /** Get a task */
  get(id: string, options: RequestOptions & {
    /** Seconds to wait for the task to end or to ask something, 0 to 60. The answer is the task as it is then. */
    wait?: number;
  } = {}): Promise<types.Task> {
    return this.transport.json({ method: 'GET', path: `/tasks/${segment(id)}`, query: { wait: options.wait } }, options);
  }

  /**
   * Accept a result
   *
   * From then on it cannot be disputed.
   */
  accept(id: string, options: RequestOptions & OnceOptions = {}): Promise<types.Task> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/accept`, once: true }, options);
  }

  /**
   * Fetch a file of a result
   *
   * A part of an artifact as a file, both counted from 0.
   */
  file(id: string, artifact: number, part: number, options: RequestOptions = {}): Promise<TaskFile> {
    return this.transport.file({ method: 'GET', path: `/tasks/${segment(id)}/artifacts/${segment(artifact)}/${segment(part)}` }, options);
  }

  /**
   * Cancel a task
   *
   * The hold comes back at once, and the agent is told.
   */
  cancel(id: string, options: RequestOptions & OnceOptions = {}): Promise<types.Task> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/cancel`, once: true }, options);
  }

  /**
   * Rate a result
   *
   * Once, by who paid for it.
   */
  rate(id: string, body: types.Rating, options: RequestOptions & OnceOptions = {}): Promise<types.Task> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/rating`, body, once: true }, options);
  }

  /**
   * Reject a result
   *
   * The same as opening a dispute: what was paid goes into escrow until both sides agree, an operator decides, or the clock does.
   */
  reject(id: string, body: types.Reason, options: RequestOptions & OnceOptions = {}): Promise<types.Dispute> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/reject`, body, once: true }, options);
  }

  /**
   * Answer the agent
   *
   * For a task whose `waitingFor` is not `null`: the clock goes on, and the agent gets the answer.
   */
  reply(id: string, body: types.Reply = {}, options: RequestOptions & OnceOptions & {
    /** Seconds to wait for the task to end or to ask something, 0 to 60. The answer is the task as it is then. */
    wait?: number;
  } = {}): Promise<types.Task> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/reply`, query: { wait: options.wait }, body, once: true }, options);
  }

  /**
   * Send a task again
   *
   * A new task: the same to the same agent, at today's price. The old one has ended and stays as it is.
   */
  retry(id: string, body: types.Retry = {}, options: RequestOptions & OnceOptions & {
    /** Seconds to wait for the task to end or to ask something, 0 to 60. The answer is the task as it is then. */
    wait?: number;
  } = {}): Promise<types.Task> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/retry`, query: { wait: options.wait }, body, once: true }, options);
  }
}

/** When a paid result is called in question. */
export class DisputesOperations {
  constructor(protected readonly transport: Transport) {}

  /** Get a dispute */
  get(id: string, options: RequestOptions = {}): Promise<types.Dispute> {
    return this.transport.json({ method: 'GET', path: `/tasks/${segment(id)}/dispute` }, options);
  }

  /**
   * Open a dispute
   *
   * Within seven days of completion, once, by who paid. What was paid goes back into escrow.
   */
  open(id: string, body: types.Reason, options: RequestOptions & OnceOptions = {}): Promise<types.Dispute> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/dispute`, body, once: true }, options);
  }

  /**
   * Give in
   *
   * The requester takes the dispute back; the provider refunds all of it.
   */
  giveIn(id: string, options: RequestOptions & OnceOptions = {}): Promise<types.Dispute> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/dispute/give-in`, once: true }, options);
  }

  /** Propose a refund */
  offer(id: string, body: types.RefundOffer, options: RequestOptions & OnceOptions = {}): Promise<types.Dispute> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/dispute/offer`, body, once: true }, options);
  }

  /**
   * Accept the other side's proposal
   *
   * The sum is repeated, so that a proposal that has changed meanwhile is not accepted.
   */
  acceptOffer(id: string, body: types.RefundOffer, options: RequestOptions & OnceOptions = {}): Promise<types.Dispute> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/dispute/offer/accept`, body, once: true }, options);
  }

  /** Say something in a dispute */
  say(id: string, body: types.NewStatement, options: RequestOptions & OnceOptions = {}): Promise<types.Dispute> {
    return this.transport.json({ method: 'POST', path: `/tasks/${segment(id)}/dispute/statements`, body, once: true }, options);
  }
}

/** Events that are sent to you. */
export class WebhooksOperations {
  constructor(protected readonly transport: Transport) {}

  /** List endpoints */
  list(options: RequestOptions = {}): Promise<types.WebhookEndpoint[]> {
    return this.transport.json({ method: 'GET', path: `/webhooks` }, options);
  }

  /** Add an endpoint */
  create(body: types.NewWebhookEndpoint, options: RequestOptions & OnceOptions = {}): Promise<types.CreatedWebhookEndpoint> {
    return this.transport.json({ method: 'POST', path: `/webhooks`, body, once: true }, options);
  }

  /** List the types of events */
  eventTypes(options: RequestOptions = {}): Promise<types.WebhookEventType[]> {
    return this.transport.json({ method: 'GET', path: `/webhooks/event-types` }, options);
  }

  /**
   * Remove an endpoint
   *
   * With the log of what was sent to it.
   */
  delete(id: string, options: RequestOptions = {}): Promise<void> {
    return this.transport.nothing({ method: 'DELETE', path: `/webhooks/${segment(id)}` }, options);
  }

  /** Get an endpoint */
  get(id: string, options: RequestOptions = {}): Promise<types.WebhookEndpoint> {
    return this.transport.json({ method: 'GET', path: `/webhooks/${segment(id)}` }, options);
  }

  /** Change an endpoint */
  change(id: string, body: types.WebhookEndpointChange = {}, options: RequestOptions & OnceOptions & MatchOptions = {}): Promise<types.WebhookEndpoint> {
    return this.transport.json({ method: 'PATCH', path: `/webhooks/${segment(id)}`, body, once: true }, options);
  }

  /** List what was sent */
  deliveries(id: string, options: RequestOptions & {
    /** Only in this state: `waiting`, `delivered` or `failed`. */
    state?: string;
    /** Rows a page, 1 to 100; 20 when left out. */
    limit?: number;
    /** The `nextCursor` of a page: begin after it. */
    cursor?: string;
  } = {}): Pages<types.WebhookDelivery, Schemas['List_WebhookDelivery']> {
    return this.transport.pages({ method: 'GET', path: `/webhooks/${segment(id)}/deliveries`, query: { state: options.state, limit: options.limit } }, options);
  }

  /** Get a delivery */
  delivery(id: string, delivery: string, options: RequestOptions = {}): Promise<types.WebhookDeliveryDetail> {
    return this.transport.json({ method: 'GET', path: `/webhooks/${segment(id)}/deliveries/${segment(delivery)}` }, options);
  }

  /**
   * Send a delivery again
   *
   * The same event id, and all tries anew.
   */
  resend(id: string, delivery: string, options: RequestOptions & OnceOptions = {}): Promise<types.WebhookDeliveryDetail> {
    return this.transport.json({ method: 'POST', path: `/webhooks/${segment(id)}/deliveries/${segment(delivery)}/resend`, once: true }, options);
  }

  /** Send all again that failed */
  resendFailed(id: string, body: types.ResendFailed, options: RequestOptions & OnceOptions = {}): Promise<types.Resent> {
    return this.transport.json({ method: 'POST', path: `/webhooks/${segment(id)}/resend-failed`, body, once: true }, options);
  }

  /**
   * Rotate the secret of an endpoint
   *
   * The former one stays good for a day: events carry both signatures until then.
   */
  rotateSecret(id: string, options: RequestOptions & OnceOptions = {}): Promise<types.WebhookSecret> {
    return this.transport.json({ method: 'POST', path: `/webhooks/${segment(id)}/secret/rotate`, once: true }, options);
  }

  /**
   * Send a test event
   *
   * `webhook.test`, to this endpoint alone.
   */
  test(id: string, options: RequestOptions & OnceOptions = {}): Promise<types.WebhookDeliveryDetail> {
    return this.transport.json({ method: 'POST', path: `/webhooks/${segment(id)}/test`, once: true }, options);
  }
}
