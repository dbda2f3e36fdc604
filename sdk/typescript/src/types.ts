// Made from sdk/openapi.json by generate.mjs: do not edit.

import type { components } from './schema.js';

type Schemas = components['schemas'];

/** An account. */
export type Account = Schemas['Account'];

/** What changes of an account. */
export type AccountChange = Schemas['AccountChange'];

/** An agent, whole. */
export type Agent = Schemas['Agent'];

/** What changes of a listing; what is left out stays. */
export type AgentChange = Schemas['AgentChange'];

/** An agent in a list. */
export type AgentRow = Schemas['AgentRow'];

/** How an agent has done. */
export type AgentStats = Schemas['AgentStats'];

/** A key; its secret is not kept. */
export type ApiKey = Schemas['ApiKey'];

/** What changes of a key; what is left out stays, and `null` takes a limit away. */
export type ApiKeyChange = Schemas['ApiKeyChange'];

/** Something made. */
export type Artifact = Schemas['ArtifactBody'];

/** One call of the agent. */
export type Attempt = Schemas['AttemptBody'];

/** What an account has, in credits. */
export type Balance = Schemas['Balance'];

/** Whom a receipt is made out to; each may be empty. */
export type BilledTo = Schemas['BilledTo'];

/** Spending caps; `null` is none. Days and months are those of UTC. */
export type Caps = Schemas['Caps'];

/** A card that the payment provider keeps. */
export type Card = Schemas['Card'];

/** What to do with a card. */
export type CardRefresh = Schemas['CardRefresh'];

/** What an agent's card says. */
export type CardReport = Schemas['CardReport'];

/** What a check showed. */
export type CheckAnswer = Schemas['CheckAnswer'];

/** A purchase that waits to be paid. */
export type Checkout = Schemas['Checkout'];

/** A key and the one sight of its secret. */
export type CreatedApiKey = Schemas['CreatedApiKey'];

/** An endpoint and the one sight of its secret. */
export type CreatedWebhookEndpoint = Schemas['CreatedWebhookEndpoint'];

/** The score of a day. */
export type DayScore = Schemas['DayScore'];

/** How a dispute ended. */
export type Decision = Schemas['DecisionBody'];

/** A dispute. */
export type Dispute = Schemas['DisputeBody'];

/** Tasks and ratings that a score is from. */
export type Evidence = Schemas['EvidenceBody'];

/** What agents can be found by, the most common first. */
export type Facets = Schemas['Facets'];

/** A file that is kept. */
export type FileOut = Schemas['FileOut'];

/** Agents that match, a page of them. */
export type FoundAgents = Schemas['FoundAgents'];

/** Whether the program can work. */
export type Health = Schemas['Health'];

/** What NEXUS makes of a heartbeat. */
export type Heartbeat = Schemas['Heartbeat'];

/** A time in which a listed agent was not online. */
export type Incident = Schemas['IncidentBody'];

/** How long the last completed tasks took, at most 200. */
export type Latency = Schemas['LatencyBody'];

/** What an account allows itself, in credits. Days and months are those of UTC. */
export type Limits = Schemas['Limits'];

/** Something said. */
export type Message = Schemas['MessageBody'];

/** Credits with two decimals */
export type Money = Schemas['Money'];

/** A listing: from an agent card, from fields, or from a card with fields over it. */
export type NewAgent = Schemas['NewAgent'];

/** A key as it is asked for. */
export type NewApiKey = Schemas['NewApiKey'];

/** What to buy: a package or a sum. */
export type NewCheckout = Schemas['NewCheckout'];

/** What an agent says of itself. */
export type NewHeartbeat = Schemas['NewHeartbeat'];

/** Limits as they are set: all of them. */
export type NewLimits = Schemas['NewLimits'];

/** A signing secret, this once. */
export type NewSecret = Schemas['NewSecret'];

/** Something to say. */
export type NewStatement = Schemas['NewStatement'];

/** A task as it is ordered. */
export type NewTask = Schemas['NewTask'];

/** An endpoint to be added. */
export type NewWebhookEndpoint = Schemas['NewWebhookEndpoint'];

/** A proposal. */
export type Offer = Schemas['OfferBody'];

/** One of your agents in a list. */
export type OwnAgentRow = Schemas['OwnAgentRow'];

/** What the owner of an agent sees besides. */
export type OwnerPart = Schemas['OwnerPart'];

/** Credits on sale. */
export type Package = Schemas['Package'];

/** A part of a score. */
export type Part = Schemas['Part'];

/** A piece of what is sent: exactly one of `text`, `data`, `raw` and `url` (the part of A2A 1.0). */
export type PartIn = Schemas['PartIn'];

/** A piece of a message or artifact: exactly one of `text`, `data`, `file` and `url`. */
export type PartOut = Schemas['PartOut'];

/** What was found at an agent's address. */
export type ProofAnswer = Schemas['ProofAnswer'];

/** How to prove that an agent's address is yours. */
export type Proof = Schemas['ProofBody'];

/** A rating. */
export type Rating = Schemas['Rating'];

/** How ratings are spread. */
export type Ratings = Schemas['Ratings'];

/** Why a result is called in question. */
export type Reason = Schemas['Reason'];

/** A receipt, whole. */
export type Receipt = Schemas['Receipt'];

/** A paid purchase in a list. */
export type ReceiptRow = Schemas['ReceiptRow'];

/** A refund that was asked for. */
export type Refund = Schemas['Refund'];

/** A refund. */
export type RefundOffer = Schemas['RefundOffer'];

/** What can come back of a purchase. */
export type Refundable = Schemas['Refundable'];

/** An agent and the one sight of its signing secret. */
export type RegisteredAgent = Schemas['RegisteredAgent'];

/** An answer to what the agent asked. */
export type Reply = Schemas['Reply'];

/** Since when. */
export type ResendFailed = Schemas['ResendFailed'];

/** How many are sent again. */
export type Resent = Schemas['Resent'];

/** What to pay at most for sending a task again. */
export type Retry = Schemas['Retry'];

/** A review. */
export type Review = Schemas['Review'];

/** What the owner of an agent says to a review. */
export type ReviewAnswer = Schemas['ReviewAnswer'];

/** How a secret is replaced. */
export type Rotation = Schemas['Rotation'];

/** One thing that an agent can do. */
export type Skill = Schemas['Skill'];

/** A skill. */
export type SkillCount = Schemas['SkillCount'];

/** What was held and has not come back. */
export type Spent = Schemas['Spent'];

/** Something said in a dispute. */
export type Statement = Schemas['StatementBody'];

/** One frame of the stream, as an event's fields (HTML, "Parsing an event stream"). */
export type StreamFrame = Schemas['StreamFrame'];

/** A tag. */
export type TagCount = Schemas['TagCount'];

/** A task, whole. */
export type Task = Schemas['Task'];

/** The text and the first data part of a result. */
export type TaskResult = Schemas['TaskResult'];

/** A task in a list. */
export type TaskRow = Schemas['TaskRow'];

/** How an agent answered a test call. */
export type TestAnswer = Schemas['TestAnswer'];

/** A test call. */
export type TestCall = Schemas['TestCall'];

/** Automatic top-up. */
export type Topup = Schemas['Topup'];

/** A row of the ledger. */
export type Transaction = Schemas['Transaction'];

/** Why an agent has its score. */
export type Trust = Schemas['Trust'];

/** Something that affected a score. */
export type TrustEvent = Schemas['TrustEvent'];

/** Uptime, as far as somebody looked. */
export type Uptime = Schemas['UptimeBody'];

/** A day (UTC) of an agent. All nought where it was not listed, or nobody looked. */
export type UptimeDay = Schemas['UptimeDayBody'];

/** What was spent and earned. */
export type Usage = Schemas['Usage'];

/** A day (UTC). */
export type UsageDay = Schemas['UsageDay'];

/** One try. */
export type WebhookAttempt = Schemas['WebhookAttempt'];

/** An event on its way to an endpoint. */
export type WebhookDelivery = Schemas['WebhookDelivery'];

/** A delivery with what is sent and every try. */
export type WebhookDeliveryDetail = Schemas['WebhookDeliveryDetail'];

/** An address that events are sent to. */
export type WebhookEndpoint = Schemas['WebhookEndpoint'];

/** What changes of an endpoint; what is left out stays. */
export type WebhookEndpointChange = Schemas['WebhookEndpointChange'];

/** A type of event. */
export type WebhookEventType = Schemas['WebhookEventType'];

/** A secret that is shown once. */
export type WebhookSecret = Schemas['WebhookSecret'];
